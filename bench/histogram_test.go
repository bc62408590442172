package bench

import (
	"fmt"
	"testing"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests/load"
)

func histogram(name string, ours, theirs func(testing.TB) func(n int) error) compare.Comparison {
	return compare.Comparison{
		Name:        name,
		Contestants: []compare.Contestant{compare.Ours(compare.Timed(ours)), compare.Peer("hdrhistogram-go", compare.Timed(theirs))},
		Figures:     []compare.Figure{compare.TimeOf()},
		Why: "Ours keeps the largest value of every bucket beside its count, so that a percentile is a duration which did occur, and " +
			"grows with the largest of them instead of having all of its range from the start.",
	}
}

// latencyOf is the i-th of some durations up to 100 ms.
func latencyOf(i int) time.Duration { return time.Duration(i%100_000) * time.Microsecond }

func newHDR() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, load.LongestDuration.Microseconds(), 3)
}

func recordOurs(testing.TB) func(n int) error {
	var h load.Histogram
	return func(n int) error {
		for i := range n {
			h.Record(latencyOf(i))
		}
		return nil
	}
}

func recordHDR(testing.TB) func(n int) error {
	h := newHDR()
	return func(n int) error {
		for i := range n {
			if err := h.RecordValue(latencyOf(i).Microseconds()); err != nil {
				return err
			}
		}
		return nil
	}
}

const million = 1_000_000

func percentileOurs(testing.TB) func(n int) error {
	var h load.Histogram
	for i := range million {
		h.Record(latencyOf(i))
	}
	return func(n int) error {
		for range n {
			if p := h.Percentile(99); p < 98*time.Millisecond || p > 100*time.Millisecond {
				return fmt.Errorf("p(99) is %v", p)
			}
		}
		return nil
	}
}

func percentileHDR(t testing.TB) func(n int) error {
	h := newHDR()
	for i := range million {
		if err := h.RecordValue(latencyOf(i).Microseconds()); err != nil {
			t.Fatal(err)
		}
	}
	return func(n int) error {
		for range n {
			if p := h.ValueAtPercentile(99); p < 98_000 || p > 100_000 {
				return fmt.Errorf("p(99) is %d µs", p)
			}
		}
		return nil
	}
}
