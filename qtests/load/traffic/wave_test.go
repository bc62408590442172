package traffic

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wideBits is more than the package uses.
const wideBits = 320

func wide(x float64) *big.Float { return new(big.Float).SetPrec(wideBits).SetFloat64(x) }

// machin returns π = 16·atan(1/5) - 4·atan(1/239).
func machin() *big.Float {
	atan := func(n float64) *big.Float { // of 1/n
		power, sum := wide(1), wide(0)
		power.Quo(power, wide(n))
		for i := 1.0; i < 300; i += 2 {
			term := wide(0).Quo(power, wide(i))
			if int(i)%4 == 3 {
				term.Neg(term)
			}
			sum.Add(sum, term)
			power.Quo(power, wide(n*n))
		}
		return sum
	}
	x, y := wide(16), wide(4)
	return x.Mul(x, atan(5)).Sub(x, y.Mul(y, atan(239)))
}

// cosine sums the series as it is, up to 2π, where its terms are largest.
func cosine(x *big.Float) *big.Float {
	sum, term, square := wide(1), wide(1), wide(0).Mul(x, x)
	for n := 1.0; n < 160; n += 2 {
		term.Mul(term, square).Quo(term, wide(-n*(n+1)))
		sum.Add(sum, term)
	}
	return sum
}

// waveAt returns the area of a wave from its start to t = half/2 ns, times the unit.
func waveAt(from, swing float64, period time.Duration, half int64, pi *big.Float) *big.Float {
	turn := wide(0).Mul(pi, wide(2))
	angle := wide(0).SetInt64(half % (2 * int64(period)))
	angle.Quo(angle.Mul(angle, pi), wide(0).SetInt64(int64(period)))
	x := wide(0).SetInt64(int64(period))
	x.Mul(x, wide(swing)).Quo(x, turn).Mul(x, wide(1).Sub(wide(1), cosine(angle)))
	area := wide(0).SetInt64(half)
	return area.Quo(area, wide(2)).Mul(area, wide(from)).Add(area, x)
}

// requireNearest holds arrival k, at the instant d, against N half a nanosecond
// before and after it.
func requireNearest(t *testing.T, k int64, d time.Duration, area func(half int64) *big.Float) {
	t.Helper()
	want := wide(0).SetInt64(k)
	want.Mul(want, wide(float64(time.Second)))
	if d > 0 {
		require.LessOrEqual(t, area(2*int64(d)-1).Cmp(want), 0, "arrival %d at %v is late", k, d)
	}
	require.Positive(t, area(2*int64(d)+1).Cmp(want), "arrival %d at %v is early", k, d)
}

func TestWavesAreExactToTheNanosecond(t *testing.T) {
	pi := machin()
	tests := map[string]struct {
		mean, amplitude float64
		period, length  time.Duration
		step            int64
	}{
		"a minute":           {100, 50, time.Minute, time.Minute, 19},
		"a day":              {100, 50, 24 * time.Hour, 72 * time.Hour, 310_003},
		"a year":             {0.01, 0.01, 365*24*time.Hour + 12345, 370 * 24 * time.Hour, 4001},
		"down to nothing":    {3, 3, 10 * time.Second, time.Minute, 1},
		"many short periods": {1, 0.9, 7*time.Millisecond + 1, 10 * time.Minute, 7},
		"part of a period":   {20, 19, time.Hour, 17 * time.Minute, 101},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := Sine(tt.mean, tt.amplitude, tt.period, tt.length).curve()
			require.Greater(t, c.total, 50*tt.step)
			for k := int64(1); k <= c.total; k += tt.step {
				requireNearest(t, k, c.at(float64(k)), func(half int64) *big.Float {
					return waveAt(tt.mean, tt.amplitude, tt.period, half, pi)
				})
			}
		})
	}
}

