package compare

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSummarize(t *testing.T) {
	for _, c := range []struct {
		name string
		xs   []float64
		want Summary
	}{
		{"one", []float64{7}, Summary{7, 7, 7, 1}},
		{"two", []float64{4, 2}, Summary{3, 2.5, 3.5, 2}},
		{"odd", []float64{5, 1, 3, 2, 4}, Summary{3, 2, 4, 5}},
		{"even", []float64{4, 3, 2, 1}, Summary{2.5, 1.75, 3.25, 4}},
		{"an outlier", []float64{1, 1, 1, 1, 1000}, Summary{1, 1, 1, 5}},
		{"no limit", []float64{math.Inf(1), math.Inf(1)}, Summary{math.Inf(1), math.Inf(1), math.Inf(1), 2}},
		{"with a gap", []float64{1, math.NaN(), 3}, Summary{2, 1.5, 2.5, 2}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, Summarize(c.xs)) })
	}
	for _, xs := range [][]float64{nil, {math.NaN()}} {
		none := Summarize(xs)
		require.True(t, math.IsNaN(none.Median) && math.IsNaN(none.Low) && math.IsNaN(none.High))
		require.Zero(t, none.N)
	}
	xs := []float64{3, 1, 2}
	Summarize(xs)
	require.Equal(t, []float64{3, 1, 2}, xs, "the rounds keep their order")
}

func TestPairs(t *testing.T) {
	// The second round was twice as slow for both, which leaves the ratios alone.
	ours, theirs := []float64{1, 2, 1}, []float64{2, 4, 2}
	require.Equal(t, []float64{0.5, 0.5, 0.5}, ratios(ours, theirs))
	require.Equal(t, []float64{-1, -2, -1}, differences(ours, theirs))
	require.Equal(t, []float64{1}, ratios([]float64{0}, []float64{0}), "none and none are equal")
	require.Equal(t, []float64{math.Inf(1)}, ratios([]float64{1}, []float64{0}))
	require.Empty(t, ratios(nil, nil))
}
