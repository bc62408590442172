package memnet

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
)

// Network is the name of the network in memory, as a net.Addr has it.
const Network = "memory"

// Conn is one end of a connection in memory. Unlike net.Pipe it buffers, as a
// socket does, so that a server can answer before its client reads; its
// deadlines count on the clock of the listener. All methods are safe for
// concurrent use.
type Conn struct {
	in, out       *Half
	local, remote net.Addr
	peer          *Conn
	closed        atomic.Bool
	orphan        atomic.Bool // the peer's host is back, and does not know this connection
}

// Pair returns the two ends of a new connection.
func Pair(clk clock.Clock, client, server net.Addr) (c, s *Conn) {
	up, down := NewHalf(clk), NewHalf(clk)
	c = &Conn{in: down, out: up, local: client, remote: server}
	s = &Conn{in: up, out: down, local: server, remote: client, peer: c}
	c.peer = s
	return c, s
}

// LocalAddr is the address of this end.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the address of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	return n, c.wrap("read", err)
}

func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.out.Write(p)
	if err == nil && c.orphan.Load() {
		c.Sever(syscall.ECONNRESET, syscall.ECONNRESET)
	}
	return n, c.wrap("write", err)
}

// CloseWrite ends the outgoing direction, as CloseWrite of a TCP connection does: the
// peer reads what is buffered and then io.EOF, and can still write.
func (c *Conn) CloseWrite() error {
	if c.closed.Load() {
		return c.wrap("close", net.ErrClosed)
	}
	c.out.EndWrites(syscall.EPIPE, io.EOF)
	return nil
}

// Close ends both directions and everything that waits in them. The peer reads
// what is buffered and then io.EOF; its writes fail with EPIPE. Closing twice is
// no error.
func (c *Conn) Close() error {
	c.end(io.EOF)
	return nil
}

// end closes this end; the peer's reads come to err.
func (c *Conn) end(err error) {
	if !c.closed.Swap(true) {
		c.out.EndWrites(net.ErrClosed, err)
		c.in.EndReads(c.out.endsAt())
	}
}

// Reset breaks the connection, as the end of a process does: the peer reads what is buffered and
// then ECONNRESET, and its writes fail with EPIPE.
func (c *Conn) Reset() { c.end(syscall.ECONNRESET) }

// HoldOut keeps what this end sends, its end included, from arriving, until it is called with
// false. Writes go on until the buffer is full.
func (c *Conn) HoldOut(by Holder, held bool) { c.out.Hold(by, held) }

// SetDeadline sets both deadlines. A zero time is none.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline ends reads at t, also those that wait already. A zero time is none.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(c.in, &c.in.reads, t)
}

// SetWriteDeadline ends writes at t, also those that wait already. A zero time is none.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(c.out, &c.out.writes, t)
}

func (c *Conn) setDeadline(h *Half, d *deadline, t time.Time) error {
	if c.closed.Load() {
		return c.wrap("set", net.ErrClosed)
	}
	h.setDeadline(d, t)
	return nil
}

// wrap dresses an error as the net package does, which net/http looks for.
func (c *Conn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: Network, Source: c.local, Addr: c.remote, Err: err}
}

// Shape shapes what this end sends and what it receives.
func (c *Conn) Shape(sends, receives Shaper) {
	c.out.Shape(sends)
	c.in.Shape(receives)
}

// Hold keeps everything from arriving that either end sends, or one of them.
func (c *Conn) Hold(by Holder, out, in, held bool) {
	if out {
		c.out.Hold(by, held)
	}
	if in {
		c.in.Hold(by, held)
	}
}

// Sever breaks the connection somewhere between its ends: both read what has arrived and
// then readErr, and their writes fail with writeErr.
func (c *Conn) Sever(readErr, writeErr error) {
	c.in.sever(readErr, writeErr)
	c.out.sever(readErr, writeErr)
	bubble.InTurn(c.in.clk, c.in.wake, c.out.wake)
}

// Finish ends the connection between its ends, in order: both read what is on its way and then
// io.EOF, and their writes fail with EPIPE.
func (c *Conn) Finish() {
	end := func(h *Half) func() { return func() { h.EndWrites(syscall.EPIPE, io.EOF) } }
	bubble.InTurn(c.in.clk, end(c.in), end(c.out))
}

// LosePeer has the host of the other end be gone: that end is closed, and this one neither hears of
// it nor is heard.
func (c *Conn) LosePeer() {
	c.Hold(Gone, true, true, true)
	c.peer.Reset()
}

// PeerIsBack has the host of the other end be back, which knows nothing of the connection: it answers
// what this end has sent, or sends next, with ECONNRESET.
func (c *Conn) PeerIsBack() {
	c.orphan.Store(true)
	if c.out.waiting() {
		c.Sever(syscall.ECONNRESET, syscall.ECONNRESET)
	}
}

// Ended reports whether both ends are closed.
func (c *Conn) Ended() bool { return c.closed.Load() && c.peer.closed.Load() }

// adopting is the key of what With says.
type adopting struct{}

// With has the next connection that is dialled with the context given to adopt before anybody else
// has it, by its client's end.
func With(ctx context.Context, adopt func(*Conn)) context.Context {
	return context.WithValue(ctx, adopting{}, adopt)
}

// Adopt does what With has asked for.
func (c *Conn) Adopt(ctx context.Context) {
	if adopt, ok := ctx.Value(adopting{}).(func(*Conn)); ok {
		adopt(c)
	}
}
