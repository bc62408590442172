package ring

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLast(t *testing.T) {
	l := New[int](3)
	require.Empty(t, l.All())
	for i, want := range [][]int{{0}, {0, 1}, {0, 1, 2}, {1, 2, 3}, {2, 3, 4}, {3, 4, 5}, {4, 5, 6}} {
		l.Add(i)
		require.Equal(t, want, l.All())
	}
}
