package recorded

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A file has at most MaxExchanges.
func TestCheckBounds(t *testing.T) {
	require.ErrorContains(t, check(make([]Exchange, MaxExchanges)), "exchange 1: URL")
	require.EqualError(t, check(make([]Exchange, MaxExchanges+1)), "100001 exchanges, more than 100000")
}
