package event

import (
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/guard"
)

// DefaultLogSize is how many marks a [Log] keeps.
const DefaultLogSize = 10_000

// logReserve is how many marks of the source "event" it keeps beyond that: what
// was done to the system is not to be lost behind what a pool or a breaker made
// of it.
const logReserve = 1000

// A Mark is one entry of a [Log].
type Mark struct {
	At     time.Time `json:"at"`
	Source string    `json:"source"` // "event", "breaker payments", "alert ErrorRate", …
	Text   string    `json:"text"`
}

// A Log is the bounded list of what happened to the system under test:
// events of the timeline, transitions of breakers, alerts. Components made with
// their NewT constructor write to the log of their test, and the report of a
// run draws it. All methods are safe for concurrent use, and a nil *Log
// drops everything.
type Log struct {
	observe func(Mark)
	kept    guard.Value[kept]
}

// kept is what a log keeps.
type kept struct {
	all     []Mark
	dropped int
}

// NewLog returns a log that calls observe with every mark before it keeps or drops it.
// The calls come from the goroutines that call Add, several at once.
func NewLog(observe func(Mark)) *Log { return &Log{observe: observe} }

// Add appends a mark; beyond [DefaultLogSize] it counts it as dropped, so
// that the beginning of a story is kept. For marks of the source "event" there
// is room for 1,000 more.
func (l *Log) Add(at time.Time, source, text string) {
	if l == nil {
		return
	}
	m := Mark{At: at.Round(time.Microsecond), Source: source, Text: text}
	if l.observe != nil {
		l.observe(m)
	}
	l.kept.Do(func(k *kept) { k.add(m) })
}

func (k *kept) add(m Mark) {
	limit := DefaultLogSize
	if m.Source == "event" {
		limit += logReserve
	}
	if len(k.all) >= limit {
		k.dropped++
		return
	}
	k.all = append(k.all, m)
}

// Marks returns a copy of the log, ordered by instant, and how many marks were
// dropped.
func (l *Log) Marks() (marks []Mark, dropped int) {
	if l == nil {
		return nil, 0
	}
	l.kept.Do(func(k *kept) { marks, dropped = slices.Clone(k.all), k.dropped })
	slices.SortStableFunc(marks, func(a, b Mark) int { return a.At.Compare(b.At) })
	return marks, dropped
}
