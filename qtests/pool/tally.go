package pool

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// A tally counts what is reported with an error, by kind: a plain structure.
type tally map[ReportKind]tallied

// tallied are the reports of one kind.
type tallied struct {
	n           int64
	first, last time.Time
	err         error // of the last one
}

func (t *tally) add(r Report) {
	if r.Err == nil {
		return
	}
	if *t == nil {
		*t = tally{}
	}
	k := (*t)[r.Kind]
	if k.n == 0 {
		k.first = r.At
	}
	k.n++
	k.last, k.err = r.At, r.Err
	if c, ok := r.Err.(*ConstructError); ok {
		k.err = c.Err // the line says the rest
	}
	(*t)[r.Kind] = k
}

// lines returns one line for each kind.
func (t tally) lines() (out []string) {
	for _, kind := range []ReportKind{ConstructFailed, CheckFailed, ReleaseFailed, DestroyFailed} {
		switch k := t[kind]; k.n {
		case 0:
		case 1:
			out = append(out, fmt.Sprintf("%s at %s: %v", kind, at(k.first), k.err))
		default:
			out = append(out, fmt.Sprintf("%s %s, first at %s, last at %s: %v", kind, text.Times(k.n), at(k.first), at(k.last), k.err))
		}
	}
	return out
}

// at returns an instant to the microsecond.
func at(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
