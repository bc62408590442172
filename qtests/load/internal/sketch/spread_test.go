package sketch

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSpreadIsWithinItsPrecision compares percentiles with those of all numbers.
func TestSpreadIsWithinItsPrecision(t *testing.T) {
	for name, draw := range map[string]func(*rand.Rand) float64{
		"positive": func(r *rand.Rand) float64 { return math.Exp(20*r.Float64() - 10) },
		"both":     func(r *rand.Rand) float64 { return r.NormFloat64() * 1000 },
		"few":      func(r *rand.Rand) float64 { return float64(r.IntN(5) - 2) },
		"small":    func(r *rand.Rand) float64 { return r.Float64() * 0x1p-41 },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			var s Spread
			var all []float64
			for range 5000 {
				x := draw(r)
				s.Add(x)
				all = append(all, x)
			}
			slices.Sort(all)
			for _, p := range []float64{0, 1, 25, 50, 90, 99, 99.9, 100} {
				want := all[RankOf(p, uint64(len(all)))-1]
				got := s.Percentile(p)
				require.GreaterOrEqual(t, got, want, p)
				require.LessOrEqual(t, got-want, math.Abs(want)/1000+0x1p-40, p)
				require.Contains(t, all, got, "a number that did occur")
			}
		})
	}
}

func TestBinsAreInOrder(t *testing.T) {
	numbers := []float64{-math.MaxFloat64, -0x1p61, -0x1p60, -3, -1.001, -1, -0x1p-40, -0x1p-41, -1e-300, 0, 1e-300, 0x1p-41, 0x1p-40,
		0.999, 1, 1.001, 2, 3, 1e9, 0x1p59, 0x1p60, 0x1p61, math.MaxFloat64}
	for i := 1; i < len(numbers); i++ {
		require.LessOrEqual(t, binOf(numbers[i-1]), binOf(numbers[i]), numbers[i])
	}
	require.NotEqual(t, binOf(0), binOf(math.SmallestNonzeroFloat64))
	require.NotEqual(t, binOf(1), binOf(1.001))
	require.Equal(t, binOf(1), binOf(1.0009))
	var s Spread
	require.Zero(t, s.Percentile(50))
}
