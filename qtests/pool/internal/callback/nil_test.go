package callback

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNilResourcesOfAllKinds(t *testing.T) {
	require.True(t, IsNil(nil))
	require.True(t, IsNil((*int)(nil)))
	require.True(t, IsNil([]int(nil)))
	require.True(t, IsNil((func())(nil)))
	require.True(t, IsNil((chan int)(nil)))
	require.True(t, IsNil(map[int]int(nil)))
	require.False(t, IsNil(0))
	require.False(t, IsNil(struct{}{}))
	require.False(t, IsNil([]int{}))
}
