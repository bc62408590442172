package wire

import (
	"io"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/tb"
)

// SegmentSize is how many bytes travel together at most where a bandwidth counts them: what an
// Ethernet frame holds of TCP.
const SegmentSize = 1460

// An effect is what a fault does to what is sent in a direction. What is zero does nothing.
type effect struct {
	stream  tb.Stream
	latency latency.Distribution
	loss    float64
	pace    *pacer
	slice   slice
	limit   int64 // 0 is none
	slow    time.Duration
}

// A slice is how a write is cut up.
type slice struct {
	size, vary int
	pause      time.Duration
}

// A pacer lets bytes pass at a rate.
type pacer struct {
	rate  int64 // bytes a second
	begun time.Time
	sent  int64 // since then, without a pause
	until time.Time
}

// pass is when the last of n bytes has passed that come at an instant.
func (p *pacer) pass(at time.Time, n int) time.Time {
	if at.After(p.until) {
		p.begun, p.sent = at, 0
	}
	p.sent += int64(n)
	hi, lo := bits.Mul64(uint64(p.sent), uint64(time.Second))
	lo, carry := bits.Add64(lo, uint64(p.rate)-1, 0)
	d, _ := bits.Div64((hi+carry)%uint64(p.rate), lo, uint64(p.rate))
	p.until = p.begun.Add(time.Duration(d))
	return p.until
}

// A way is one direction of a link.
type way struct {
	name string
	clk  clock.Clock

	mu      sync.Mutex // locked below those of connections
	effects []*effect  // never changed, always replaced
}

func (w *way) current() []*effect {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.effects
}

func (w *way) add(e *effect) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.effects = append(slices.Clip(w.effects), e)
}

func (w *way) remove(e *effect) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.effects = slices.DeleteFunc(slices.Clone(w.effects), func(x *effect) bool { return x == e })
}

// delay is the latency of a dial.
func (w *way) delay(conn uint64) (d time.Duration) {
	for _, e := range w.current() {
		d += e.latency.Sample(e.stream.At(conn << 32))
	}
	return d
}

// A shaping is a direction of a connection on a link.
type shaping struct {
	way    *way
	joint  *joint
	writes atomic.Uint64
	sent   map[*effect]int64 // that have a limit; it belongs to the lock of the way
}

// Message implements memnet.Shaper.
func (s *shaping) Message(n int) memnet.Message {
	effects := s.way.current()
	if len(effects) == 0 {
		return memnet.Message{}
	}
	m := memnet.Message{Take: n}
	late, lost := s.draw(effects)
	m.Segment = (&message{way: s.way, effects: effects, late: late, draws: s.joint.number<<32 | s.writes.Load()}).segment
	if lost {
		m.Take, m.Break = 0, func() error {
			s.joint.Sever(syscall.ECONNRESET, syscall.ECONNRESET)
			return syscall.ECONNRESET
		}
	} else if take, over := s.limited(effects, n); over {
		m.Take, m.Break = take, func() error {
			s.joint.Finish()
			if take == n {
				return nil
			}
			return syscall.EPIPE
		}
	}
	return m
}

// draw draws the latency of a write, and whether it is lost.
func (s *shaping) draw(effects []*effect) (late time.Duration, lost bool) {
	k := s.joint.number<<32 | s.writes.Add(1)
	for _, e := range effects {
		if e.loss > 0 && e.stream.At(k).Float64() < e.loss {
			lost = true
		}
		late += e.latency.Sample(e.stream.At(k))
	}
	return late, lost
}

// limited counts n bytes, and says how many of them go before a limit ends the connection.
func (s *shaping) limited(effects []*effect, n int) (take int, over bool) {
	s.way.mu.Lock()
	defer s.way.mu.Unlock()
	take = n
	for _, e := range effects {
		if e.limit == 0 {
			continue
		}
		if left := e.limit - s.sent[e]; int64(n) >= left {
			take, over = min(take, int(max(left, 0))), true
		}
		if s.sent == nil {
			s.sent = map[*effect]int64{}
		}
		s.sent[e] += int64(n)
	}
	return take, over
}

// End implements memnet.Shaper.
func (s *shaping) End() time.Duration {
	effects := s.way.current()
	if len(effects) == 0 {
		return 0
	}
	d, _ := s.draw(effects)
	for _, e := range effects {
		d += e.slow
	}
	return d
}

// A message is one write under way.
type message struct {
	way     *way
	effects []*effect
	late    time.Duration
	draws   uint64
	slices  uint64
	next    time.Time // when the next slice may leave
}

// segment says how many of n bytes travel together, and when they arrive.
func (m *message) segment(n int) (k int, at time.Time) {
	m.way.mu.Lock()
	defer m.way.mu.Unlock()
	at = m.way.clk.Now()
	if m.next.After(at) {
		at = m.next
	}
	k = n
	for _, e := range m.effects {
		if e.slice.size > 0 {
			m.slices++
			k = min(k, e.slice.draw(e.stream, m.draws, m.slices))
			m.next = at.Add(e.slice.pause)
		}
		if e.pace != nil {
			k = min(k, SegmentSize)
		}
	}
	for _, e := range m.effects {
		if e.pace != nil {
			at = e.pace.pass(at, k)
		}
	}
	return k, at.Add(m.late)
}

// draw is the size of a slice: at least 1.
func (s slice) draw(stream tb.Stream, write, number uint64) int {
	if s.vary == 0 {
		return s.size
	}
	r := stream.At(write ^ number<<48)
	return max(s.size-s.vary+r.IntN(2*s.vary+1), 1)
}

// A timeout holds connections up and then ends them.
type timeout struct {
	after time.Duration
	stops []func()
}

// arm begins the time of a connection.
func (t *timeout) arm(clk clock.Clock, j *joint) {
	t.stops = append(t.stops, bubble.AfterFunc(clk, t.after, func() { j.Sever(io.EOF, syscall.EPIPE) }))
}

func (t *timeout) stop() {
	for _, stop := range t.stops {
		stop()
	}
}
