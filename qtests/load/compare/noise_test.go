package compare

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
)

func TestQuantilesOfTheTables(t *testing.T) {
	for _, tt := range []struct{ freedom, tail, want float64 }{
		{math.Inf(1), 0.025, 1.959964}, {math.Inf(1), 0.00135, 2.999977}, {1, 0.025, 12.7062}, {9, 0.025, 2.262157}, {9, 0.005, 3.249836}, {29, 0.0005, 3.659405},
	} {
		require.InDelta(t, tt.want, noise{1, tt.freedom}.z(tt.tail), 1e-4)
	}
}

// TestRanksAreExact holds the ranks against sums of binomial probabilities.
func TestRanksAreExact(t *testing.T) {
	for _, n := range []int64{1, 2, 5, 20, 100, 1000} {
		for _, q := range []float64{0.5, 0.95, 0.99} {
			for _, tail := range []float64{0.025, 0.0005} {
				below, above, sum := int64(0), int64(0), 0.0
				for k := range n {
					lg := func(x int64) float64 { y, _ := math.Lgamma(float64(x) + 1); return y }
					sum += math.Exp(lg(n) - lg(k) - lg(n-k) + float64(k)*math.Log(q) + float64(n-k)*math.Log(1-q))
					if sum <= tail {
						below = k + 1
					}
					if 1-sum > tail {
						above = k + 1
					}
				}
				above++ // the lowest rank that k or more values below reach with at most tail
				b, a := ranks(n, q, tail)
				require.Equal(t, [2]int64{below, above}, [2]int64{b, a}, "n %d, q %v, tail %v", n, q, tail)
			}
		}
	}
	for _, tt := range []struct {
		p    float64
		n    int64
		tail float64
	}{{0.5, 11, 0.0005}, {0.95, 149, 0.0005}, {0.99, 757, 0.0005}} {
		_, above := ranks(tt.n, tt.p, tt.tail)
		require.Equal(t, tt.n, above, "so many bound the percentile")
		_, above = ranks(tt.n-1, tt.p, tt.tail)
		require.Equal(t, tt.n, above, "one fewer does not: there is no such rank")
	}
	var h result.Histogram
	for i := range 1000 {
		h.Record(time.Duration(i+1) * time.Microsecond)
	}
	b, a := ranks(1000, 0.95, normalTail(3))
	low, high := estimatePercentile(&h, 95).interval(1, 3)
	require.Equal(t, [2]float64{float64(b) * 1000, float64(a) * 1000}, [2]float64{low, high}, "the values of these ranks")
	b, a = ranks(250, 0.95, normalTail(3))
	low, high = estimatePercentile(&h, 95).interval(4, 3)
	require.Equal(t, [2]float64{float64(4*b-3) * 1000, float64(4*a) * 1000}, [2]float64{low, high}, "every fourth tells something")
	b, a = ranks(10_000_000, 0.5, 0.025)
	require.InDelta(t, 1.96*math.Sqrt(1e7)/2, float64(a-b)/2, 5)
}

// TestInflationIsMeasured: what comes in blocks of k equal values has k times
// the variance.
func TestInflationIsMeasured(t *testing.T) {
	for _, k := range []int{1, 4, 10} {
		var ratios, settled float64
		const runs = 50
		for seed := range uint64(runs) {
			r := rand.New(rand.NewPCG(seed, 1))
			s := series{off: make([]float64, 600), variance: 600}
			for i := range s.off {
				if s.off[i] = r.NormFloat64(); i%k > 0 {
					s.off[i] = s.off[i-1]
				}
			}
			n := s.measure()
			if !math.IsInf(n.inflation, 1) {
				ratios += n.inflation / float64(k)
				settled++
			}
		}
		require.Greater(t, settled, 0.8*runs)
		require.InDelta(t, 1, ratios/settled, 0.25, "blocks of %d", k)
	}
	// A process with a correlation of 0.9 between neighbours: (1+0.9)/(1-0.9) in the end.
	var ratios, settled float64
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		s, x := series{off: make([]float64, 600), variance: 600}, r.NormFloat64()
		for i := range s.off {
			s.off[i] = x
			x = 0.9*x + math.Sqrt(1-0.81)*r.NormFloat64()
		}
		if n := s.measure(); !math.IsInf(n.inflation, 1) {
			ratios += n.inflation / 19
			settled++
		}
	}
	require.Greater(t, settled, 160.0)
	require.InDelta(t, 1, ratios/settled, 0.25, "short runs tell a little less than all of it")
	trend := series{off: make([]float64, 600), variance: 1}
	for i := range trend.off {
		trend.off[i] = float64(i)
	}
	require.True(t, math.IsInf(trend.measure().inflation, 1), "it never settles")
	require.Equal(t, independent, series{off: trend.off[:leastBatches-1], variance: 1}.measure())
	require.Equal(t, independent, trend.less(trend).measure())
	require.Equal(t, noise{1 + 9*10, 29}, noise{10, 29}.ofPart(0.1))
	require.Equal(t, noise{1.1, 599}, noise{1.1, 599}.ofPart(0.1), "that little is chance")
}

// TestIntervalsCover: of 99 % intervals about one in a hundred misses the truth.
func TestIntervalsCover(t *testing.T) {
	z, missed := independent.z(0.005), map[string]int{}
	const runs = 400
	for seed := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, 2))
		var h result.Histogram
		var failed int64
		for range 200 {
			h.Record(time.Duration(1e6 * r.ExpFloat64()))
			if r.IntN(10) == 0 {
				failed++
			}
		}
		check := func(what string, e estimate, truth float64) {
			if low, high := e.interval(1, z); truth < low || truth > high {
				missed[what]++
			}
		}
		check("p50", estimatePercentile(&h, 50), 1e6*math.Ln2)
		check("p95", estimatePercentile(&h, 95), 1e6*math.Log(20))
		check("mean", estimateMean(&h), 1e6)
		check("share", estimateShare(failed, 200), 0.1)
		check("rate", estimateRate(failed, 1), 20)
	}
	for what, n := range missed {
		require.LessOrEqual(t, n, 4+6+4, what)
	}
	require.NotEmpty(t, missed, "intervals of any width cover")
}
