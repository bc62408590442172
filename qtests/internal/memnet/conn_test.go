package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
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

// TestPeerIsBack: a host that comes back resets the connections that it has forgotten, when it hears of them.
func TestPeerIsBack(t *testing.T) {
	for _, c := range []struct {
		name   string
		before string // sent before the host is back
		after  string // sent then
		reset  bool
	}{
		{"nothing is sent", "", "", false},
		{"sent while it was gone", "hello", "", true},
		{"sent when it is back", "", "hello", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, _ := Pair(clock.New(), &net.UnixAddr{Name: "a"}, &net.UnixAddr{Name: "b"})
			send := func(text string) {
				if text != "" {
					n, err := a.Write([]byte(text))
					require.NoError(t, err)
					require.Equal(t, len(text), n)
				}
			}
			a.LosePeer()
			send(c.before)
			require.NoError(t, a.SetReadDeadline(time.Unix(1, 0)))
			_, err := a.Read(make([]byte, 1))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded, "it hears nothing")
			a.PeerIsBack()
			send(c.after)
			require.NoError(t, a.SetReadDeadline(time.Time{}))
			if !c.reset {
				require.NoError(t, a.SetReadDeadline(time.Unix(1, 0)))
				_, err = a.Read(make([]byte, 1))
				require.ErrorIs(t, err, os.ErrDeadlineExceeded, "it goes on to hear nothing")
				return
			}
			_, err = a.Read(make([]byte, 1))
			require.ErrorIs(t, err, syscall.ECONNRESET)
			_, err = a.Write([]byte("x"))
			require.ErrorIs(t, err, syscall.ECONNRESET)
		})
	}
}

// TestConnWithoutFaultsGoesOn: a write resets nothing where no host was lost.
func TestConnWithoutFaultsGoesOn(t *testing.T) {
	a, b := Pair(clock.New(), &net.UnixAddr{Name: "a"}, &net.UnixAddr{Name: "b"})
	for range 2 {
		_, err := a.Write([]byte("x"))
		require.NoError(t, err)
	}
	n, err := b.Read(make([]byte, 10))
	require.NoError(t, err)
	require.Equal(t, 2, n)
}

// TestConnDeadline: at the deadline both directions end what waits in them, as a socket does.
func TestConnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pair(clock.New(), &net.UnixAddr{Name: "a"}, &net.UnixAddr{Name: "b"})
		begin := time.Now()
		fails := func(err error, after time.Duration) {
			var op *net.OpError
			require.ErrorAs(t, err, &op)
			require.True(t, op.Timeout())
			require.Equal(t, after, time.Since(begin))
		}
		require.NoError(t, a.SetDeadline(begin.Add(time.Second)))
		_, err := a.Write(make([]byte, Buffer))
		require.NoError(t, err)
		var wait sync.WaitGroup
		for range 2 { // neither of those that wait wakes the other
			wait.Go(func() {
				_, err := a.Write([]byte("x"))
				fails(err, time.Second)
			})
		}
		synctest.Wait()
		_, err = a.Read(make([]byte, 1))
		fails(err, time.Second)
		wait.Wait()

		require.NoError(t, a.SetDeadline(begin.Add(time.Minute)))
		time.AfterFunc(time.Second, func() { assert.NoError(t, a.SetReadDeadline(begin.Add(time.Hour))) })
		_, err = a.Read(make([]byte, 1))
		fails(err, time.Hour)
		require.NoError(t, a.SetReadDeadline(time.Now()))
		_, err = a.Read(make([]byte, 1))
		fails(err, time.Hour)

		require.NoError(t, b.Close())
		require.NoError(t, a.SetDeadline(time.Time{}))
		_, err = a.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err, "as a reader compares it")
	})
}
