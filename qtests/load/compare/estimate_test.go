package compare

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// The intervals against figures of the literature: Newcombe (1998) has 15 of 148 as 0.0624 to 0.1605 and 0 of 20 as 0 to
// 0.1611 by the score method; a Poisson count of 10 has 5.43 to 18.41 by that method.
func TestIntervalsOfTheLiterature(t *testing.T) {
	const z = 1.959964
	for _, tc := range []struct {
		e         estimate
		inflation float64
		low, high float64
	}{
		{estimateShare(15, 148), 1, 0.0624, 0.1605},
		{estimateShare(0, 20), 1, 0, 0.1611},
		{estimateShare(30, 296), 2, 0.0624, 0.1605}, // half of them say nothing
		{estimateRate(10, 1), 1, 5.432, 18.409},
		{estimateRate(10, 10), 1, 0.5432, 1.8409},
		{estimateRate(20, 1), 2, 10.864, 36.818},
		{estimateRate(0, 1), 1, 0, z * z},
	} {
		low, high := tc.e.interval(tc.inflation, z)
		require.InDelta(t, tc.low, low, 2e-3)
		require.InDelta(t, tc.high, high, 2e-3)
	}
	var h result.Histogram
	h.Record(time.Second)
	for _, e := range []estimate{estimateMean(&h), estimatePercentile(&h, 50)} {
		low, high := e.interval(1, z)
		require.Equal(t, []float64{math.Inf(-1), math.Inf(1)}, []float64{low, high}, "one value bounds nothing")
	}
	h.Record(3 * time.Second)
	low, high := estimateMean(&h).interval(1, z)
	require.InDelta(t, 2e9-z*1e9, low, 1e7)
	require.InDelta(t, 2e9+z*1e9, high, 1e7)
}

// Two figures are apart if the square root of the squares of both halves between them is less than what lies between.
func TestApart(t *testing.T) {
	at := func(x, half float64) estimate {
		return estimate{x, func(float64, float64) (low, high float64) { return x - half, x + half }}
	}
	for _, tc := range []struct {
		x, y estimate
		want bool
	}{
		{at(0, 3), at(5, 4), false}, {at(0, 3), at(5.01, 4), true}, {at(5.01, 4), at(0, 3), true}, {at(1, 0), at(1, 0), false},
	} {
		is, open := apart(tc.x, tc.y, 1, 2)
		require.Equal(t, tc.want, is)
		require.False(t, open)
	}
	_, open := apart(at(0, 1), at(9, math.Inf(1)), 1, 2)
	require.True(t, open)
	is, open := apart(at(0, 0), at(9, 0), math.Inf(1), 2)
	require.Equal(t, []bool{false, true}, []bool{is, open})
}

// The noise of a difference comes from both runs, weighed by how much each varies.
func TestNoiseOfBoth(t *testing.T) {
	off := make([]float64, 40)
	for i := range off {
		off[i] = float64(i%2*2 - 1)
	}
	calm, wild := series{off: off, variance: 1}, series{off: append([]float64{}, off...), variance: 3}
	a, b := calm.measure(), wild.measure()
	both := calm.plus(wild)
	require.InDelta(t, (a.inflation*1+b.inflation*3)/4, both.inflation, 1e-12)
	require.Equal(t, min(a.freedom, b.freedom), both.freedom)
	less := calm.less(wild)
	require.Equal(t, 4.0, less.variance)
	require.Equal(t, make([]float64, 40), less.off)
	for n, measured := range map[int]bool{leastBatches - 1: false, leastBatches: true} {
		s := series{off: []float64{3, -3, 3, -3, 3, -3, 3, -3, 3, -3, 3, -3}[:n], variance: 1}
		require.Equal(t, measured, s.measure() != independent, "%d intervals", n)
	}
}
