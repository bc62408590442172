package latency

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Observed draws from measured values, each with the same probability, as a
// bootstrap does. It copies samples, of which there must be at least one and
// none negative.
func Observed(samples []time.Duration) Distribution {
	if len(samples) == 0 {
		return bad("Observed: no samples")
	}
	for i, d := range samples {
		if d < 0 {
			return bad("Observed: sample %d: %v is negative", i, d)
		}
	}
	samples = slices.Clone(samples)
	return Distribution{fmt.Sprintf("Observed(%d samples)", len(samples)), func(r *rand.Rand) time.Duration {
		return samples[r.IntN(len(samples))]
	}, nil}
}

// ObservedHistogram draws from the values recorded in h, each of which counts
// units: time.Microsecond for a histogram of microseconds. A draw is uniform over
// the histogram's bucket, so that it is as precise as the histogram is, and does
// not return a few hundred values again and again. h is read once, and must not be
// written meanwhile.
//
// A histogram written by another process is read with hdrhistogram.Decode.
func ObservedHistogram(h *hdrhistogram.Histogram, unit time.Duration) Distribution {
	switch {
	case h == nil:
		return bad("ObservedHistogram: the histogram is nil")
	case unit <= 0:
		return bad("ObservedHistogram: unit %v is not positive", unit)
	case h.TotalCount() <= 0:
		return bad("ObservedHistogram: no samples")
	}
	var sum float64
	var bars []weighted[hdrhistogram.Bar]
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			sum += float64(bar.Count)
			bars = append(bars, weighted[hdrhistogram.Bar]{sum, bar})
		}
	}
	name := fmt.Sprintf("ObservedHistogram(%d samples, %v)", h.TotalCount(), unit)
	return Distribution{name, func(r *rand.Rand) time.Duration {
		bar := pick(bars, r.Float64()*sum)
		units := bar.From + int64(r.Uint64N(uint64(bar.To-bar.From)+1))
		if units > math.MaxInt64/int64(unit) {
			return math.MaxInt64
		}
		return time.Duration(units) * unit
	}, nil}
}

// weighted is a value with the sum of its weight and of those before it.
type weighted[V any] struct {
	upTo  float64
	value V
}

// pick returns the first value whose weights reach beyond x, which is at least
// zero and below the sum of all weights.
func pick[V any](values []weighted[V], x float64) V {
	i, found := slices.BinarySearchFunc(values, x, func(w weighted[V], x float64) int {
		return cmp.Compare(w.upTo, x)
	})
	if found {
		i++ // [0, upTo) is half-open
	}
	// The product of a draw and the smallest sums there are rounds up to the sum.
	return values[min(i, len(values)-1)].value
}
