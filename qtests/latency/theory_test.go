package latency

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A theory is a distribution with what the books say about it, in seconds.
type theory struct {
	latency Distribution
	cdf     func(x float64) float64
	mean    float64 // NaN where it does not exist
	stddev  float64 // NaN or infinite where it does not exist
	atoms   bool    // a distribution with steps
}

// theories returns every distribution with a few parameters each.
func theories(t testing.TB) []theory {
	const ms = time.Millisecond
	phi := func(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }
	cdf := func(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

	uniform := func(a, b float64) theory {
		return theory{Uniform(seconds(a), seconds(b)),
			func(x float64) float64 { return min(1, max(0, (x-a)/(b-a))) }, (a + b) / 2, (b - a) / math.Sqrt(12), false}
	}
	exponential := func(m float64) theory {
		return theory{Exponential(seconds(m)), func(x float64) float64 { return 1 - math.Exp(-x/m) }, m, m, false}
	}
	normal := func(m, s float64) theory {
		a := m / s
		shift := phi(a) / cdf(a)
		return theory{Normal(seconds(m), seconds(s)),
			func(x float64) float64 { return 1 - cdf(-(x-m)/s)/cdf(a) },
			m + s*shift, s * math.Sqrt(1-a*shift-shift*shift), false}
	}
	logNormal := func(m, p99 float64) theory {
		sigma := math.Log(p99/m) / 2.3263478740408408
		mean := m * math.Exp(sigma*sigma/2)
		return theory{LogNormal(seconds(m), seconds(p99)),
			func(x float64) float64 { return cdf(math.Log(x/m) / sigma) },
			mean, mean * math.Sqrt(math.Exp(sigma*sigma)-1), false}
	}
	pareto := func(m, alpha float64) theory {
		mean, stddev := math.NaN(), math.NaN()
		if alpha > 2 {
			mean = alpha * m / (alpha - 1)
			stddev = m * math.Sqrt(alpha/(alpha-2)) / (alpha - 1)
		}
		return theory{Pareto(seconds(m), alpha),
			func(x float64) float64 { return 1 - math.Pow(min(1, m/x), alpha) }, mean, stddev, false}
	}
	hit, miss := uniform(0.001, 0.002), exponential(0.1)
	mixed := func(x float64) float64 { return 0.9*hit.cdf(x) + 0.1*miss.cdf(x) }
	square := func(d theory) float64 { return d.mean*d.mean + d.stddev*d.stddev }
	mixMean := 0.9*hit.mean + 0.1*miss.mean

	h := histogramOf(t)
	for v := int64(1); v <= 1000; v++ { // exact: three digits
		require.NoError(t, h.RecordValues(v, 1+v%2))
	}
	return []theory{
		uniform(0.001, 0.003), uniform(0, 10),
		exponential(0.04), exponential(3600),
		normal(0.1, 0.01), normal(0.1, 0.1), normal(0, 1),
		logNormal(0.003, 0.02), logNormal(1, 1.5), logNormal(0.001, 10),
		pareto(0.01, 0.8), pareto(0.01, 1.5), pareto(0.01, 5),
		{Mix(Share{9, hit.latency}, Share{1, miss.latency}), mixed, mixMean,
			math.Sqrt(0.9*square(hit) + 0.1*square(miss) - mixMean*mixMean), false},
		{Observed([]time.Duration{ms, ms, 2 * ms, 5 * ms}),
			steps([]float64{0.001, 0.001, 0.002, 0.005}), 0.00225, 0.0016393596310755, true},
		observedTheory(ObservedHistogram(h, ms)),
	}
}

// observedTheory is the theory of the values 1 to 1,000 ms, odd ones twice as often.
func observedTheory(l Distribution) theory {
	var all []float64
	var sum, squares float64
	for v := 1; v <= 1000; v++ {
		for range 1 + v%2 {
			x := float64(v) / 1000
			all = append(all, x)
			sum, squares = sum+x, squares+x*x
		}
	}
	n := float64(len(all))
	return theory{l, steps(all), sum / n, math.Sqrt(squares/n - sum*sum/n/n), true}
}

// steps is the distribution function of sorted values.
func steps(sorted []float64) func(float64) float64 {
	return func(x float64) float64 {
		// Durations become seconds on their way here: half a nanosecond is none.
		i, _ := slices.BinarySearch(sorted, x+0.5e-9)
		return float64(i) / float64(len(sorted))
	}
}

func seconds(x float64) time.Duration { return time.Duration(math.Round(x * 1e9)) }

// TestLatencyTheory compares what is drawn with the distribution it is named
// after: the whole distribution function per seed by the Kolmogorov–Smirnov
// statistic (α = 1e-6), and, over all seeds together, the mean and seven quantiles
// within 4.5 standard errors. Three would raise one false alarm in 370 figures, and
// there are more than a hundred, drawn anew at every size of the test; 4.5 over ten
// seeds allow less than half the error that three would in one seed.
func TestLatencyTheory(t *testing.T) {
	const n, figures = 10_000, 4.5
	seeds := 10 * stress.Factor(t)
	for _, d := range theories(t) {
		t.Run(d.latency.String(), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, d.latency.Err())
			sum := 0.0
			below := make([]int, len(quantiles))
			limits := d.quantiles()
			for seed := range seeds {
				r := tb.NewStream(uint64(seed), d.latency.String()).Rand()
				xs := make([]float64, n)
				for i := range xs {
					xs[i] = d.latency.Sample(r).Seconds()
					sum += xs[i]
				}
				slices.Sort(xs)
				// Kolmogorov's limit distribution: P(D√n > 2.69) = 2·exp(-2·2.69²) = 1e-6.
				require.Less(t, d.distance(xs)*math.Sqrt(n), 2.69, "seed %d", seed)
				for i, limit := range limits {
					k, _ := slices.BinarySearch(xs, math.Nextafter(limit, math.Inf(1)))
					below[i] += k
				}
			}
			total := float64(n * seeds)
			if !math.IsNaN(d.mean) {
				require.InDelta(t, d.mean, sum/total, figures*d.stddev/math.Sqrt(total), "mean")
			}
			for i, q := range quantiles {
				if !d.atoms { // a quantile is where a share q lies below: a binomial count
					require.InDelta(t, q*total, below[i], figures*math.Sqrt(q*(1-q)*total), "quantile %v", q)
				}
			}
		})
	}
}

