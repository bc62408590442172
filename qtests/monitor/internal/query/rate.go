package query

import "math"

// seconds converts nanoseconds.
func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// extrapolated is rate, increase and delta: the difference between the first and
// the last sample of the window, scaled from the time between them to the whole
// window, or, where the samples stop further from its edge than 1.1 times their
// mean distance, to half that distance beyond them. A counter is corrected for
// resets and never extrapolated below zero. At least two samples are needed.
//
// Source: extrapolatedRate in Prometheus' promql/functions.go; no start
// timestamps are scraped, so its branch for them does not apply.
func extrapolated(w window, isCounter, perSecond bool) (float64, bool) {
	c := w.counter()
	if c.Count < 2 {
		return 0, false
	}
	result := c.Last.Value - c.First.Value
	if isCounter {
		result = c.Increase
	}
	toStart, toEnd := seconds(c.First.At-w.start), seconds(w.end-c.Last.At)
	sampled := seconds(c.Last.At - c.First.At)
	distance := sampled / float64(c.Count-1)
	threshold := distance * 1.1
	if toStart >= threshold {
		toStart = distance / 2
	}
	if isCounter && result > 0 && c.First.Value >= 0 {
		toStart = min(toStart, sampled*(c.First.Value/result))
	}
	if toEnd >= threshold {
		toEnd = distance / 2
	}
	factor := (sampled + toStart + toEnd) / sampled
	if perSecond {
		factor /= seconds(w.end - w.start)
	}
	return result * factor, true
}

// lastTwo is irate and idelta.
func lastTwo(w window, isRate bool) (float64, bool) {
	s := w.all()
	if len(s) < 2 {
		return 0, false
	}
	a, b := s[len(s)-2], s[len(s)-1]
	if !isRate {
		return b.Value - a.Value, true
	}
	diff := b.Value - a.Value
	if b.Value < a.Value {
		diff = b.Value // a reset: counted from zero
	}
	return diff / seconds(b.At-a.At), true
}

// changes counts the values that differ from the one before; NaN after NaN does not.
func changes(v []float64) float64 {
	n := 0.0
	for i := 1; i < len(v); i++ {
		if a, b := v[i-1], v[i]; a != b && !(math.IsNaN(a) && math.IsNaN(b)) {
			n++
		}
	}
	return n
}

// resets counts the values below the one before.
func resets(v []float64) float64 {
	n := 0.0
	for i := 1; i < len(v); i++ {
		if v[i] < v[i-1] {
			n++
		}
	}
	return n
}

// lowest is NaN only where all values are.
func lowest(v []float64) float64 {
	out := v[0]
	for _, x := range v {
		if x < out || math.IsNaN(out) {
			out = x
		}
	}
	return out
}

// highest is NaN only where all values are.
func highest(v []float64) float64 {
	out := v[0]
	for _, x := range v {
		if x > out || math.IsNaN(out) {
			out = x
		}
	}
	return out
}
