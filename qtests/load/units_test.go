package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

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
