package query

import (
	"slices"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A selection is what a selector matched, kept until a series comes or goes.
type selection struct {
	store      *history.Store
	generation uint64
	series     []*history.Series
}

// series returns the series of the selector.
func (s *selector) series(ev *evaluation) []*history.Series {
	st := ev.store
	if f := &s.found; f.store != st || f.generation != st.Generation() {
		found := st.Select(s.matchers...)
		if ev.hideReal {
			found = slices.DeleteFunc(found, (*history.Series).IsReal)
		}
		*f = selection{st, st.Generation(), found}
	}
	return s.found.series
}

// eval is the instant read: of each series the newest sample not older than
// Lookback, unless it is stale.
func (s *selector) eval(ev *evaluation) (value, error) {
	at := ev.at - int64(s.offset)
	row := ev.rowAt(at)
	if first, _ := ev.store.Rows(); row < first || ev.store.At(row) <= at-int64(Lookback) {
		return value{}, nil
	}
	series := s.series(ev)
	out := make([]Point, 0, len(series))
	for _, x := range series {
		if sample, ok := ev.store.LastUpTo(x, row, at-int64(Lookback)); ok {
			out = append(out, Point{x.Labels, sample.Value})
		}
	}
	ev.data = ev.data || len(out) > 0
	return value{vector: out}, nil
}

// A window is what a range function reads of one series: the samples after
// start and up to end.
type window struct {
	store      *history.Store
	series     *history.Series
	lo, hi     int // rows
	start, end int64
}

func (w window) each(f func(history.Sample)) { w.store.Each(w.series, w.lo, w.hi, f) }

func (w window) counter() history.Counter { return w.store.Counter(w.series, w.lo, w.hi) }

func (w window) values() []float64 {
	var out []float64
	w.each(func(s history.Sample) { out = append(out, s.Value) })
	return out
}

// overTime applies f to the window of every series of a range selector; f
// reports false where it has no result.
func (s *selector) overTime(ev *evaluation, keepName bool, f func(window) (float64, bool)) (value, error) {
	end := ev.at - int64(s.offset)
	w := window{store: ev.store, start: end - int64(s.span), end: end}
	w.hi = ev.rowAt(end) + 1
	w.lo = ev.store.After(w.start)
	if w.lo >= w.hi {
		return value{}, nil
	}
	series := s.series(ev)
	out := make([]Point, 0, len(series))
	for _, x := range series {
		w.series = x
		if v, ok := f(w); ok {
			out = append(out, Point{x.Labels, v})
			ev.data = true
		} else if !ev.data {
			w.each(func(history.Sample) { ev.data = true })
		}
	}
	if keepName {
		return value{vector: out}, nil
	}
	return nameless(out)
}
