package memnet

import (
	"net"
	"testing"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
)

// TestConnHoldsNoBufferWhenIdle is what makes 100,000 idle connections cheap.
func TestConnHoldsNoBufferWhenIdle(t *testing.T) {
	a, b := Pair(clock.New(), &net.UnixAddr{Name: "a"}, &net.UnixAddr{Name: "b"})
	write := func(text string) {
		n, err := a.Write([]byte(text))
		require.NoError(t, err)
		require.Equal(t, len(text), n)
	}
	write("hello")
	require.NotNil(t, b.in.unread.buf)
	n, err := b.Read(make([]byte, 100))
	require.NoError(t, err)
	require.Equal(t, 5, n)
	require.Nil(t, b.in.unread.buf)
	write("never read")
	require.NoError(t, b.Close())
	require.Nil(t, b.in.unread.buf)
}
