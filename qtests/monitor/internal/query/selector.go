package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A selection is what a selector matched, kept until a series comes or goes.
type selection struct {
	store      *history.Store
	generation uint64
	series     []*history.Series
}

// ErrNative is the refusal of a series of native histograms.
var ErrNative = errors.New("is a native histogram, which this reader does not evaluate; module promql does")

// series returns the series of the selector.
func (s *selector) series(ev *evaluation) ([]*history.Series, error) {
	st := ev.store
	if f, now := &s.found, st.Generation(s.matchers...); f.store != st || f.generation != now {
		found := st.Select(s.matchers...)
		if ev.hideReal {
			found = slices.DeleteFunc(found, (*history.Series).IsReal)
		}
		*f = selection{st, now, found}
	}
	for _, x := range s.found.series {
		if x.IsNative() {
			return nil, fmt.Errorf("%s %w", x.Labels, ErrNative)
		}
	}
	return s.found.series, nil
}

// eval is the instant read: of each series the newest sample not older than
// Lookback, unless it is stale.
func (s *selector) eval(ev *evaluation) (value, error) {
	at := s.instant(ev)
	row := ev.rowAt(at)
	if first, _ := ev.store.Rows(); row < first || ev.store.At(row) <= at-int64(Lookback) {
		return value{}, nil
	}
	series, err := s.series(ev)
	if err != nil {
		return value{}, err
	}
	out := ev.vector(len(series))
	for i, x := range series {
		if sample, ok := ev.store.LastUpTo(x, row, at-int64(Lookback)); ok {
			out = append(out, Point{x.Labels, sample.Value, i})
		}
	}
	ev.data = ev.data || len(out) > 0
	return value{vector: out}, nil
}

// timestamps is the instant read with the instants of the samples, in seconds, as values.
func (s *selector) timestamps(ev *evaluation) (value, error) {
	at := s.instant(ev)
	series, err := s.series(ev)
	if err != nil {
		return value{}, err
	}
	var out []Point
	for i, x := range series {
		if sample, ok := ev.store.Last(x, at, int64(Lookback)); ok {
			out = append(out, Point{x.Labels, float64(sample.At/1e6) / 1e3, i})
		}
	}
	ev.data = ev.data || len(out) > 0
	return nameless(out)
}

// name is a text that only selectors have that read the same.
func (s *selector) name() string {
	var b strings.Builder
	for _, m := range s.matchers {
		fmt.Fprintf(&b, "%q%s%q,", m.Name, m.Op, m.Value)
	}
	return fmt.Sprintf("%s[%d] offset %d", b.String(), s.span, s.offset)
}
