package memnet

import (
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
)

// Half is one direction of a connection.
//
// A write copies straight into the buffer of a read that waits for it, which is
// where nearly every byte of a kept-alive HTTP connection goes: both ends wait for
// the other one to speak. Only what nobody waits for is buffered, and an idle
// connection holds no buffer.
type Half struct {
	clk clock.Clock

	mu      sync.Mutex
	changed sync.Cond // a sync.Cond blocks durably: time passes while a reader waits

	lent   []byte // buffer of the one read that takes delivery while it waits
	given  int    // how much of it writes have filled; that read must return it
	unread ring   // written after what is in lent

	writeErr   error // what writes fail with, once no more bytes can come
	endErr     error // what reads then end with, behind what is unread
	readerGone bool
	goneAt     time.Time // when writes notice that, where it takes time
	held       Holder    // what is written does not arrive, and neither does the end
	severed    bool

	reads, writes deadline
	transit       transit
}

// deadline is when reads, or writes, of a half begin to fail. It is looked up;
// only an operation that has to wait arms a timer for it.
type deadline struct {
	at    time.Time
	epoch uint64 // of at
	stop  func() // disarms the timer for at, if there is one
}

// NewHalf returns a direction whose deadlines count on clk.
func NewHalf(clk clock.Clock) *Half {
	h := &Half{clk: clk}
	h.changed.L = &h.mu
	return h
}

// Read waits for bytes, the end, or the deadline.
func (h *Half) Read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	lender := false
	for {
		if lender && h.given > 0 {
			return h.takeBack(), nil
		}
		if n, err, ok := h.tryRead(p); ok {
			if lender {
				h.takeBack()
			}
			return n, err
		}
		if h.lent == nil {
			h.lent, lender = p, true
		}
		h.armArrival()
		h.wait(&h.reads)
	}
}

// takeBack ends the loan of a read's buffer.
func (h *Half) takeBack() (n int) {
	n, h.lent, h.given = h.given, nil, 0
	return n
}

// tryRead reads without waiting, and reports whether that was possible.
func (h *Half) tryRead(p []byte) (n int, err error, ok bool) {
	switch {
	case h.readerGone:
		return 0, net.ErrClosed, true
	case h.expired(&h.reads):
		return 0, os.ErrDeadlineExceeded, true
	case len(p) == 0:
		return 0, nil, true
	case h.held != 0:
		return 0, nil, false
	}
	h.transit.arrive(h.clk)
	switch arrived := h.unread.n - h.transit.bytes; {
	case arrived > 0:
		n = h.unread.pop(p[:min(len(p), arrived)])
		h.changed.Broadcast() // there is room for writes
		return n, nil, true
	case h.writeErr != nil && h.transit.ended(h.clk):
		return 0, h.endErr, true
	}
	return 0, nil, false
}

// Write waits until p is on its way, in a read that waits or in the buffer.
func (h *Half) Write(p []byte) (n int, err error) {
	m := h.message(len(p))
	if m.Break == nil {
		return h.write(p, m)
	}
	if n, err = h.write(p[:m.Take], m); err == nil {
		err = m.Break()
	}
	return n, err
}

func (h *Half) write(p []byte, m Message) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.writeErr != nil:
			return n, h.writeErr
		case h.expired(&h.writes):
			return n, os.ErrDeadlineExceeded
		case h.readerGone && h.held == 0 && due(h.clk, h.goneAt):
			return n, syscall.EPIPE
		}
		if k := h.deliver(p[n:], m); k > 0 {
			n += k
			h.changed.Broadcast()
		}
		if n == len(p) {
			return n, nil
		}
		h.wait(&h.writes)
	}
}

// deliver hands over as much of p as fits: to the waiting read, then to the ring,
// which holds nothing until the buffer of that read is full.
func (h *Half) deliver(p []byte, m Message) int {
	switch {
	case h.readerGone && h.held == 0:
		return len(p) // on its way to where nobody is any more
	case m.Segment != nil || h.transit.bytes > 0:
		return h.transit.send(&h.unread, p, m)
	case h.held != 0 || h.unread.n > 0: // what was held comes first
		return h.unread.push(p)
	}
	n := copy(h.lent[h.given:], p)
	h.given += n
	return n + h.unread.push(p[n:])
}

// EndWrites makes further writes fail with writeErr, and reads with endErr once
// the buffer is empty and the end has arrived. A later call changes only the former.
func (h *Half) EndWrites(writeErr, endErr error) {
	later := h.endLater()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.writeErr == nil {
		h.endErr = endErr
		h.transit.end(h.clk, later)
	}
	h.writeErr = writeErr
	h.disarm(&h.writes)
	h.changed.Broadcast()
}

// EndReads makes further reads fail and drops what is buffered. Writes fail from the instant at on,
// the zero time being now, and are lost until then.
func (h *Half) EndReads(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readerGone, h.goneAt = true, at
	h.dropUnread()
	h.disarm(&h.reads)
	h.changed.Broadcast()
}

// A Holder is one of the reasons for which a half may be held. Each holds for itself.
type Holder uint8

// Reasons.
const (
	Cut     Holder = 1 << iota // between components
	Stalled                    // by a link
	Gone                       // the peer's host is not there any more
)

// Hold keeps what is written from arriving, until it is called with false: then all of it does,
// in order, and the end behind it.
func (h *Half) Hold(by Holder, held bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.severed:
	case held:
		h.held |= by
	default:
		h.held &^= by
	}
	if h.held == 0 && h.readerGone {
		h.dropUnread()
	}
	h.changed.Broadcast()
}

func (h *Half) setDeadline(d *deadline, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.disarm(d)
	d.at = t
	d.epoch++
	h.changed.Broadcast()
}

func (h *Half) expired(d *deadline) bool {
	return !d.at.IsZero() && h.clk.Until(d.at) <= 0
}

// wait waits for any change, the deadline included.
func (h *Half) wait(d *deadline) {
	if !d.at.IsZero() && d.stop == nil {
		epoch := d.epoch
		d.stop = bubble.AfterFunc(h.clk, h.clk.Until(d.at), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if d.epoch == epoch {
				// The clock may say that a little is left, when it was stepped: a
				// waiter then arms the next timer.
				d.stop = nil
				h.changed.Broadcast()
			}
		})
	}
	h.changed.Wait()
}

func (h *Half) disarm(d *deadline) {
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
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

// armArrival sets the timer for what a read waits for.
func (h *Half) armArrival() {
	t := &h.transit
	if h.held != 0 {
		return
	}
	next := t.next(h.writeErr != nil)
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
	h.transit.arrive(h.clk)
	if h.held == 0 && h.writeErr != nil && h.transit.ended(h.clk) {
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

// waiting reports whether something is sent that nobody has read.
func (h *Half) waiting() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unread.n > 0
}
