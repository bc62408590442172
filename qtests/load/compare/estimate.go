package compare

import (
	"math"
	"sort"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// An estimate is a figure of one result and its confidence interval, for an inflation of the variance and a
// number of standard errors. The interval is infinite on a side for which there are too few requests.
type estimate struct {
	value    float64
	interval func(inflation, z float64) (low, high float64)
}

// apart reports whether two figures differ by more than the noise: zero lies
// outside the interval of their difference, which is made of the intervals of both
// (Zou and Donner, Construction of confidence limits about effect measures, 2008;
// for shares it is Newcombe's of 1998). open says that no difference could be large enough, because an
// interval has no end there.
func apart(x, y estimate, inflation, z float64) (is, open bool) {
	if math.IsInf(inflation, 1) {
		return false, true
	}
	if y.value < x.value {
		x, y = y, x
	}
	_, highX := x.interval(inflation, z)
	lowY, _ := y.interval(inflation, z)
	reach := math.Hypot(highX-x.value, y.value-lowY)
	return y.value-x.value > reach, math.IsInf(reach, 1)
}

// estimatePercentile is a percentile with the interval of order statistics: the values whose ranks a binomial
// variable leaves with the given probability (David and Nagaraja, Order Statistics, 7.1). The ranks are exact:
// with a few requests no rank is high enough to bound a high percentile.
func estimatePercentile(h *result.Histogram, p float64) estimate {
	return estimate{float64(h.Percentile(p)), func(inflation, z float64) (low, high float64) {
		n := int64(math.Floor(float64(h.Count()) / inflation))
		below, above := ranks(n, p/100, normalTail(z))
		low, high = math.Inf(-1), math.Inf(1)
		scale := float64(h.Count()) / float64(max(n, 1))
		if below >= 1 {
			low = float64(h.AtRank(int64(float64(below-1)*scale) + 1))
		}
		if above <= n {
			high = float64(h.AtRank(int64(math.Ceil(float64(above) * scale))))
		}
		return low, high
	}}
}

// ranks returns the highest rank whose value exceeds the quantile with a probability of at most tail, and the
// lowest rank whose value is below it with that probability. They are from 0 to n+1. 0 and n+1 mean that there
// is no such rank.
func ranks(n int64, q, tail float64) (below, above int64) {
	// P(the value of rank k exceeds the quantile) = P(at most k-1 are below it).
	below = int64(sort.Search(int(n), func(i int) bool { return binomial(int64(i), n, q) > tail }))
	above = int64(sort.Search(int(n), func(i int) bool { return 1-binomial(int64(i), n, q) <= tail })) + 1
	return below, above
}

// estimateMean is the average, with the spread of the histogram.
func estimateMean(h *result.Histogram) estimate {
	return estimate{float64(h.Mean()), func(inflation, z float64) (low, high float64) {
		if h.Count() < 2 {
			return math.Inf(-1), math.Inf(1)
		}
		_, variance := h.Moments()
		half := z * math.Sqrt(inflation*variance/float64(h.Count()))
		return float64(h.Mean()) - half, float64(h.Mean()) + half
	}}
}

// estimateShare is a share with its score interval (Wilson, 1927). The inflation reduces the number of requests
// to those that carry information.
func estimateShare(x, of int64) estimate {
	p := float64(x) / float64(max(of, 1))
	return estimate{p, func(inflation, z float64) (low, high float64) {
		n := float64(of) / inflation
		middle := (p + z*z/(2*n)) / (1 + z*z/n)
		half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
		return middle - half, middle + half
	}}
}

// estimateRate is a rate per second with the score interval of a Poisson count.
func estimateRate(count int64, seconds float64) estimate {
	return estimate{float64(count) / seconds, func(inflation, z float64) (low, high float64) {
		n := float64(count) / inflation
		half := z * math.Sqrt(n+z*z/4)
		scale := inflation / seconds
		return max(n+z*z/2-half, 0) * scale, (n + z*z/2 + half) * scale
	}}
}
