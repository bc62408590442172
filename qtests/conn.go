package qtests

import (
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/benbjohnson/clock"
)

// conn is one end of a connection in memory. Unlike net.Pipe it buffers, as a
// socket does, so that a server can answer before its client reads; its
// deadlines count on the clock of the listener. All methods are safe for
// concurrent use.
type conn struct {
	in, out       *half
	local, remote net.Addr
	closed        atomic.Bool
}

// newConnPair returns the two ends of a new connection.
func newConnPair(clk clock.Clock, client, server net.Addr) (c, s *conn) {
	up, down := newHalf(clk), newHalf(clk)
	return &conn{in: down, out: up, local: client, remote: server},
		&conn{in: up, out: down, local: server, remote: client}
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.wrap("read", err)
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.wrap("write", err)
}

// CloseWrite ends the outgoing direction, as that of a TCP connection does: the
// peer reads what is buffered and then io.EOF, and can still write.
func (c *conn) CloseWrite() error {
	if c.closed.Load() {
		return c.wrap("close", net.ErrClosed)
	}
	c.out.endWrites(syscall.EPIPE, io.EOF)
	return nil
}

// Close ends both directions and everything that waits in them. The peer reads
// what is buffered and then io.EOF; its writes fail with EPIPE. Closing twice is
// no error.
func (c *conn) Close() error {
	if !c.closed.Swap(true) {
		c.out.endWrites(net.ErrClosed, io.EOF)
		c.in.endReads()
	}
	return nil
}

func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(c.in, &c.in.reads, t)
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(c.out, &c.out.writes, t)
}

func (c *conn) setDeadline(h *half, d *deadline, t time.Time) error {
	if c.closed.Load() {
		return c.wrap("set", net.ErrClosed)
	}
	h.setDeadline(d, t)
	return nil
}

// wrap dresses an error as the net package does, which net/http looks for.
func (c *conn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: network, Source: c.local, Addr: c.remote, Err: err}
}
