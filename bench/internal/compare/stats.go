package compare

import (
	"math"
	"slices"
)

// A Summary is the middle of some readings and their spread: a half of them lie
// between the quartiles.
type Summary struct {
	Median, Low, High float64
	N                 int
}

// Summarize returns the median and the quartiles. Between two readings they are
// interpolated. Without readings all is NaN.
func Summarize(xs []float64) Summary {
	if len(xs) == 0 {
		return Summary{math.NaN(), math.NaN(), math.NaN(), 0}
	}
	sorted := slices.Sorted(slices.Values(xs))
	return Summary{quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75), len(xs)}
}

func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(at)
	if below+1 >= len(sorted) {
		return sorted[below]
	}
	return sorted[below] + (at-float64(below))*(sorted[below+1]-sorted[below])
}

// ratios divides pair by pair. Nothing is compared with nothing: a pair of zeros
// is as good as equal.
func ratios(ours, theirs []float64) []float64 {
	return pairs(ours, theirs, func(a, b float64) float64 {
		if a == b {
			return 1
		}
		return a / b
	})
}

func differences(ours, theirs []float64) []float64 {
	return pairs(ours, theirs, func(a, b float64) float64 { return a - b })
}

func pairs(ours, theirs []float64, f func(a, b float64) float64) []float64 {
	out := make([]float64, min(len(ours), len(theirs)))
	for i := range out {
		out[i] = f(ours[i], theirs[i])
	}
	return out
}
