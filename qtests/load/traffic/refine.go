package traffic

import (
	"math"
	"time"
)

// In stages of many days a float is too coarse for an instant, and in a wave the area has no inverse in
// closed form. There the instant is guessed in floats, and then refined by Newton's method, with the
// error computed in pairs:
//
//	n → n + (k - N(n)) / rate(n)
//
// n stays a whole number of nanoseconds. So the last step, which is below one, is the fraction that
// decides the rounding, and is exact to far below a thousandth.

// guess returns about when piece i reaches k.
func (c *curve) guess(i int, before, after, k float64) int64 {
	p := &c.pieces[i]
	if p.wave.amplitude != 0 {
		return p.guessWave(c.wanted(i, k).times(0.5))
	}
	unit := float64(c.unit)
	if p.from > p.to { // counted from the end, as in inverse
		return int64(p.d) - clamped(rising(p.to, p.from, max(after, 0)*unit, float64(p.d)), p.d)
	}
	return clamped(p.inverse(before, after, unit), p.d)
}

// clamped returns a time within a piece of length d.
func clamped(t float64, d time.Duration) int64 {
	if !(t > 0) {
		return 0
	}
	if t >= float64(d) {
		return int64(d)
	}
	return int64(t)
}

// wanted returns 2·unit·(k - N) at the start of piece i.
func (c *curve) wanted(i int, k float64) pair {
	return pairOf(int64(c.unit)).times(2 * k).plus(c.exact[i].negative())
}

// refined returns the nanosecond nearest to the instant at which N reaches k in
// piece i, counted from its start, given a guess.
func (c *curve) refined(i int, n int64, k float64) time.Duration {
	p := &c.pieces[i]
	d, wanted := int64(p.d), c.wanted(i, k)
	for range 10 {
		step, wrong := p.step(n, wanted)
		if !(math.Abs(step) < 1<<40 && wrong < 0x1p-10) {
			break // the rate is nothing, or next to it
		}
		if step < -0.25 || step > 1.25 {
			n = min(max(n+int64(math.Floor(step)), 0), d)
			if n == d && step > 0 || n == 0 && step < 0 {
				return time.Duration(n)
			}
			continue
		}
		if math.Abs(step-0.5) > wrong {
			if step > 0.5 {
				n++
			}
		} else if c.reachedAfterHalf(i, n, k) {
			n++
		}
		return time.Duration(min(n, d))
	}
	// The first nanosecond after whose half N is over k.
	low, high := int64(0), d
	for low < high {
		middle := low + (high-low)/2
		if c.reachedAfterHalf(i, middle, k) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return time.Duration(low)
}

// step returns how many nanoseconds after n the area reaches wanted if the rate stays what it is at n,
// and a bound of the error of that.
func (p *piece) step(n int64, wanted pair) (step, wrong float64) {
	if p.wave.amplitude != 0 {
		return p.stepWave(n, wanted)
	}
	// All of it times d: wanted·d - 2d·from·n - (to-from)·n².
	d, t, slope := pairOf(int64(p.d)), pairOf(n), sum(p.to, -p.from)
	linear, square, all := d.by(t).times(-2*p.from), t.by(t).by(slope.negative()), wanted.by(d)
	level, bend := 2*d.hi*p.from, 2*slope.hi
	rate := level + bend*t.hi
	step = all.plus(linear).plus(square).hi / rate
	size := math.Abs(all.hi) + math.Abs(linear.hi) + math.Abs(square.hi)
	return step, doubt(rate, level+math.Abs(bend)*t.hi, size, math.Abs(bend))
}

// doubt bounds the error of a step of at most 1.25: the rounding of pairs of the given size, the
// rounding of floats in the terms of the rate, and the change of the rate within the step.
func doubt(rate, terms, size, bend float64) float64 {
	if !(rate > 0) {
		return math.Inf(1)
	}
	return (0x1p-90*size + 0x1p-47*terms + bend) / rate
}

// reachedAfterHalf reports whether N reaches k half a nanosecond after n of
// piece i or later, in 256 bits.
func (c *curve) reachedAfterHalf(i int, n int64, k float64) bool {
	p, before := &c.pieces[i], c.exact[i]
	t := exactInt(n)
	t.Add(t, exact(0.5))
	right := exactInt(int64(c.unit))
	right.Mul(right, exact(2)).Mul(right, exact(k))
	left := exact(before.hi)
	left.Add(left, exact(before.lo))
	if p.wave.amplitude != 0 {
		return left.Add(left, p.doubleWave(t)).Cmp(right) <= 0
	}
	// Times d, so that nothing is divided.
	d, linear, square := exactInt(int64(p.d)), exact(p.from), exact(p.to)
	linear.Mul(linear, exact(2)).Mul(linear, d).Mul(linear, t)
	square.Sub(square, exact(p.from)).Mul(square, t).Mul(square, t)
	left.Mul(left, d).Add(left, linear).Add(left, square)
	return left.Cmp(right.Mul(right, d)) <= 0
}
