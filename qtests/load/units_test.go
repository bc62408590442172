package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

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
		p, counts := newPicker(weights), make([]int64, n)
		bound := 1 - 1/float64(2*max(n, 2)-2)
		for c := int64(1); c <= 3*sum; c++ {
			counts[p.pick()]++
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

func TestListKeepsItsOrder(t *testing.T) {
	var l list
	var want []*User
	r := rand.New(rand.NewPCG(6, 6))
	for range 20_000 {
		switch r.IntN(5) {
		case 0, 1:
			u := &User{}
			l.add(u)
			want = append(want, u)
		case 2, 3:
			u := l.pop()
			if len(want) == 0 {
				require.Nil(t, u)
				break
			}
			require.Same(t, want[0], u)
			want = want[1:]
		case 4:
			if len(want) > 0 {
				i := r.IntN(len(want))
				l.remove(want[i])
				want = slices.Delete(want, i, i+1)
			}
		}
		require.Equal(t, len(want), l.size)
	}
	n := 0
	for u := l.first; u != nil; u = u.next {
		require.Same(t, want[n], u)
		n++
	}
	require.Len(t, want, n)
}

func TestKindOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{context.DeadlineExceeded, "timeout"},
		{fmt.Errorf("get: %w", context.DeadlineExceeded), "timeout"},
		{context.Canceled, "canceled"},
		{errors.New("status 503"), "status 503"},
		{errors.New("dial 127.0.0.1:54321: refused\nmore"), "dial #:#: refused"},
	} {
		require.Equal(t, tt.want, KindOf(tt.err))
	}
}
