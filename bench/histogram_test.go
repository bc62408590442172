package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// histogram compares histograms that are given the same durations: ours, and hdrhistogram-go in both units.
func histogram(name string, ours func(testing.TB) func(n int) error, theirs func(unit time.Duration) func(testing.TB) func(n int) error) compare.Comparison {
	return compare.Comparison{
		Name: name,
		Contestants: []compare.Contestant{
			compare.Ours(compare.Timed(ours)),
			compare.Peer("hdrhistogram-go", compare.Timed(theirs(time.Microsecond))),
			compare.Peer("hdrhistogram-go, in ns", compare.Timed(theirs(time.Nanosecond))),
		},
		Figures: []compare.Figure{compare.TimeOf(compare.Times(1, "hdrhistogram-go"))},
		Why: "Ours keeps the largest value of every bucket beside its count, so that a percentile is a duration which did occur. " +
			"hdrhistogram-go does not, and in nanoseconds it has no division by 1,000 either, but looks through more buckets for a percentile.",
	}
}

// latencies are durations up to 100 ms, in an order without a pattern. They are made
// once, so that the loops below do nothing but look them up.
var latencies = func() (all [1 << 12]time.Duration) {
	random := rand.New(rand.NewPCG(1, 1))
	for i := range all {
		all[i] = time.Duration(random.Int64N(int64(100 * time.Millisecond)))
	}
	return all
}()

func latencyOf(i int) time.Duration { return latencies[i%len(latencies)] }

// newHDR has the digits of ours, up to its longest duration, and counts in a unit.
func newHDR(unit time.Duration) *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(result.LongestDuration/unit), 3)
}

// recordOurs and recordHDR look at what has been recorded: both have to have the
// whole of it.
func recordOurs(testing.TB) func(n int) error {
	return func(n int) error {
		var h result.Histogram
		for i := range n {
			h.Record(latencyOf(i))
		}
		return recorded(n, h.Count(), h.Max())
	}
}

func recordHDR(unit time.Duration) func(testing.TB) func(n int) error {
	return func(testing.TB) func(n int) error {
		if unit == time.Nanosecond { // a loop of its own: a division by a variable takes as long as all the rest
			return func(n int) error {
				h := newHDR(unit)
				for i := range n {
					if err := h.RecordValue(int64(latencyOf(i))); err != nil {
						return err
					}
				}
				return recorded(n, h.TotalCount(), time.Duration(h.Max()))
			}
		}
		return func(n int) error {
			h := newHDR(unit)
			for i := range n {
				if err := h.RecordValue(latencyOf(i).Microseconds()); err != nil {
					return err
				}
			}
			return recorded(n, h.TotalCount(), time.Duration(h.Max())*unit)
		}
	}
}

// recorded checks what a histogram has of the first n latencies.
func recorded(n int, count int64, longest time.Duration) error {
	want := slices.Max(latencies[:min(n, len(latencies))])
	if count != int64(n) || math.Abs(float64(longest)/float64(want)-1) > 0.001 {
		return fmt.Errorf("%d of %d latencies are recorded, of up to %v instead of %v", count, n, longest, want)
	}
	return nil
}

const million = 1_000_000

func percentileOurs(testing.TB) func(n int) error {
	var h result.Histogram
	for i := range million {
		h.Record(latencyOf(i))
	}
	return percentile(func() time.Duration { return h.Percentile(99) })
}

func percentileHDR(unit time.Duration) func(testing.TB) func(n int) error {
	return func(t testing.TB) func(n int) error {
		h := newHDR(unit)
		for i := range million {
			if err := h.RecordValue(int64(latencyOf(i) / unit)); err != nil {
				t.Fatal(err)
			}
		}
		return percentile(func() time.Duration { return time.Duration(h.ValueAtPercentile(99)) * unit })
	}
}

func percentile(p99 func() time.Duration) func(n int) error {
	sorted := slices.Sorted(slices.Values(latencies[:]))
	want := sorted[(len(sorted)*99+99)/100-1]
	return func(n int) error {
		for range n {
			if p := p99(); math.Abs(float64(p)/float64(want)-1) > 0.001 {
				return fmt.Errorf("p(99) is %v, not %v", p, want)
			}
		}
		return nil
	}
}
