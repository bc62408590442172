package query

import "slices"

// A Memo lets expressions that are evaluated one after the other have their common parts
// evaluated once: the rules for a warning and for a page often differ in their threshold
// only. It belongs to the goroutine that evaluates, and to one Store.
type Memo struct{ results map[string]*remembered }

// A remembered is what a part of several expressions gave last.
type remembered struct {
	users   int // how many times the expressions have the part
	known   bool
	at      int64
	version uint64
	points  []Point
	data    bool
}

// A part is a node that expressions may have in common.
type part interface {
	node
	// compute is eval without a Memo.
	compute(*evaluation) (value, error)
}

// A shared is what a part needs to be one.
type shared struct {
	text string
	// metrics are those that decide what the part gives at an instant; none where
	// something else does.
	metrics []string
	memo    *remembered
}

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

// eval returns what the part gives, or gave when an expression evaluated it last.
func (s *shared) eval(ev *evaluation, n part) (value, error) {
	r := s.memo
	if r == nil || r.users < 2 {
		return n.compute(ev)
	}
	version := ev.store.Version(s.metrics)
	if !r.known || r.at != ev.at || r.version != version {
		before := ev.data
		ev.data, r.known = false, false
		v, err := n.compute(ev)
		if err != nil {
			return value{}, err
		}
		*r = remembered{r.users, true, ev.at, version, append(r.points[:0], v.vector...), ev.data}
		ev.data = before
	}
	ev.data = ev.data || r.data
	return value{vector: append(ev.vector(len(r.points)), r.points...)}, nil
}
