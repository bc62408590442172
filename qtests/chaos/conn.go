package chaos

import (
	"context"
	"net"
	"sync"
	"syscall"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/memnet"
)

func memAddr(name string) net.Addr { return qtests.Addr(name + ":80") }

// A conn is one end of a connection between two lives.
type conn struct {
	*memnet.Conn
	owner *Life
	peer  *conn

	// These belong to the lock of the network.
	held   bool // a cut keeps back what this end sends
	closed bool
}

// Write is an operation of the life.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.owner.operation(); err != nil {
		return 0, &net.OpError{Op: "write", Net: memnet.Network, Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
	}
	return c.Conn.Write(p)
}

// Close closes this end.
func (c *conn) Close() error {
	c.owner.component.net.forget(c)
	return c.Conn.Close()
}

// cutOff breaks the connection from this end.
func (c *conn) cutOff() {
	c.owner.component.net.forget(c)
	c.Reset()
}

// A listener hands connections to a life.
type listener struct {
	name    string
	pending chan *conn
	closed  chan struct{}
	once    sync.Once
}

func newListener(name string) *listener {
	return &listener{name: name, pending: make(chan *conn), closed: make(chan struct{})}
}

// Accept waits for the next connection. After Close it fails with net.ErrClosed.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.pending:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: memnet.Network, Addr: memAddr(l.name), Err: net.ErrClosed}
	}
}

func (l *listener) close() { l.once.Do(func() { close(l.closed) }) }

// Close makes Accept and dials fail.
func (l *listener) Close() error {
	l.close()
	return nil
}

func (l *listener) Addr() net.Addr { return memAddr(l.name) }

// offer waits until a connection is accepted, the listener closes, or ctx ends.
func (l *listener) offer(ctx context.Context, c *conn) error {
	// Asked first, because select chooses at random among what is ready.
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-l.closed:
		return syscall.ECONNREFUSED
	default:
	}
	select {
	case l.pending <- c:
		return nil
	case <-l.closed:
		return syscall.ECONNREFUSED
	case <-ctx.Done():
		return ctx.Err()
	}
}
