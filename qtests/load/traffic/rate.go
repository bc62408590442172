package traffic

import (
	"math"
	"math/big"
	"sort"
	"time"
)

// A piece is a part of a rate. The rate changes linearly from one number of arrivals per unit of time
// to another, or, with a wave, swings around from.
type piece struct {
	from, to float64
	d        time.Duration
	wave     wave
}

// A curve is the cumulative rate N(t) of a profile, and its inverse. It is a
// plain value without clock or lock.
//
//	rate            to                 N(t) = from·t + (to-from)·t²/(2d)
//	  |        ____/                        within a piece; the areas of all
//	  |  from /                             pieces before it are added, so
//	  | _____/                              that fractions carry over
//	  +----------------- t
type curve struct {
	unit   time.Duration
	pieces []piece
	starts []time.Duration
	// areas holds N at the start of each piece and at the end, as pairs: after millions of
	// arrivals one float would lose the fraction that carries over.
	areas []pair
	// exact holds the areas times 2·unit. These are not divided, so that an arrival halfway
	// between two nanoseconds is known to be there.
	exact []pair
	end   time.Duration
	total int64
	last  int // the piece of the latest answer, where the next search starts
}

func newCurve(unit time.Duration, pieces []piece) *curve {
	c := &curve{unit: unit, pieces: pieces}
	area := new(big.Float).SetPrec(exactBits)
	for i := range pieces {
		c.starts = append(c.starts, c.end)
		c.mark(area)
		area.Add(area, pieces[i].doubleArea())
		c.end += pieces[i].d
	}
	approximate := c.mark(area)
	area.Quo(area, exactInt(int64(unit)).Mul(exactInt(int64(unit)), exact(2)))
	c.total, _ = area.Add(area, exact(slack(approximate))).Int64()
	return c
}

// mark notes the area at the boundary of a piece, given times 2·unit.
func (c *curve) mark(doubled *big.Float) float64 {
	unit := exactInt(int64(c.unit))
	area := new(big.Float).SetPrec(exactBits).Quo(doubled, unit.Mul(unit, exact(2)))
	c.areas = append(c.areas, split(area))
	c.exact = append(c.exact, split(doubled))
	return c.areas[len(c.areas)-1].hi
}

// slack is how far the area of a decimal rate may be off the whole number that it stands for: 0.3/s,
// which binary cannot write, is three arrivals in ten seconds.
func slack(k float64) float64 { return 4e-16 * max(k, 1) }

// exactBits is enough for a product of a duration squared and a rate.
const exactBits = 256

func split(x *big.Float) pair {
	hi, _ := x.Float64()
	rest := new(big.Float).SetPrec(exactBits).Sub(x, big.NewFloat(hi))
	lo, _ := rest.Float64()
	return pair{hi, lo}
}

// doubleArea returns the number of arrivals in the piece times 2·unit.
func (p *piece) doubleArea() *big.Float {
	d := exactInt(int64(p.d))
	if p.wave.amplitude != 0 {
		return p.doubleWave(d)
	}
	x := exact(p.from)
	return x.Add(x, exact(p.to)).Mul(x, d)
}

func exact(x float64) *big.Float { return new(big.Float).SetPrec(exactBits).SetFloat64(x) }

func exactInt(n int64) *big.Float { return new(big.Float).SetPrec(exactBits).SetInt64(n) }

// long is the length in nanoseconds, a little over three days, of a piece or of the unit. From there on
// a float is too coarse for the instants.
const long = 1 << 48

// at returns the instant at which N reaches k, 0 < k <= N(end), rounded to the
// nearest nanosecond. Calls with rising k are cheapest.
func (c *curve) at(k float64) time.Duration {
	i := c.last
	before, after := c.areas[i].minus(k), -c.areas[i+1].minus(k)
	if tolerance := slack(k); before <= tolerance || after < -tolerance {
		i = min(sort.Search(len(c.pieces), func(i int) bool { return c.areas[i+1].minus(k) <= tolerance }), len(c.pieces)-1)
		before, after = c.areas[i].minus(k), -c.areas[i+1].minus(k)
		c.last = i
	}
	p := &c.pieces[i]
	if p.d >= long || p.wave.amplitude != 0 || c.unit >= long {
		return c.starts[i] + c.refined(i, c.guess(i, before, after, k), k)
	}
	t := p.inverse(before, after, float64(c.unit))
	whole := time.Duration(t)
	// Four ulps bound the error of inverse. Only where that leaves the rounding open does the exact
	// sign decide.
	if off := t - float64(whole) - 0.5; math.Abs(off) <= 4*0x1p-52*t {
		if c.reachedAfter(i, float64(whole)+0.5, k) {
			whole++
		}
	} else if off > 0 {
		whole++
	}
	return c.starts[i] + min(whole, p.d)
}

// inverse solves from·t + (to-from)·t²/(2d) = before·unit for t, in nanoseconds, in the form in which
// nothing cancels. after is the area that is left in the piece: a falling rate is solved from its end,
// because the discriminant of the other form vanishes there.
func (p *piece) inverse(before, after, unit float64) float64 {
	switch {
	case p.from == p.to:
		return before * unit / p.from
	case p.from < p.to:
		return rising(p.from, p.to, before*unit, float64(p.d))
	default:
		return float64(p.d) - rising(p.to, p.from, max(after, 0)*unit, float64(p.d))
	}
}

func rising(from, to, a, d float64) float64 {
	if a <= 0 {
		return 0
	}
	return 2 * a / (from + math.Sqrt(from*from+2*a*(to-from)/d))
}

// reachedAfter reports whether N reaches k at t of piece i or later: the sign of
//
//	2d·from·t + (to-from)·t² - d·(2·unit·k - exact)
//
// It is computed in pairs of floats, which take a tenth of the time of package big, and with 256 bits
// only where pairs do not tell. t is half a nanosecond after a whole one.
func (c *curve) reachedAfter(i int, t, k float64) bool {
	p, before := &c.pieces[i], c.exact[i]
	d := float64(p.d)
	left := product(2*d, p.from).times(t).plus(sum(p.to, -p.from).times(t).times(t)).plus(before.times(d))
	right := product(2*float64(c.unit), k).times(d)
	if diff := left.hi - right.hi + (left.lo - right.lo); math.Abs(diff) > 0x1p-90*right.hi {
		return diff < 0
	}
	return c.reachedAfterHalf(i, int64(t), k)
}
