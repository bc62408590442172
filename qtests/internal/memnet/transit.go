package memnet

import (
	"context"
	"io"
	"syscall"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
)

// A Shaper says when what is written to a half arrives. Message and End are called without a lock.
type Shaper interface {
	// Message is asked once for each write of n bytes, before any of them is on its way.
	Message(n int) Message
	// End is how long the end of what is written takes to arrive.
	End() time.Duration
}

// A Message is what a shaper says of one write. The zero Message arrives at once.
type Message struct {
	// Segment says how many of the next n bytes travel together, at least one, and when they
	// arrive. It is called under the lock of the half, and may call arithmetic alone.
	Segment func(n int) (k int, at time.Time)
	// Break, where it is not nil, is called behind the first Take bytes, without a lock. The write
	// fails with what it returns.
	Break func() error
	Take  int
}

// A transit is what of the unread bytes has not arrived yet: the last of them.
type transit struct {
	shaper   Shaper
	segments []segment
	bytes    int       // of all segments
	endAt    time.Time // when the end arrives, once there is one

	armed time.Time // what the timer of a waiting read is set to
	stop  func()
}

// A segment is bytes that arrive together.
type segment struct {
	n  int
	at time.Time
}

// end sets when the end arrives: not before what was sent.
func (t *transit) end(clk clock.Clock, later time.Duration) {
	if later > 0 {
		t.endAt = clk.Now().Add(later)
	}
	if k := len(t.segments); k > 0 && t.segments[k-1].at.After(t.endAt) {
		t.endAt = t.segments[k-1].at
	}
}

// disarm gives the timer back.
func (t *transit) disarm() {
	if t.stop != nil {
		t.stop()
	}
	t.stop, t.armed = nil, time.Time{}
}

func (t *transit) drop() {
	t.segments, t.bytes = nil, 0
	t.disarm()
}

// Shape has everything that is written from now on arrive as s says, or at once for nil, but never
// before what was written earlier.
func (h *Half) Shape(s Shaper) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.transit.shaper = s
}

func (h *Half) shaper() Shaper {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.transit.shaper
}

func (h *Half) message(n int) Message {
	if s := h.shaper(); s != nil {
		return s.Message(n)
	}
	return Message{}
}

func (h *Half) endLater() time.Duration {
	if s := h.shaper(); s != nil {
		return s.End()
	}
	return 0
}

// endsAt is when the end arrives, zero for now.
func (h *Half) endsAt() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.transit.endAt
}

// send puts as much of p on its way as there is room for.
func (h *Half) send(p []byte, m Message) (n int) {
	t := &h.transit
	for n < len(p) && h.unread.n < Buffer {
		k := min(len(p)-n, Buffer-h.unread.n)
		var at time.Time
		if m.Segment != nil {
			k, at = m.Segment(k)
		}
		if i := len(t.segments); i > 0 && t.segments[i-1].at.After(at) {
			at = t.segments[i-1].at
		}
		h.unread.push(p[n : n+k])
		t.segments = append(t.segments, segment{k, at})
		t.bytes += k
		n += k
	}
	return n
}

// arrive takes what is due out of the transit.
func (h *Half) arrive() {
	t := &h.transit
	for len(t.segments) > 0 && h.due(t.segments[0].at) {
		t.bytes -= t.segments[0].n
		t.segments = t.segments[1:]
	}
}

func (h *Half) due(at time.Time) bool { return at.IsZero() || h.clk.Until(at) <= 0 }

// armArrival sets the timer for what a read waits for.
func (h *Half) armArrival() {
	t := &h.transit
	var next time.Time
	switch {
	case h.held != 0:
	case len(t.segments) > 0:
		next = t.segments[0].at
	case h.writeErr != nil:
		next = t.endAt
	}
	if next.IsZero() || next.Equal(t.armed) {
		return
	}
	t.disarm()
	t.armed = next
	t.stop = bubble.AfterFunc(h.clk, h.clk.Until(next), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if t.armed.Equal(next) {
			t.stop, t.armed = nil, time.Time{}
			h.changed.Broadcast()
		}
	})
}

func (h *Half) dropUnread() {
	h.unread.drop()
	h.transit.drop()
}

// sever ends the half in the middle: what has not arrived is lost, and held back is nothing.
// It wakes nobody yet, so that the first to hear of it finds the other half severed, too.
func (h *Half) sever(readErr, writeErr error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.arrive()
	if h.held == 0 && h.writeErr != nil && h.transit.bytes == 0 && h.due(h.transit.endAt) {
		return // its end has arrived
	}
	arrived := h.unread.n - h.transit.bytes
	if h.held != 0 {
		arrived = 0
	}
	h.unread.cut(arrived)
	h.transit.drop()
	h.held, h.severed, h.endErr, h.transit.endAt = 0, true, readErr, time.Time{}
	if h.writeErr == nil {
		h.writeErr = writeErr
	}
	h.disarm(&h.writes)
}

func (h *Half) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changed.Broadcast()
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

// waiting reports whether something is sent that nobody has read.
func (h *Half) waiting() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unread.n > 0
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
