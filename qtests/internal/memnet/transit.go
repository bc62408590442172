package memnet

import (
	"time"

	"github.com/benbjohnson/clock"
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

// A transit is what of the unread bytes has not arrived yet: the last of them. It is a plain structure without lock.
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

// send puts as much of p on its way as the ring has room for.
func (t *transit) send(r *ring, p []byte, m Message) (n int) {
	for n < len(p) && r.n < Buffer {
		k := min(len(p)-n, Buffer-r.n)
		var at time.Time
		if m.Segment != nil {
			k, at = m.Segment(k)
		}
		if i := len(t.segments); i > 0 && t.segments[i-1].at.After(at) {
			at = t.segments[i-1].at
		}
		r.push(p[n : n+k])
		t.segments = append(t.segments, segment{k, at})
		t.bytes += k
		n += k
	}
	return n
}

// arrive takes out what is due.
func (t *transit) arrive(clk clock.Clock) {
	for len(t.segments) > 0 && due(clk, t.segments[0].at) {
		t.bytes -= t.segments[0].n
		t.segments = t.segments[1:]
	}
}

// ended reports whether the end has arrived, once there is one.
func (t *transit) ended(clk clock.Clock) bool { return t.bytes == 0 && due(clk, t.endAt) }

// next is when the next bytes arrive, or else the end; zero where nothing is on its way.
func (t *transit) next(end bool) (at time.Time) {
	switch {
	case len(t.segments) > 0:
		at = t.segments[0].at
	case end:
		at = t.endAt
	}
	return at
}

func due(clk clock.Clock, at time.Time) bool { return at.IsZero() || clk.Until(at) <= 0 }
