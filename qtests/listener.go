package qtests

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/memnet"
)

// An Addr is the address of an endpoint in memory; its network is "memory".
type Addr string

// Network returns "memory".
func (Addr) Network() string { return memnet.Network }

func (a Addr) String() string { return string(a) }

// A Listener is a net.Listener whose connections live in memory, for net/http,
// gRPC and whatever else takes a listener and a dialer. A goroutine that waits
// on one of its connections lets the time of a bubble pass, which one that waits
// for a socket does not. A connection buffers 64 KiB in each direction, is safe for
// concurrent use, and has the CloseWrite of a TCP connection.
//
// The methods of a Listener are safe for concurrent use.
type Listener struct {
	clk     clock.Clock
	addr    Addr
	pending chan *memnet.Conn
	closed  chan struct{}
	once    sync.Once
	dials   atomic.Uint64
}

// Listen returns a listener called addr, whose deadlines count on clk. Inside
// [Run] it must be made inside the bubble; a nil clk means the real clock.
func Listen(clk clock.Clock, addr string) *Listener {
	if clk == nil {
		clk = clock.New()
	}
	return &Listener{clk: clk, addr: Addr(addr), pending: make(chan *memnet.Conn), closed: make(chan struct{})}
}

// Accept waits for the next connection. After Close it fails with net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.pending:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: memnet.Network, Addr: l.addr, Err: net.ErrClosed}
	}
}

// Close makes Accept and Dial fail. Connections that are open stay open. Closing
// twice is no error.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns the address given to [Listen].
func (l *Listener) Addr() net.Addr { return l.addr }

// clientAddr returns the n-th of the addresses that clients get, in turn: ports of
// the block set aside for documentation, because servers take addresses apart.
func clientAddr(n uint64) Addr {
	const ports = 1<<16 - 1
	n--
	return Addr(fmt.Sprintf("192.0.2.%d:%d", 1+n/ports%254, 1+n%ports))
}

// Dial connects to the listener. It waits until the connection is accepted, ctx
// ends, or the listener closes, which refuses the connection (ECONNREFUSED).
func (l *Listener) Dial(ctx context.Context) (net.Conn, error) {
	bubble.CheckContext(ctx, l.clk)
	local := clientAddr(l.dials.Add(1))
	client, server := memnet.Pair(l.clk, local, l.addr)
	client.Adopt(ctx)
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: memnet.Network, Source: local, Addr: l.addr, Err: err}
	}
	// Asked first, because select chooses at random among what is ready.
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	select {
	case <-l.closed:
		return fail(syscall.ECONNREFUSED)
	default:
	}
	select {
	case l.pending <- server:
		return client, nil
	case <-l.closed:
		return fail(syscall.ECONNREFUSED)
	case <-ctx.Done():
		return fail(ctx.Err())
	}
}
