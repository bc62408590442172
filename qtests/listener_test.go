package qtests

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/tb"
)

func TestListenerConnects(t *testing.T) {
	l := Listen(nil, "shop:80")
	require.Equal(t, "shop:80", l.Addr().String())
	require.Equal(t, "memory", l.Addr().Network())
	for i := range 3 {
		go func() {
			c, err := l.Dial(t.Context())
			if err == nil {
				mustWrite(t, c, "hello")
				err = c.Close()
			}
			if err != nil {
				t.Error(err)
			}
		}()
		c, err := l.Accept()
		require.NoError(t, err)
		require.Equal(t, "shop:80", c.LocalAddr().String())
		require.Equal(t, fmt.Sprintf("192.0.2.1:%d", i+1), c.RemoteAddr().String())
		require.Equal(t, "hello", mustRead(t, c, 10))
		require.NoError(t, c.Close())
	}
	require.NoError(t, l.Close())
}

func TestClientAddr(t *testing.T) {
	for n, want := range map[uint64]Addr{1: "192.0.2.1:1", 65535: "192.0.2.1:65535", 65536: "192.0.2.2:1", 254 * 65535: "192.0.2.254:65535", 254*65535 + 1: "192.0.2.1:1"} {
		require.Equal(t, want, clientAddr(n))
	}
}

func TestListenerClose(t *testing.T) {
	Run(t, func(q *T) {
		l := Listen(q.Clock(), "x")
		accepted, dialed := make(chan error), make(chan error)
		q.Go(func() { _, err := l.Accept(); accepted <- err })
		q.Wait()
		require.NoError(q, l.Close())
		require.NoError(q, l.Close(), "closing twice")
		require.ErrorIs(q, <-accepted, net.ErrClosed)
		_, err := l.Accept()
		require.ErrorIs(q, err, net.ErrClosed)
		_, err = l.Dial(q.Context())
		require.ErrorIs(q, err, syscall.ECONNREFUSED)
		require.EqualError(q, err, "dial memory 192.0.2.1:1->x: connection refused")

		l = Listen(q.Clock(), "x")
		q.Go(func() { _, err := l.Dial(q.Context()); dialed <- err })
		q.Wait()
		require.NoError(q, l.Close())
		require.ErrorIs(q, <-dialed, syscall.ECONNREFUSED)
	})
}

func TestListenerDialEndsWithItsContext(t *testing.T) {
	Run(t, func(q *T) {
		l := Listen(q.Clock(), "x")
		ctx, cancel := q.Clock().WithTimeout(q.Context(), time.Minute)
		defer cancel()
		_, err := l.Dial(ctx) // nobody accepts
		require.ErrorIs(q, err, context.DeadlineExceeded)
		require.Equal(q, time.Minute, tb.Round(q.Elapsed()))
		q.Go(func() {
			c, err := l.Accept()
			if err == nil {
				q.Errorf("accepted %v, whose dial had failed", c.RemoteAddr())
			}
		})
		q.Wait()
		for range 20 { // never at random between the two that are ready
			_, err = l.Dial(ctx)
			require.ErrorIs(q, err, context.DeadlineExceeded)
		}
		require.NoError(q, l.Close())
	})
}

// TestListenerServesInOrder accepts dials in the order in which they were made.
func TestListenerServesInOrder(t *testing.T) {
	Run(t, func(q *T) {
		l := Listen(q.Clock(), "x")
		for range 200 {
			q.Go(func() {
				c, err := l.Dial(q.Context())
				if err != nil {
					q.Errorf("%v", err)
					return
				}
				_ = c.Close()
			})
			q.Wait()
		}
		for i := range 200 {
			c, err := l.Accept()
			require.NoError(q, err)
			require.Equal(q, fmt.Sprintf("192.0.2.1:%d", i+1), c.RemoteAddr().String())
			require.NoError(q, c.Close())
		}
	})
}
