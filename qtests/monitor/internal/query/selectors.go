package query

import "github.com/go-qtests/qtests/qtests/monitor/internal/history"

// A Selector is what one selector of an expression chooses, whenever it does.
type Selector []history.Matcher

// Name returns the name of the metric, or "" where the selector gives none.
func (s Selector) Name() string {
	for _, m := range s {
		if m.Name == history.NameLabel && m.Op == history.Equal {
			return m.Value
		}
	}
	return ""
}

// String returns the selector as an expression writes it: name{a="b"}.
func (s Selector) String() string {
	var labels []string
	name := s.Name()
	for _, m := range s {
		if m.Name != history.NameLabel || m.Op != history.Equal || m.Value != name {
			labels = append(labels, m.String())
		}
	}
	return history.Written(name, labels)
}

// Selectors returns the selectors of the expression in the order of its text.
func (e *Expr) Selectors() []Selector {
	var out []Selector
	walk(e.root, func(n node) {
		if s, ok := n.(*selector); ok {
			out = append(out, s.matchers)
		}
	})
	return out
}

// walk calls f for a node and for all nodes in it, in the order of the text.
func walk(n node, f func(node)) {
	f(n)
	switch n := n.(type) {
	case *paren:
		walk(n.node, f)
	case *unary:
		walk(n.arg, f)
	case *subquery:
		walk(n.arg, f)
	case *binary:
		walk(n.lhs, f)
		walk(n.rhs, f)
	case *aggregation:
		if n.param != nil {
			walk(n.param, f)
		}
		walk(n.arg, f)
	case *call:
		for _, arg := range n.args {
			walk(arg, f)
		}
	}
}
