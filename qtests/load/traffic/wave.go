package traffic

import (
	"math"
	"math/big"
	"sync"
	"time"
)

// A wave adds amplitude·sin(2πt/period) to a constant rate. Its area,
//
//	from·t + amplitude·period/(2π)·(1 - cos(2πt/period))
//
// has no inverse in closed form, and the cosine of a float is too coarse for a nanosecond of a day.
// Whole periods have the area from·period each. Within a period the instant is guessed, and refined
// with a cosine in pairs: the cosine of the nearest of 256 parts of a turn comes from a table, and the
// cosine of the small rest from a few terms of its series.
type wave struct {
	amplitude float64
	period    time.Duration
}

// guessWave returns about when the area, times unit, is a.
func (p *piece) guessWave(a pair) int64 {
	period := int64(p.wave.period)
	whole := pairOf(period).times(p.from)
	turns := min(max(math.Floor(a.hi/whole.hi), 0), float64(int64(p.d)/period))
	rest := a.plus(whole.times(-turns)).hi
	return min(int64(turns)*period+clamped(p.inverseWave(rest), p.wave.period), int64(p.d))
}

// inverseWave solves from·x + amplitude·period/π·sin²(πx/period) = a within one
// period by Newton's method, kept between bounds by bisection.
func (p *piece) inverseWave(a float64) float64 {
	period, swing := float64(p.wave.period), p.wave.amplitude
	low, high := 0.0, period
	x := min(max(a/p.from, 0), period)
	for range 60 {
		sin, cos := math.Sincos(math.Pi * x / period)
		over := p.from*x + swing*period/math.Pi*sin*sin - a
		next := x - over/(p.from+2*swing*sin*cos)
		if math.Abs(next-x) <= 0x1p-50*period {
			return next
		}
		if over < 0 {
			low = x
		} else {
			high = x
		}
		if !(next > low && next < high) {
			next = low + (high-low)/2
		}
		x = next
	}
	return x
}

// stepWave is step for a wave:
//
//	(wanted - 2·from·n - amplitude·period/π·(1 - cos(2πn/period))) / (2·rate(n))
func (p *piece) stepWave(n int64, wanted pair) (step, wrong float64) {
	period := int64(p.wave.period)
	part := pairOf(n % period).over(pairOf(period))
	versed := versine(part)
	height := pairOf(period).times(2 * p.wave.amplitude).over(turn)
	linear, swung := pairOf(n).times(-2*p.from), height.by(versed).negative()
	rate := 2 * (p.from + p.wave.amplitude*math.Sin(2*math.Pi*part.hi))
	step = wanted.plus(linear).plus(swung).hi / rate
	size := math.Abs(wanted.hi) + math.Abs(linear.hi) + 2*height.hi
	bend := 4 * math.Pi * p.wave.amplitude / float64(period)
	return step, doubt(rate, 2*(p.from+p.wave.amplitude), size, bend)
}

// parts of a turn whose angles the table has.
const parts = 256

type angle struct{ sin, cos, versine pair }

// circle is computed when the first wave needs it, and takes some milliseconds.
var circle = sync.OnceValue(func() *[parts]angle {
	var all [parts]angle
	for i := range all {
		sin, cos := sinCos(exact(float64(i) / parts))
		all[i] = angle{split(sin), split(cos), split(exact(1).Sub(exact(1), cos))}
	}
	return &all
})

// quotients are 1/(n·(n+1)) and 1/((n+1)·(n+2)) for n = 12, 10, …, 2.
var quotients = func() (all [6][2]pair) {
	for i := range all {
		n, one := float64(12-2*i), pair{1, 0}
		all[i] = [2]pair{one.over(pair{n * (n + 1), 0}), one.over(pair{(n + 1) * (n + 2), 0})}
	}
	return all
}()

// versine returns 1 - cos(2π·part), part from 0 to 1, as
//
//	1 - cos(a+b) = (1 - cos a) + cos a·(1 - cos b) + sin a·sin b
func versine(part pair) pair {
	i := math.Round(part.hi * parts)
	b := part.plus(pair{-i / parts, 0}).by(turn)
	a := &circle()[int(i)%parts]
	square := b.by(b).negative()
	one := pair{1, 0}
	sin, versed := one, one
	for _, q := range quotients { // Horner's scheme; 1-cos b = b²/2·(1 - b²/(3·4)·(1 - …))
		sin = square.by(sin).by(q[0]).plus(one)
		versed = square.by(versed).by(q[1]).plus(one)
	}
	sin, versed = sin.by(b), versed.by(square).times(-0.5)
	return a.versine.plus(a.cos.by(versed)).plus(a.sin.by(sin))
}

// doubleWave returns the area at t, times 2·unit, in 256 bits.
func (p *piece) doubleWave(t *big.Float) *big.Float {
	period := exactInt(int64(p.wave.period))
	part := new(big.Float).SetPrec(exactBits).Quo(t, period)
	turns, _ := part.Int(nil)
	part.Sub(part, new(big.Float).SetPrec(exactBits).SetInt(turns))
	_, cos := sinCos(part)
	x := exact(p.wave.amplitude)
	x.Mul(x, period).Quo(x, pi()).Mul(x, cos.Sub(exact(1), cos))
	area := exact(p.from)
	area.Mul(area, exact(2)).Mul(area, t)
	return area.Add(area, x)
}

// sinCos returns the sine and the cosine of a part of a turn, 0 to 1, in 256 bits: the series for the
// distance to the nearest quarter, turned by that quarter.
func sinCos(part *big.Float) (sin, cos *big.Float) {
	approximate, _ := part.Float64()
	quarter := math.Round(4 * approximate)
	x := pi()
	x.Mul(x, exact(2)).Mul(x, new(big.Float).SetPrec(exactBits).Sub(part, exact(quarter/4)))
	sum, term := [2]*big.Float{exact(1), exact(0)}, exact(1)
	for n := 1; n < 100 && term.Sign() != 0 && term.MantExp(nil) > -exactBits-10; n++ {
		term.Mul(term, x).Quo(term, exact(float64(n)))
		if n%4 < 2 {
			sum[n%2].Add(sum[n%2], term)
		} else {
			sum[n%2].Sub(sum[n%2], term)
		}
	}
	cos, sin = sum[0], sum[1]
	for range int(quarter) {
		sin, cos = cos, sin.Neg(sin)
	}
	return sin, cos
}

// turn is 2π.
var turn = func() pair {
	x := pi()
	return split(x.Mul(x, exact(2)))
}()

// pi returns π to 256 bits.
func pi() *big.Float {
	x, _, err := big.ParseFloat("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798", 10, exactBits, big.ToNearestEven)
	if err != nil {
		panic(err)
	}
	return x
}
