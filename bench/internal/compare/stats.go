package compare

import (
	"math"
	"slices"
)

// A Summary is the middle of some readings and their spread: a half of them lie
// between the quartiles. N is how many there were.
type Summary struct {
	Median, Low, High float64
	N                 int
}

// Summarize returns the median and the quartiles. Between two readings they are
// interpolated. What is NaN is no reading; without readings all is NaN.
func Summarize(xs []float64) Summary {
	sorted := make([]float64, 0, len(xs))
	for _, x := range xs {
		if !math.IsNaN(x) {
			sorted = append(sorted, x)
		}
	}
	if len(sorted) == 0 {
		return Summary{math.NaN(), math.NaN(), math.NaN(), 0}
	}
	slices.Sort(sorted)
	return Summary{quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75), len(sorted)}
}

func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(at)
	if below+1 >= len(sorted) || sorted[below] == sorted[below+1] {
		return sorted[below]
	}
	return sorted[below] + (at-float64(below))*(sorted[below+1]-sorted[below])
}

// ratios divides round by round. Nothing is compared with nothing: a pair of zeros
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

// pairs are of readings of the same rounds. Where one of them is missing, which is
// NaN, the pair is.
func pairs(ours, theirs []float64, f func(a, b float64) float64) []float64 {
	out := make([]float64, len(ours))
	for i := range out {
		out[i] = f(ours[i], theirs[i])
	}
	return out
}