// TestWaveStandsStill: 3/s ± 3/s come to a stop at three quarters of the period,
// where Newton's method does not help.
func TestWaveStandsStill(t *testing.T) {
	const period = 10 * time.Second
	pi := machin()
	c := Sine(3, 3, period, time.Minute).curve()
	still := period * 3 / 4
	at, _ := waveAt(3, 3, period, 2*int64(still), pi).Float64()
	k := at / float64(time.Second)
	for _, off := range []float64{-1e-9, -1e-12, 0, 1e-12, 1e-9} {
		got := c.at(k + off)
		want := wide(k + off)
		want.Mul(want, wide(float64(time.Second)))
		require.LessOrEqual(t, waveAt(3, 3, period, 2*int64(got)-1, pi).Cmp(want), 0)
		require.Positive(t, waveAt(3, 3, period, 2*int64(got)+1, pi).Cmp(want))
		require.InDelta(t, still, got, float64(20*time.Millisecond))
	}
}

func TestVersine(t *testing.T) {
	pi := machin()
	r := rand.New(rand.NewPCG(1, 1))
	for _, x := range []float64{0, 1e-12, 0.25, 0.5, 0.75, 1, 1.0 / 512, 3.0 / 512, r.Float64(), r.Float64(), r.Float64()} {
		angle := wide(0).Mul(pi, wide(2*x))
		want := wide(1).Sub(wide(1), cosine(angle))
		got := versine(pair{x, 0})
		off, _ := want.Sub(want, wide(got.hi)).Sub(want, wide(got.lo)).Float64()
		require.LessOrEqual(t, math.Abs(off), 0x1p-97, "%v", x)
	}
}

func TestPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	value := func(p pair) *big.Float { return wide(p.hi).Add(wide(p.hi), wide(p.lo)) }
	near := func(want *big.Float, got pair) {
		t.Helper()
		size, _ := want.Float64()
		off, _ := want.Sub(want, value(got)).Float64()
		require.LessOrEqual(t, math.Abs(off), 0x1p-100*math.Abs(size))
	}
	for range 2000 {
		n, m := r.Int64(), r.Int64()+1
		require.Zero(t, value(pairOf(n)).Cmp(wide(0).SetInt64(n)), "%d", n)
		x, y := pairOf(n), pairOf(m)
		near(wide(0).Mul(value(x), value(y)), x.by(y))
		near(wide(0).Quo(value(x), value(y)), x.over(y))
		near(wide(0).Add(value(x), value(y)), x.plus(y))
		f := r.Float64()
		near(wide(0).Mul(value(x), wide(f)), x.times(f))
	}
	require.Equal(t, pair{0x1p63, -1}, pairOf(math.MaxInt64))
}

// TestLongStagesAreExact has stages whose nanoseconds a float does not hold.
func TestLongStagesAreExact(t *testing.T) {
	const year = 365*24*time.Hour + 12345
	r := rand.New(rand.NewPCG(8, 8))
	for name, p := range map[string]Profile{
		"rising":           Rate(0.001).To(0.003, year),
		"falling":          Rate(0.003).To(0.001, year),
		"constant":         Rate(1.0 / 3).For(year),
		"from nothing":     Rate(0).To(0.01, year),
		"to nothing":       Rate(0.01).To(0, year),
		"after a fraction": Rate(0.7).For(time.Second).To(100, 20*24*time.Hour+1),
		"halves":           Rate(1024).For(4 * 24 * time.Hour),
		"fifty years":      Rate(0.1).For(25*year).To(0.2, 25*year),
		"a week":           Rate(0.5).To(3, 7*24*time.Hour+1),
		"four days":        Rate(7).To(2, 4*24*time.Hour-1),
	} {
		t.Run(name, func(t *testing.T) {
			c := p.curve()
			for i := range int64(30) {
				k := 1 + r.Int64N(c.total)
				switch {
				case i < 5:
					k = i + 1
				case i < 10:
					k = c.total - i + 5
				}
				require.Equal(t, reference(p, k), c.at(float64(k)), "arrival %d of %d", k, c.total)
			}
		})
	}
	p := RatePer(1e9, year).For(time.Hour)
	require.Equal(t, reference(p, 1000), p.curve().at(1000), "a unit that a float does not hold")
}

func BenchmarkScheduleOfAWave(b *testing.B) {
	src := &even{curve: Sine(100, 50, 24*time.Hour, 24*time.Hour).curve()}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := src.Next(); !ok {
			src.k = 0
		}
	}
}

func BenchmarkScheduleOfAYear(b *testing.B) {
	src := &even{curve: Rate(50).To(100, 365*24*time.Hour).curve()}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := src.Next(); !ok {
			src.k = 0
		}
	}
}
