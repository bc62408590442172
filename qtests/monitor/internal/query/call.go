package query

import "github.com/go-qtests/qtests/qtests/monitor/internal/history"

// A function is one of PromQL's.
type function struct {
	args     []Type
	optional int // how many of the last arguments may be left out; or variadic
	result   Type
	eval     func(ev *evaluation, args []node) (value, error)
}

// variadic says that the last argument may be left out, or be there several times.
const variadic = -1

// A call is a function with its arguments.
type call struct {
	name string
	fn   function
	args []node
	shared
}

func (c *call) typ() Type { return c.fn.result }

func (c *call) eval(ev *evaluation) (value, error) { return c.shared.eval(ev, c) }

func (c *call) compute(ev *evaluation) (value, error) { return c.fn.eval(ev, c.args) }

// ranged makes a function of the windows of a range vector.
func ranged(f func(window) (float64, bool)) function {
	return function{[]Type{Matrix}, 0, Vector, func(ev *evaluation, args []node) (value, error) {
		return overTime(ev, args[0], false, f)
	}}
}

// folded makes a function of the values of a window. There is at least one value.
func folded(f func([]float64) float64) function {
	return ranged(func(w window) (float64, bool) {
		v := w.values()
		if len(v) == 0 {
			return 0, false
		}
		return f(v), true
	})
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

// elementwise makes a function of each element of an instant vector.
func elementwise(f func(float64) float64) function {
	return withScalars(0, func(x float64, _ []float64) float64 { return f(x) })
}

// withScalars makes one that takes scalars as well; the last optional ones may be left out.
func withScalars(optional int, f func(float64, []float64) float64, scalars ...Type) function {
	return function{append([]Type{Vector}, scalars...), optional, Vector, func(ev *evaluation, args []node) (value, error) {
		v, s, err := arguments(ev, args)
		if err != nil {
			return value{}, err
		}
		return mapped(v, func(x float64) float64 { return f(x, s) })
	}}
}

// arguments evaluates a vector and the scalars after it.
func arguments(ev *evaluation, args []node) (vector []Point, scalars []float64, err error) {
	v, err := args[0].eval(ev)
	for _, a := range args[1:] {
		if err != nil {
			return nil, nil, err
		}
		var s value
		s, err = a.eval(ev)
		scalars = append(scalars, s.scalar)
	}
	return v.vector, scalars, err
}
