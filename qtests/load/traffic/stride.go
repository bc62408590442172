package traffic

// Strided returns every step-th arrival of src, beginning with arrival first, which are counted from
// 1. The sources of one profile with the firsts 1 to n and the step n have every arrival of it once, at
// the same instant. Drawn gaps are all drawn, so that their generators have to be equal. Even and
// bursts cost nothing for the arrivals between. first and step are at least 1.
func Strided(src Source, first, step int64) Source {
	if first == 1 && step == 1 {
		return src
	}
	return &strided{Source: src, skip: first - 1, step: step}
}

type strided struct {
	Source
	skip, step int64
	ended      bool
}

func (s *strided) Next() (Arrival, bool) {
	if s.ended = s.ended || !pass(s.Source, s.skip); s.ended {
		return Arrival{}, false
	}
	s.skip = s.step - 1
	return s.Source.Next()
}

// A passer passes over arrivals without making them.
type passer interface{ pass(n int64) bool }

// pass leaves out n arrivals, and reports whether there may be more.
func pass(src Source, n int64) bool {
	if p, ok := src.(passer); ok {
		return p.pass(n)
	}
	for range n {
		if _, ok := src.Next(); !ok {
			return false
		}
	}
	return true
}

func (e *even) pass(n int64) bool {
	n = min(n, e.curve.total-e.k)
	e.k += n
	return true
}

func (l *limited) pass(n int64) bool {
	if l.left <= n {
		l.left = 0
		return false
	}
	l.left -= n
	return pass(l.Source, n)
}

func (b *burstSource) pass(n int64) bool {
	size := b.each()
	b.inside += n
	// A burst that is over is left by Next: inside is then size and not 0.
	if over := (b.inside - 1) / size; b.inside > 0 {
		b.burst += over
		b.inside -= over * size
	}
	return true
}
