package fake

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCountsABoundedNumberOfOperations(t *testing.T) {
	f := NewT(t, Config{})
	for i := range maxOps + 5 {
		require.NoError(t, f.Do(t.Context(), fmt.Sprint(i), nothing))
	}
	require.Len(t, f.Stats().Ops, maxOps+1)
	require.Equal(t, uint64(5), f.Stats().Ops["other"])
}
