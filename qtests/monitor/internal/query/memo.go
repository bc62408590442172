package query

import "slices"

// A Memo lets expressions that are evaluated one after the other have their common parts
// evaluated once: the rules for a warning and for a page often differ in their threshold
// only. It belongs to the goroutine that evaluates, and to one Store.
type Memo struct{ results map[string]*remembered }

// Add makes the expression share its parts with the others of the Memo.
func (m *Memo) Add(e *Expr) {
	if m.results == nil {
		m.results = map[string]*remembered{}
	}
	walk(e.root, func(n node) {
		if s := sharedOf(n); s != nil && n.typ() == Vector {
			m.share(n, s)
		}
		if c, ok := n.(*call); ok && c.name == "predict_linear" {
			if arg, ok := bare(c.args[0]).(*selector); ok {
				arg.lines = &lines{arg: arg, shared: shared{text: "the lines through " + arg.name()}}
				m.share(arg, &arg.lines.shared)
			}
		}
	})
}

// share makes a part one of those that the expressions have in common; n decides what it
// gives.
func (m *Memo) share(n node, s *shared) {
	if s.metrics = metricsOf(n); s.metrics == nil {
		return
	}
	r, ok := m.results[s.text]
	if !ok {
		r = &remembered{}
		m.results[s.text] = r
	}
	r.users++
	s.memo = r
}

func sharedOf(n node) *shared {
	switch n := n.(type) {
	case *call:
		return &n.shared
	case *aggregation:
		return &n.shared
	}
	return nil
}

// metricsOf returns the names of the metrics that a node reads, or nil where a selector has
// no name or looks at the edge of a query.
func metricsOf(n node) []string {
	var names []string
	known := true
	walk(n, func(n node) {
		switch n := n.(type) {
		case *selector:
			name := Selector(n.matchers).Name()
			names = append(names, name)
			known = known && name != "" && n.edge == ""
		case *subquery:
			known = known && n.edge == ""
		}
	})
	if !known {
		return nil
	}
	slices.Sort(names)
	return slices.Compact(names)
}
