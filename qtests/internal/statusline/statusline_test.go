package statusline

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOf(t *testing.T) {
	require.Equal(t, "200 OK", Of(200))
	require.Equal(t, "100 Continue", Of(100))
	require.Equal(t, "511 Network Authentication Required", Of(511))
	for _, code := range []int{-1, 0, 99, 299, 999, 1000} {
		require.Empty(t, Of(code), code)
	}
}
