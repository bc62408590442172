package query

import "github.com/go-qtests/qtests/qtests/monitor/internal/history"

// A Memo keeps what functions of a range gave last, for other expressions that call them at
// the same instant: the rules for a warning and for a page often differ in their threshold
// only. It belongs to the goroutine that evaluates, and to one Store.
type Memo struct{ calls map[string]*remembered }

// A remembered is what a call gave, as long as the metric that it reads is as it was.
type remembered struct {
	at      int64
	version history.Version
	points  []Point
	data    bool
}

// eval returns what the call gives, or gave when it was evaluated last.
func (m *Memo) eval(ev *evaluation, c *call) (value, error) {
	version := ev.store.Version(c.shares)
	r, ok := m.calls[c.text]
	if !ok {
		if m.calls == nil {
			m.calls = map[string]*remembered{}
		}
		r = &remembered{}
		m.calls[c.text] = r
	}
	if r.at != ev.at || r.version != version {
		alone := *ev
		alone.data = false
		v, err := c.fn.eval(&alone, c.args)
		if err != nil {
			return value{}, err
		}
		*r = remembered{ev.at, version, append(r.points[:0], v.vector...), alone.data}
	}
	ev.data = ev.data || r.data
	return value{vector: append(ev.vector(len(r.points)), r.points...)}, nil
}

// share returns the metric whose samples alone decide what the call gives at an instant, or
// "" where there is none such.
func (c *call) share() string {
	name := ""
	for _, arg := range c.args {
		switch arg := bare(arg).(type) {
		case *selector:
			if arg.edge != "" || arg.span == 0 {
				return ""
			}
			name = Selector(arg.matchers).Name()
		default:
			if !constant(arg) {
				return ""
			}
		}
	}
	return name
}

// constant reports whether a node is made of numbers alone.
func constant(n node) bool {
	numbers := true
	walk(n, func(n node) {
		switch n.(type) {
		case number, *unary, *binary, *paren:
		default:
			numbers = false
		}
	})
	return numbers
}
