package compare

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShareOfProcessors(t *testing.T) {
	share, ok := shareOfProcessors(1)
	if !ok {
		t.Skip("this system does not say what a process has used")
	}
	require.Positive(t, share)
	require.LessOrEqual(t, share, 1.0)
}

func TestBusyness(t *testing.T) {
	for _, c := range []struct {
		shares []float64
		want   string
	}{
		{nil, "unknown: the system does not say what a process has used"},
		{[]float64{1, 0.99, 0.97}, "quiet: loops on all processors got 99 % of them, at the worst moment 97 %"},
		{[]float64{1, 0.99, 0.5}, "quiet for the most part: loops on all processors got 99 % of them, at the worst moment 50 %"},
		{[]float64{0.9, 0.6, 0.31}, "**busy with other work**: loops on all processors got 60 % of them, at the worst moment 31 %; trust ratios, no absolute time"},
	} {
		require.Equal(t, c.want, busyness(c.shares))
	}
}
