package compare

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// fixed is an estimate with one interval.
func fixed(value, low, high float64) estimate {
	return estimate{value, func(float64, float64) (float64, float64) { return low, high }}
}

func TestApartOfEqualFigures(t *testing.T) {
	is, open := apart(fixed(5, 4, math.Inf(1)), fixed(5, 4, 6), 1, 1)
	require.Equal(t, [2]bool{false, true}, [2]bool{is, open})
}

// Eleven values bound the median by the smallest and the largest.
func TestPercentileBoundedByItsEnds(t *testing.T) {
	var h result.Histogram
	for i := range 11 {
		h.Record(time.Duration(i+1) * time.Microsecond)
	}
	low, high := estimatePercentile(&h, 50).interval(1, independent.z(0.0005))
	require.Equal(t, [2]float64{1000, 11_000}, [2]float64{low, high})
	below, above := ranks(1, 0.5, 0.5)
	require.Equal(t, [2]int64{1, 1}, [2]int64{below, above}, "with a probability of just as much")
}

// TestIncompleteBeta holds it against sums of binomial probabilities, which are exact.
func TestIncompleteBeta(t *testing.T) {
	for _, n := range []int{1, 2, 7, 20} {
		for k := range n {
			for _, x := range []float64{0, 0.1, 0.5, 0.9, 1} {
				want := 0.0
				for j := k + 1; j <= n; j++ {
					way := 1.0
					for i := range j {
						way *= float64(n-i) / float64(i+1)
					}
					want += way * math.Pow(x, float64(j)) * math.Pow(1-x, float64(n-j))
				}
				require.InDelta(t, want, incompleteBeta(float64(k+1), float64(n-k), x), 1e-12, "%d of %d, %v", k, n, x)
			}
		}
	}
}

// batchesOf are twelve batches with a correlation between neighbours.
func batchesOf(correlation float64) []float64 {
	make := func(jumps float64) []float64 {
		xs := []float64{}
		for i := range leastBatches {
			xs = append(xs, math.Sin(2*math.Pi*float64(i)/leastBatches)+jumps*float64(i%2*2-1))
		}
		return centred(xs)
	}
	low, high := 0.0, 10.0
	for range 100 {
		middle := (low + high) / 2
		if _, c := neighbours(make(middle)); c > correlation {
			low = middle
		} else {
			high = middle
		}
	}
	return make(high)
}

// Batches are correlated from 1.28 standard errors of von Neumann's ratio on, and one by one they are not corrected for less.
func TestCorrelatedBatches(t *testing.T) {
	threshold := 1.28 * math.Sqrt((leastBatches-2.0)/(leastBatches*leastBatches-1))
	calm := batchesOf(threshold - 1e-6)
	squares, _ := neighbours(calm)
	n := series{off: calm, variance: squares / 100}.measure()
	require.InDelta(t, 100*12.0/11, n.inflation, 1e-9)
	require.Equal(t, 11.0, n.freedom)
	require.Equal(t, 1.0, series{off: calm, variance: 100 * squares}.measure().inflation, "it is at least 1")
	require.Equal(t, noise{math.Inf(1), 11}, series{off: batchesOf(threshold + 1e-6), variance: 1}.measure())
	require.Equal(t, independent, series{off: calm}.measure(), "without a variance there is nothing to compare with")
}

func TestPlusWeighsByVariance(t *testing.T) {
	calm := batchesOf(0)
	squares, _ := neighbours(calm)
	s, u := series{off: calm, variance: squares / 11}, series{off: calm, variance: squares / 33}
	x, y := s.measure().inflation, u.measure().inflation
	require.InDelta(t, (3*x+y)/4, s.plus(u).inflation, 1e-9)
	require.Equal(t, independent, series{}.plus(series{}))
	require.Equal(t, noise{2.5, 8}, noise{2.5, 8}.ofPart(0.5), "just as much is chance")
	require.Equal(t, noise{1 + 2*1.51, 8}, noise{2.51, 8}.ofPart(0.5))
}

