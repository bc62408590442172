package query

import (
	"fmt"
	"slices"
	"strings"
)

// Filters reports whether the condition can fail to hold while its series are there: it
// compares, asks for absence, or takes elements away. recorded says so of the metric that
// a selector reads. A constant, as in vector(1), counts: it is on purpose.
func (e *Expr) Filters(recorded func(Selector) bool) bool { return filters(e.root, recorded) }

func filters(n node, recorded func(Selector) bool) bool {
	in := func(n node) bool { return filters(n, recorded) }
	switch n := n.(type) {
	case *paren:
		return in(n.node)
	case *unary:
		return in(n.arg)
	case *subquery:
		return in(n.arg)
	case *aggregation:
		return in(n.arg)
	case *selector:
		name := Selector(n.matchers).Name()
		return name == "ALERTS" || name == "ALERTS_FOR_STATE" || recorded(n.matchers)
	case *binary:
		return n.filters(in)
	case *call:
		return n.name == "absent" || n.name == "absent_over_time" || n.name == "vector" || slices.ContainsFunc(n.args, in)
	}
	return false
}

func (b *binary) filters(in func(node) bool) bool {
	switch {
	case b.comparison() && !b.boolean, b.op == "and", b.op == "unless":
		return true
	case b.op == "or":
		return in(b.lhs) && in(b.rhs)
	}
	return in(b.lhs) || in(b.rhs)
}

// An Absent is a call of absent or absent_over_time.
type Absent struct {
	Text   string
	Labels []string // that its result has
}

// Absents returns those of the expression, in the order of its text.
func (e *Expr) Absents() []Absent {
	var out []Absent
	walk(e.root, func(n node) {
		if c, ok := n.(*call); ok && (c.name == "absent" || c.name == "absent_over_time") {
			out = append(out, Absent{c.text, told(c.args[0])})
		}
	})
	return out
}

// NoBuckets returns the calls of histogram_quantile that read buckets from which an
// aggregation has taken the label le.
func (e *Expr) NoBuckets() []string {
	var out []string
	walk(e.root, func(n node) {
		c, ok := n.(*call)
		if !ok || c.name != "histogram_quantile" || shapeOf(c.args[1]).MayHave("le") {
			return
		}
		buckets := false
		walk(c.args[1], func(n node) {
			s, ok := n.(*selector)
			buckets = buckets || ok && strings.HasSuffix(Selector(s.matchers).Name(), "_bucket")
		})
		if buckets {
			out = append(out, c.text)
		}
	})
	return out
}

// NeverPaired says of the operators between two vectors which can find no partners: the
// labels that must be equal are on one side only.
func (e *Expr) NeverPaired() []string {
	var out []string
	walk(e.root, func(n node) {
		b, ok := n.(*binary)
		if !ok || b.op == "or" || b.lhs.typ() == Scalar || b.rhs.typ() == Scalar {
			return
		}
		lhs, rhs := shapeOf(b.lhs), shapeOf(b.rhs)
		if !b.matching.on && !(lhs.Closed && rhs.Closed) {
			return // what is open may have the labels, or lack them
		}
		labels := b.matching.labels
		if !b.matching.on {
			labels = lhs.or(rhs).without(labels...).Labels
		}
		for _, l := range labels {
			if left := lhs.MayHave(l); left != rhs.MayHave(l) {
				side := map[bool]string{true: "left", false: "right"}
				out = append(out, fmt.Sprintf("%q pairs elements by the label %s, which only the %s side may have", b.op, l, side[left]))
			}
		}
	})
	return out
}

// Left returns the left side of a comparison with a number, which has a value also while
// the condition does not hold, and the expression itself where it is none.
func (e *Expr) Left() *Expr {
	b, ok := bare(e.root).(*binary)
	if !ok || !b.comparison() || b.boolean || b.lhs.typ() != Vector || b.rhs.typ() != Scalar {
		return e
	}
	return &Expr{text: e.text, root: b.lhs, HideReal: e.HideReal}
}
