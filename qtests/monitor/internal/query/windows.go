package query

import (
	"slices"
	"time"
)

// A Window is a call of a function that says nothing about a single sample, with the
// range that it reads.
type Window struct {
	Text     string // rate(x[5m])
	Function string
	Span     time.Duration
	// Step is the time between two samples of a subquery, and zero of a selector.
	Step time.Duration
	// Metric is what the selector names, or "".
	Metric string
	// Summed says that a subquery reads a sum of counters.
	Summed bool
}

// Windows returns those of the expression, in the order of its text.
func (e *Expr) Windows() []Window {
	var out []Window
	walk(e.root, func(n node) {
		c, ok := n.(*call)
		if !ok || !slices.Contains(needTwo, c.name) {
			return
		}
		for _, arg := range c.args {
			w := Window{Text: c.text, Function: c.name}
			switch arg := bare(arg).(type) {
			case *selector:
				w.Span, w.Metric = arg.span, Selector(arg.matchers).Name()
			case *subquery:
				w.Span, w.Step, w.Summed = arg.span, arg.step, sums(arg.arg)
			}
			if w.Span > 0 {
				out = append(out, w)
			}
		}
	})
	return out
}

// Holds returns how many samples the window holds at most when they are gap apart: it is
// open on the left.
func (w Window) Holds(gap time.Duration) int64 {
	if w.Step > 0 {
		gap = w.Step
	}
	return int64((w.Span + gap - 1) / gap)
}

// NeedTwo returns the texts of the function calls that need two samples of a range, and
// never have them when the samples are at least gap apart.
func (e *Expr) NeedTwo(gap time.Duration) []string {
	var out []string
	for _, w := range e.Windows() {
		if w.Holds(gap) < 2 {
			out = append(out, w.Text)
		}
	}
	return out
}

// needTwo are the functions that say nothing about one sample.
var needTwo = []string{"rate", "increase", "delta", "irate", "idelta", "resets", "changes", "deriv", "predict_linear"}

// sums reports whether a node adds up counters as they are, without a rate of each.
func sums(n node) bool {
	sum, window := false, false
	walk(n, func(n node) {
		switch n := n.(type) {
		case *aggregation:
			sum = sum || n.op == "sum"
		case *call:
			window = window || slices.Contains(needTwo, n.name)
		}
	})
	return sum && !window
}