// A difference that never settles has four times the noise of the reference, where that is known from enough batches.
func TestNoiseOfTheReference(t *testing.T) {
	before, after := &result.Result{}, &result.Result{}
	for n, known := range map[int]bool{2*leastBatches - 1: false, 2 * leastBatches: true} {
		c := &comparer{before: before, after: after, paired: true, worst: independent}
		calm, trend := series{variance: 1}, series{variance: 1}
		for i := range n {
			calm.off = append(calm.off, float64(i%2*2-1))
			trend.off = append(trend.off, float64(i*i))
		}
		got := c.noise(func(r *result.Result) series {
			if r == before {
				return calm
			}
			return trend
		})
		require.Equal(t, !known, c.restless)
		want := math.Inf(1)
		if known {
			want = 4 * calm.measure().inflation
		}
		require.Equal(t, want, got.inflation, "%d intervals", n)
	}
}

func TestWorstNoise(t *testing.T) {
	c := &comparer{before: &result.Result{}, after: &result.Result{}, worst: independent}
	add := func(batches int, variance float64) noise {
		s := series{variance: variance}
		for i := range batches {
			s.off = append(s.off, float64(i%2*2-1))
		}
		return c.noise(func(*result.Result) series { return s })
	}
	calm := add(16, 4)
	require.Equal(t, calm, c.worst)
	worse := add(16, 2)
	require.Equal(t, worse, c.worst)
	add(16, 8)
	require.Equal(t, worse, c.worst)
	c.worst = noise{worse.inflation, 99}
	add(16, 2)
	require.Equal(t, 99.0, c.worst.freedom, "one as bad is no worse")
}

// The noise of a figure is of its own counts.
func TestNoiseOfGoodputAndRetries(t *testing.T) {
	r := &result.Result{Interval: time.Second, Duration: time.Hour, Elapsed: time.Hour, Attempts: 1, Scheduled: 1, Finished: 1}
	for i := range 48 {
		failed := int64(i / 4 % 2 * 50)
		r.Timeline = append(r.Timeline, result.Point{Offset: time.Duration(i) * time.Second, Finished: 10 + failed, Errors: failed, Started: 100 - failed, Retries: failed})
	}
	c := &comparer{before: r, after: r}
	c.run()
	noises := map[string]noise{}
	for _, f := range c.figures {
		noises[f.metric] = f.noise
	}
	require.Equal(t, independent, noises["goodput"], "it was 10 all the time")
	want := shares(r, func(p *result.Point) (x, of int64) { return p.Retries, 100 })
	require.Equal(t, want.plus(want), noises["retries"])
	require.Greater(t, noises["retries"].inflation, 2.0)
	require.Greater(t, noises["rate"].inflation, 2.0)
}

// The noise of a part grows as its share of the requests falls.
func TestNoiseOfAPart(t *testing.T) {
	run := &result.Result{Finished: 1000, Duration: time.Second, Elapsed: time.Second}
	c := &comparer{before: run, after: run, worst: noise{10, 29}}
	c.part("step", result.StepResult{Name: "a", Finished: 100}, result.StepResult{Name: "a", Finished: 300})
	require.NotEmpty(t, c.figures)
	for _, f := range c.figures {
		require.Equal(t, 46.0, f.noise.inflation, f.metric)
	}
}

// There is no rate without time, and the intervals of the drain are none of a rate.
func TestRatesNeedTime(t *testing.T) {
	some, none := &result.Result{Duration: time.Second, Elapsed: time.Second}, &result.Result{}
	for _, c := range []comparer{{before: some, after: none}, {before: none, after: some}} {
		c.rates("rate", 1, 1, independent)
		require.Empty(t, c.figures)
	}
	r := &result.Result{Interval: time.Second, Duration: 3 * time.Second, Elapsed: 5 * time.Second}
	for i := range 5 {
		r.Timeline = append(r.Timeline, result.Point{Offset: time.Duration(i) * time.Second, Finished: int64(i + 1)})
	}
	require.Equal(t, series{off: []float64{1, 2, 3}, variance: 6}, counts(r, func(p *result.Point) int64 { return p.Finished }))
}
