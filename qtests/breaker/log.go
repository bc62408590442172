package breaker

// A transitionLog keeps the latest transitions, in a ring that grows to its
// limit only as it is needed.
type transitionLog struct {
	limit   int
	ring    []Transition
	oldest  int
	dropped uint64
}

func (l *transitionLog) add(t Transition) {
	if len(l.ring) < l.limit {
		l.ring = append(l.ring, t)
		return
	}
	l.ring[l.oldest] = t
	l.oldest = (l.oldest + 1) % l.limit
	l.dropped++
}

// all returns a copy of the log, oldest entry first.
func (l *transitionLog) all() []Transition {
	out := make([]Transition, 0, len(l.ring))
	out = append(out, l.ring[l.oldest:]...)
	return append(out, l.ring[:l.oldest]...)
}
