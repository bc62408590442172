package query

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// Lookback is how old a sample may be for an instant read to see it. A sample
// exactly this old is not seen (Prometheus 3: the interval is left-open).
const Lookback = 5 * time.Minute

// ErrNative is the refusal of a series of native histograms.
var ErrNative = errors.New("is a native histogram, which this reader does not evaluate; module promql does")

// A selector chooses series by their labels.
type selector struct {
	matchers []history.Matcher
	shift
	span  time.Duration // of a range selector, otherwise 0
	found selection
	lines *lines // that a Memo shares; otherwise nil
}

// A shift says at which instant a selector or a subquery looks.
type shift struct {
	offset    time.Duration
	hasOffset bool
	edge      string // of the modifier @: "at", "start" or "end"; empty is none
	at        int64  // of the edge "at", in nanoseconds
}

// instant returns the instant at which is looked.
func (s shift) instant(ev *evaluation) int64 {
	at := ev.at
	switch s.edge {
	case "at":
		at = s.at
	case "start":
		at = ev.from
	case "end":
		at = ev.to
	}
	return at - int64(s.offset)
}

// A selection is what a selector matched, kept until a series comes or goes.
type selection struct {
	store      *history.Store
	generation uint64
	series     []*history.Series
}

func (s *selector) typ() Type {
	if s.span > 0 {
		return Matrix
	}
	return Vector
}

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

func (s *selector) eachWindow(ev *evaluation, size func(int), f func(history.Labels, window)) error {
	end := s.instant(ev)
	w := window{store: ev.store, start: end - int64(s.span), end: end, buffers: ev.buffers}
	w.hi = ev.rowAt(end) + 1
	w.lo = ev.store.After(w.start)
	if w.lo >= w.hi {
		return nil
	}
	series, err := s.series(ev)
	if err != nil {
		return err
	}
	size(len(series))
	for i, x := range series {
		w.series, w.place = x, i
		f(x.Labels, w)
	}
	return nil
}
