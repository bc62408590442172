package query

import (
	"strings"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

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
	if len(labels) == 0 {
		return name
	}
	return name + "{" + strings.Join(labels, ",") + "}"
}

// Selectors returns the selectors of the expression in the order of its text.
func (e *Expr) Selectors() []Selector {
	var out []Selector
	var walk func(node)
	walk = func(n node) {
		switch n := n.(type) {
		case *selector:
			out = append(out, n.matchers)
		case *unary:
			walk(n.arg)
		case *binary:
			walk(n.lhs)
			walk(n.rhs)
		case *aggregation:
			if n.param != nil {
				walk(n.param)
			}
			walk(n.arg)
		case *call:
			for _, arg := range n.args {
				walk(arg)
			}
		}
	}
	walk(e.root)
	return out
}
