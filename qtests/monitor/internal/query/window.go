package query

import (
	"math"

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

// lines are the lines of least squares through the samples of a range selector: what all
// calls of predict_linear have in common that differ in how far ahead they look.
type lines struct {
	arg node
	shared
}

// linesOf returns the lines through the series of a range vector: for each series two
// points, the intercept at this instant and the slope.
func linesOf(ev *evaluation, arg node) ([]Point, error) {
	of := &lines{arg: arg}
	if s, ok := bare(arg).(*selector); ok && s.lines != nil {
		of = s.lines
	}
	v, err := of.shared.eval(ev, of)
	return v.vector, err
}

func (*lines) typ() Type { return Vector }

func (l *lines) eval(ev *evaluation) (value, error) { return l.shared.eval(ev, l) }

func (l *lines) compute(ev *evaluation) (value, error) {
	var out []Point
	err := eachWindow(ev, l.arg, func(n int) { out = ev.vector(2 * n) }, func(labels history.Labels, w window) {
		s := w.all()
		ev.data = ev.data || w.store != nil && len(s) > 0
		if len(s) >= 2 {
			slope, intercept := regression(s, ev.at)
			out = append(out, Point{labels, intercept, w.place}, Point{labels, slope, w.place})
		}
	})
	return value{vector: out}, err
}

// predictLinear gives what the line through the samples has some seconds ahead.
func predictLinear(ev *evaluation, args []node) (value, error) {
	ahead, err := args[1].eval(ev)
	if err != nil {
		return value{}, err
	}
	all, err := linesOf(ev, args[0])
	if err != nil {
		return value{}, err
	}
	out := ev.vector(len(all) / 2)
	for i := 0; i < len(all); i += 2 {
		intercept, slope := all[i], all[i+1]
		out = append(out, Point{intercept.Labels, slope.Value*ahead.scalar + intercept.Value, intercept.place})
	}
	return nameless(out)
}

// regression is the line of least squares through the samples, with x in seconds from the
// origin, calculated as Prometheus does: a constant has slope 0, and an infinite one none.
//
// Source: linearRegression in Prometheus' promql/functions.go.
func regression(samples []history.Sample, origin int64) (slope, intercept float64) {
	var n, x, cx, y, cy, xy, cxy, xx, cxx float64
	constant := true
	for _, s := range samples {
		constant = constant && s.Value == samples[0].Value
		n++
		at := float64(s.At/1e6-origin/1e6) / 1e3
		x, cx = kahan(at, x, cx)
		y, cy = kahan(s.Value, y, cy)
		xy, cxy = kahan(at*s.Value, xy, cxy)
		xx, cxx = kahan(at*at, xx, cxx)
	}
	if first := samples[0].Value; constant && math.IsInf(first, 0) {
		return math.NaN(), math.NaN()
	} else if constant {
		return 0, first
	}
	x, y, xy, xx = x+cx, y+cy, xy+cxy, xx+cxx
	slope = (xy - x*y/n) / (xx - x*x/n)
	return slope, y/n - slope*x/n
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
