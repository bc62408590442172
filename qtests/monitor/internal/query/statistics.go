package query

import (
	"math"
	"slices"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A mean is a compensated sum (Kahan's, with Neumaier's improvement) that turns
// into an incremental mean where the sum would overflow: the way in which
// Prometheus sums and averages, so that results have the same bits.
type mean struct {
	count       float64
	sum, c      float64
	mean        float64
	incremental bool
}

func meanOf(values []float64) (m mean) {
	for _, v := range values {
		m.add(v)
	}
	return m
}

func (m *mean) add(v float64) {
	m.count++
	if m.count == 1 {
		m.sum, m.mean = v, v
		return
	}
	sum, c := kahan(v, m.sum, m.c)
	if !m.incremental {
		if !math.IsInf(sum, 0) {
			m.sum, m.c = sum, c
			return
		}
		m.incremental = true
		m.mean = m.sum / (m.count - 1)
		m.sum = sum
		m.c /= m.count - 1
	} else {
		m.sum, _ = kahan(v, m.sum, 0)
	}
	q := (m.count - 1) / m.count
	m.mean, m.c = kahan(v/m.count, q*m.mean, q*m.c)
}

func (m *mean) total() float64 {
	if m.incremental {
		return m.sum
	}
	return m.sum + m.c
}

func (m *mean) result() float64 {
	if m.incremental {
		return m.mean + m.c
	}
	return m.sum/m.count + m.c/m.count
}

func kahan(v, sum, c float64) (newSum, newC float64) {
	v, sum, c = float64(v), float64(sum), float64(c) // so that nothing is fused with what the caller calculated
	t := sum + v
	switch {
	case math.IsInf(t, 0):
		c = 0
	case math.Abs(sum) >= math.Abs(v):
		c += (sum - t) + v
	default:
		c += (v - t) + sum
	}
	return t, c
}

// quantile interpolates between the two nearest ranks; NaN sorts first.
func quantile(q float64, values []float64) float64 {
	switch {
	case len(values) == 0 || math.IsNaN(q):
		return math.NaN()
	case q < 0:
		return math.Inf(-1)
	case q > 1:
		return math.Inf(1)
	}
	slices.Sort(values) // orders NaN before everything else
	n := float64(len(values))
	rank := q * (n - 1)
	low := math.Max(0, math.Floor(rank))
	high := math.Min(n-1, low+1)
	weight := rank - math.Floor(rank)
	if weight == 0 {
		return values[int(low)]
	}
	return values[int(low)]*(1-weight) + values[int(high)]*weight
}

// variance of the values of a window, as Prometheus calculates it.
func variance(values []float64) float64 {
	var n, mean, cMean, sum, cSum float64
	for _, v := range values {
		n++
		delta := v - (mean + cMean)
		mean, cMean = kahan(delta/n, mean, cMean)
		sum, cSum = kahan(delta*(v-(mean+cMean)), sum, cSum)
	}
	return (sum + cSum) / n
}

// regression is the line of least squares through the samples, with x in seconds from the
// origin, calculated as Prometheus does: a constant has slope 0, and an infinite one none.
//
// Source: linearRegression in Prometheus' promql/functions.go.
func regression(samples []history.Sample, origin int64) (slope, intercept float64) {
	var n, x, cx, y, cy, xy, cxy, xx, cxx float64
	constant := true
	for _, s := range samples {
		constant = constant && s.Value == samples[0].Value
		n++
		at := float64(s.At/1e6-origin/1e6) / 1e3
		x, cx = kahan(at, x, cx)
		y, cy = kahan(s.Value, y, cy)
		xy, cxy = kahan(at*s.Value, xy, cxy)
		xx, cxx = kahan(at*at, xx, cxx)
	}
	if first := samples[0].Value; constant && math.IsInf(first, 0) {
		return math.NaN(), math.NaN()
	} else if constant {
		return 0, first
	}
	x, y, xy, xx = x+cx, y+cy, xy+cxy, xx+cxx
	slope = (xy - x*y/n) / (xx - x*x/n)
	return slope, y/n - slope*x/n
}
