package traffic

import "math"

// A pair is the unevaluated sum of two floats (Dekker, 1971), which holds about
// 106 bits. Sums and products are off by at most 2^-103 of their largest operand.
type pair struct{ hi, lo float64 }

func sum(x, y float64) pair {
	s := x + y
	t := s - x
	return pair{s, (x - (s - t)) + (y - t)}
}

func product(x, y float64) pair {
	p := x * y
	return pair{p, math.FMA(x, y, -p)}
}

func (p pair) plus(q pair) pair {
	s := sum(p.hi, q.hi)
	return sum(s.hi, s.lo+p.lo+q.lo)
}

func (p pair) times(x float64) pair {
	q := product(p.hi, x)
	return sum(q.hi, math.FMA(p.lo, x, q.lo))
}

// by is times for a pair.
func (p pair) by(q pair) pair {
	r := product(p.hi, q.hi)
	return sum(r.hi, r.lo+(p.hi*q.lo+p.lo*q.hi))
}

// over divides as one does on paper, with three digits to the base 2^53.
func (p pair) over(q pair) pair {
	first := p.hi / q.hi
	p = p.plus(q.times(-first))
	second := p.hi / q.hi
	p = p.plus(q.times(-second))
	s := sum(first, second)
	return sum(s.hi, s.lo+p.hi/q.hi)
}

func (p pair) negative() pair { return pair{-p.hi, -p.lo} }

// minus returns k - p with the fraction intact.
func (p pair) minus(k float64) float64 { return (k - p.hi) - p.lo }

// pairOf holds an integer of more bits than the 53 of a float.
func pairOf(n int64) pair {
	low := n & (1<<32 - 1)
	return sum(float64(n-low), float64(low))
}
