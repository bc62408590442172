package openconns

import (
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
)

func TestWaitEndsWithTheLastConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Count
		clk, start := clock.New(), time.Now()
		c.Wait(clk, time.Hour)
		require.Zero(t, time.Since(start), "nothing is open")
		for i := range 3 {
			conn, state := net.Conn(&net.TCPConn{}), http.StateClosed
			if i == 1 {
				state = http.StateHijacked
			}
			c.Track(conn, http.StateNew)
			c.Track(conn, http.StateActive)
			time.AfterFunc(time.Duration(i+1)*time.Second, func() { c.Track(conn, state) })
		}
		c.Wait(clk, time.Hour)
		require.Equal(t, 3*time.Second, time.Since(start))
		c.Track(&net.TCPConn{}, http.StateNew)
		c.Wait(clk, time.Minute)
		require.Equal(t, 63*time.Second, time.Since(start), "at most the limit")
	})
}

// A timers is a clock that counts the timers of contexts.
type timers struct {
	clock.Clock
	n int
}

func (c *timers) WithTimeout(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	c.n++
	return c.Clock.WithTimeout(ctx, limit)
}

// A timer is set where there ever was a connection, whether it is open still or not.
func TestTimersOfAWait(t *testing.T) {
	var c Count
	clk := &timers{Clock: clock.NewMock()}
	c.Wait(clk, time.Hour)
	require.Zero(t, clk.n)
	conn := &net.TCPConn{}
	c.Track(conn, http.StateNew)
	c.Track(conn, http.StateClosed)
	c.Wait(clk, time.Hour)
	require.Equal(t, 1, clk.n)
}

// A closed is a connection that says when it is closed.
type closed struct {
	net.Conn
	n   int
	all *[]int
}

func (c *closed) Close() error {
	*c.all = append(*c.all, c.n)
	return nil
}

func TestCloseIsInOrder(t *testing.T) {
	var c Count
	var all, want []int
	for n := range 40 {
		conn := &closed{n: n, all: &all}
		c.Track(conn, http.StateNew)
		if n%7 == 3 {
			c.Track(conn, http.StateClosed)
		} else {
			want = append(want, n)
		}
	}
	c.Close()
	require.Equal(t, want, all)
}
