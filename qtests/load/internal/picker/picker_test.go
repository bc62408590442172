package picker

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Of equal steps the first one wins, and what is skipped is as if it had been picked.
func TestOrderOfPicks(t *testing.T) {
	for _, x := range []struct {
		weights []int64
		order   []int
	}{
		{[]int64{7}, []int{0, 0, 0}},
		{[]int64{1, 1}, []int{0, 1, 0, 1}},
		{[]int64{1, 1, 1}, []int{0, 1, 2, 0, 1, 2}},
		{[]int64{1, 0, 1}, []int{0, 2, 0, 2}},
		{[]int64{3, 1}, []int{0, 0, 1, 0, 0, 0, 1, 0}},
	} {
		for skipped := range len(x.order) {
			p := New(x.weights)
			p.Skip(int64(skipped))
			require.Equal(t, x.order[skipped], p.Pick(), "%v, %d skipped", x.weights, skipped)
		}
	}
}

// TestPickerKeepsSharesWithinOne checks Tijdeman's bound after every pick, and
// that a whole round is exact.
func TestPickerKeepsSharesWithinOne(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		n := 1 + r.IntN(12)
		weights := make([]int64, n)
		var sum int64
		for i := range weights {
			weights[i] = 1 + r.Int64N(1+r.Int64N(50))
			sum += weights[i]
		}
		p, counts := New(weights), make([]int64, n)
		bound := 1 - 1/float64(2*max(n, 2)-2)
		for c := int64(1); c <= 3*sum; c++ {
			counts[p.Pick()]++
			for i, x := range counts {
				off := float64(c*weights[i])/float64(sum) - float64(x)
				require.LessOrEqual(t, math.Abs(off), bound+1e-9, "weights %v, after %d", weights, c)
			}
			if c%sum == 0 {
				for i, x := range counts {
					require.Equal(t, c/sum*weights[i], x)
				}
			}
		}
	}
}
