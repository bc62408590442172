package query

import (
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A window is what a range function reads of one series: the samples after start and up
// to end, of rows of the history or as a subquery gave them.
type window struct {
	store      *history.Store
	series     *history.Series
	place      int // Point.place
	lo, hi     int // rows
	start, end int64
	samples    []history.Sample // of a subquery
	*buffers
}

// counter reads the window as a counter.
func (w window) counter() history.Counter {
	if w.store != nil {
		return w.store.Counter(w.series, w.lo, w.hi)
	}
	return history.CounterOf(w.samples)
}

// values returns the values, which are the caller's until the next window.
func (w window) values() []float64 {
	out := w.floats[:0]
	if w.store != nil {
		out = w.store.AppendValues(out, w.series, w.lo, w.hi)
	}
	for _, s := range w.samples {
		out = append(out, s.Value)
	}
	w.floats = out
	return out
}

// all returns the samples, which are the caller's until the next window.
func (w window) all() []history.Sample {
	if w.store == nil {
		return w.samples
	}
	w.points = w.store.AppendSamples(w.points[:0], w.series, w.lo, w.hi)
	return w.points
}
