package registry

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Names that went leave nothing behind.
func TestARegistryStaysBounded(t *testing.T) {
	r, err := New(Config{Max: 10})
	require.NoError(t, err)
	for i := range 1000 {
		_, err := r.Get(fmt.Sprint(i))
		require.NoError(t, err)
		if i%3 == 0 {
			require.True(t, r.Remove(fmt.Sprint(i)))
		}
		require.LessOrEqual(t, len(r.mu.byName), 10)
		require.Equal(t, len(r.mu.byName), r.mu.recency.Len())
	}
	r.Close()
	require.Zero(t, r.mu.recency.Len())
}
