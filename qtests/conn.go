package qtests

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/benbjohnson/clock"
)

// connBuffer is how many bytes a connection holds in each direction before a
// write blocks, about what a loopback socket does.
const connBuffer = 64 << 10

// conn is one end of a connection in memory. Unlike net.Pipe it buffers, as a
// socket does, so that a server can answer before its client reads; its
// deadlines count on the clock of the listener.
type conn struct {
	in, out       *half
	local, remote net.Addr
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

// Close ends both directions: the peer reads what is buffered and then io.EOF,
// and its writes fail with EPIPE.
func (c *conn) Close() error {
	c.out.close(func(h *half) { h.writerGone = true })
	c.in.close(func(h *half) { h.readerGone = true })
	return nil
}

func (c *conn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.reads, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writes, t)
	return nil
}

// wrap dresses an error as the net package does, which net/http looks for.
func (c *conn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: network, Source: c.local, Addr: c.remote, Err: err}
}

// half is one direction of a connection.
type half struct {
	clk clock.Clock

	mu         sync.Mutex
	changed    sync.Cond // a sync.Cond blocks durably: time passes while a reader waits
	buf        []byte    // written and not read yet
	writerGone bool
	readerGone bool

	reads, writes deadline
}

// deadline is when reads, or writes, of a half begin to fail.
type deadline struct {
	expired bool
	stop    func() // disarms the timer
}

func newHalf(clk clock.Clock) *half {
	h := &half{clk: clk}
	h.changed.L = &h.mu
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.readerGone:
			return 0, net.ErrClosed
		case h.reads.expired:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case len(h.buf) > 0:
			n := copy(p, h.buf)
			if h.buf = h.buf[n:]; len(h.buf) == 0 {
				h.buf = nil // a hundred thousand idle connections hold no buffer
			}
			h.changed.Broadcast()
			return n, nil
		case h.writerGone:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (h *half) write(p []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.writerGone:
			return n, net.ErrClosed
		case h.writes.expired:
			return n, os.ErrDeadlineExceeded
		case h.readerGone:
			return n, syscall.EPIPE
		}
		k := min(len(p)-n, connBuffer-len(h.buf))
		h.buf = append(h.buf, p[n:n+k]...)
		n += k
		h.changed.Broadcast()
		if n == len(p) {
			return n, nil
		}
		h.changed.Wait()
	}
}

func (h *half) close(mark func(*half)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	mark(h)
	if h.readerGone {
		h.buf = nil
		h.disarm(&h.reads)
	}
	if h.writerGone {
		h.disarm(&h.writes)
	}
	h.changed.Broadcast()
}

func (h *half) setDeadline(d *deadline, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.disarm(d)
	if !t.IsZero() {
		if wait := h.clk.Until(t); wait <= 0 {
			d.expired = true
		} else {
			h.arm(d, wait)
		}
	}
	h.changed.Broadcast()
}

func (h *half) arm(d *deadline, wait time.Duration) {
	var stop func()
	current := false
	stop = afterFunc(h.clk, wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		// A deadline that was moved while this ran must not expire.
		if current {
			d.expired = true
			h.changed.Broadcast()
		}
	})
	current = true
	d.stop = func() { current = false; stop() }
}

func (h *half) disarm(d *deadline) {
	if d.stop != nil {
		d.stop()
	}
	*d = deadline{}
}