var quantiles = []float64{0.01, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999}

// quantiles inverts the distribution function by bisection.
func (d theory) quantiles() []float64 {
	out := make([]float64, len(quantiles))
	for i, q := range quantiles {
		low, high := 0.0, 1.0
		for d.cdf(high) < q {
			high *= 2
		}
		for range 200 {
			if mid := (low + high) / 2; d.cdf(mid) < q {
				low = mid
			} else {
				high = mid
			}
		}
		out[i] = high
	}
	return out
}

// distance is the greatest distance between the distribution function and that
// of the sorted samples, on both sides of every step.
func (d theory) distance(xs []float64) float64 {
	n, far := float64(len(xs)), 0.0
	for i := 0; i < len(xs); {
		j := i
		for j < len(xs) && xs[j] == xs[i] {
			j++
		}
		far = max(far, math.Abs(float64(j)/n-d.cdf(xs[i])))
		if !d.atoms {
			far = max(far, math.Abs(float64(i)/n-d.cdf(xs[i])))
		}
		i = j
	}
	return far
}

// TestLatencyPublishedFigures holds the two parameters of LogNormal against the
// definition that users read: half lie below the median, 99 % below p99.
func TestLatencyPublishedFigures(t *testing.T) {
	const n = 100_000
	l := LogNormal(3*time.Millisecond, 20*time.Millisecond)
	r := tb.NewStream(1, "published").Rand()
	var median, p99 int
	for range n {
		d := l.Sample(r)
		if d <= 3*time.Millisecond {
			median++
		}
		if d <= 20*time.Millisecond {
			p99++
		}
	}
	require.InDelta(t, 0.50*n, median, 3*math.Sqrt(0.25*n))
	require.InDelta(t, 0.99*n, p99, 3*math.Sqrt(0.0099*n))
}

// TestObservedHistogramPrecision draws from a histogram of two digits: a draw
// lies in the bucket of a recorded value, that is within 1 % of it.
func TestObservedHistogramPrecision(t *testing.T) {
	h := histogramOf(t, 1_000_000)
	l := ObservedHistogram(h, time.Nanosecond)
	r := tb.NewStream(1, "precision").Rand()
	seen := map[time.Duration]bool{}
	for range 1000 {
		d := l.Sample(r)
		require.True(t, h.ValuesAreEquivalent(int64(d), 1_000_000), d)
		seen[d] = true
	}
	require.Greater(t, len(seen), 100, "uniform over the bucket, not one value")
}
