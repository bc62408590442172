package query

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

// A remembered is what a part of several expressions gave last.
type remembered struct {
	users   int // how many times the expressions have the part
	known   bool
	at      int64
	version uint64
	points  []Point
	data    bool
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
