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

// buffers hold the samples of one window after another, and the vectors of an evaluation.
type buffers struct {
	slab
	withoutLe history.Derived[keyed] // of buckets
	floats    []float64
	points    []history.Sample
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

// overTime applies f to the window of every series of a range vector; f reports false
// where it has no result.
func overTime(ev *evaluation, arg node, keepName bool, f func(window) (float64, bool)) (value, error) {
	var out []Point
	err := eachWindow(ev, arg, func(n int) { out = ev.vector(n) }, func(labels history.Labels, w window) {
		if v, ok := f(w); ok {
			out = append(out, Point{labels, v, w.place})
			ev.data = ev.data || w.store != nil // what a subquery saw, it has noted itself
		} else if !ev.data && w.store != nil {
			ev.data = len(w.values()) > 0
		}
	})
	switch {
	case err != nil:
		return value{}, err
	case keepName:
		return value{vector: out}, nil
	}
	return nameless(out)
}

// eachWindow calls size with the number of series of a range vector, and f for every one.
func eachWindow(ev *evaluation, arg node, size func(int), f func(history.Labels, window)) error {
	switch n := bare(arg).(type) {
	case *subquery:
		return n.eachWindow(ev, size, f)
	case *selector:
		return n.eachWindow(ev, size, f)
	}
	return nil
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

// variance of the values of a window, as Prometheus calculates it.
func variance(values []float64) float64 {
	var n, mean, cMean, sum, cSum float64
	for _, v := range values {
		n++
		delta := v - (mean + cMean)
		mean, cMean = kahan(delta/n, mean, cMean)
		sum, cSum = kahan(delta*(v-(mean+cMean)), sum, cSum)
	}
	return (sum + cSum) / n
}
