// Package lane has one direction of a link: what its faults do to what is sent there, and when that arrives.
package lane

import (
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/tb"
)

// SegmentSize is how many bytes travel together at most where a bandwidth counts them: what an
// Ethernet frame holds of TCP.
const SegmentSize = 1460

// An Effect is what a fault does to what is sent in a lane. What is zero does nothing. The methods of wire.Link that are
// named like a field say more.
type Effect struct {
	Latency   latency.Distribution
	Loss      float64 // chance of a write
	Bandwidth int64   // bytes a second
	Slice     Slice
	LimitData int64 // bytes of a connection
	SlowClose time.Duration
}

// A Slice is how a write is cut up: into pieces of Size bytes, give or take Vary, which leave with a Pause between them.
type Slice struct {
	Size, Vary int
	Pause      time.Duration
}

// An effect is an Effect at work.
type effect struct {
	Effect
	stream tb.Stream
	pace   *pacer // nil without a bandwidth
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

// A Lane is one direction of a link. Its methods are safe for concurrent use.
type Lane struct {
	clk clock.Clock

	mu      sync.Mutex // locked below those of connections
	effects []*effect  // never changed, always replaced
}

// New returns a lane without faults.
func New(clk clock.Clock) *Lane { return &Lane{clk: clk} }

// Add has an effect, which draws from a stream, happen to what is sent from now on, until remove is called.
func (l *Lane) Add(e Effect, stream tb.Stream) (remove func()) {
	added := &effect{Effect: e, stream: stream}
	if e.Bandwidth > 0 {
		added.pace = &pacer{rate: e.Bandwidth}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.effects = append(slices.Clip(l.effects), added)
	return func() { l.remove(added) }
}

func (l *Lane) remove(e *effect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.effects = slices.DeleteFunc(slices.Clone(l.effects), func(x *effect) bool { return x == e })
}

func (l *Lane) current() []*effect {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.effects
}

// Delay is the latency of the dial of that number.
func (l *Lane) Delay(conn uint64) (d time.Duration) {
	for _, e := range l.current() {
		d += e.Latency.Sample(e.stream.At(conn << 32))
	}
	return d
}

// Shape returns what shapes this direction of a connection, whose dial had that number.
func (l *Lane) Shape(conn *memnet.Conn, number uint64) memnet.Shaper {
	return &shaping{lane: l, conn: conn, number: number}
}

// A shaping is a direction of a connection on a link.
type shaping struct {
	lane   *Lane
	conn   *memnet.Conn
	number uint64
	writes atomic.Uint64
	sent   map[*effect]int64 // that have a limit; it belongs to the lock of the lane
}

// Message implements memnet.Shaper.
func (s *shaping) Message(n int) memnet.Message {
	effects := s.lane.current()
	if len(effects) == 0 {
		return memnet.Message{}
	}
	m := memnet.Message{Take: n}
	late, lost := s.draw(effects)
	m.Segment = (&message{lane: s.lane, effects: effects, late: late, draws: s.number<<32 | s.writes.Load()}).segment
	if lost {
		m.Take, m.Break = 0, func() error {
			s.conn.Sever(syscall.ECONNRESET, syscall.ECONNRESET)
			return syscall.ECONNRESET
		}
	} else if take, over := s.limited(effects, n); over {
		m.Take, m.Break = take, func() error {
			s.conn.Finish()
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
	k := s.number<<32 | s.writes.Add(1)
	for _, e := range effects {
		if e.Loss > 0 && e.stream.At(k).Float64() < e.Loss {
			lost = true
		}
		late += e.Latency.Sample(e.stream.At(k))
	}
	return late, lost
}

// limited counts n bytes, and says how many of them go before a limit ends the connection.
func (s *shaping) limited(effects []*effect, n int) (take int, over bool) {
	s.lane.mu.Lock()
	defer s.lane.mu.Unlock()
	take = n
	for _, e := range effects {
		if e.LimitData == 0 {
			continue
		}
		if left := e.LimitData - s.sent[e]; int64(n) >= left {
			take, over = min(take, int(left)), true
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
	effects := s.lane.current()
	if len(effects) == 0 {
		return 0
	}
	d, _ := s.draw(effects)
	for _, e := range effects {
		d += e.SlowClose
	}
	return d
}

// A message is one write under way.
type message struct {
	lane    *Lane
	effects []*effect
	late    time.Duration
	draws   uint64
	slices  uint64
	next    time.Time // when the next slice may leave
}

// segment says how many of n bytes travel together, and when they arrive.
func (m *message) segment(n int) (k int, at time.Time) {
	m.lane.mu.Lock()
	defer m.lane.mu.Unlock()
	at = m.lane.clk.Now()
	if m.next.After(at) {
		at = m.next
	}
	k = n
	for _, e := range m.effects {
		if e.Slice.Size > 0 {
			m.slices++
			k = min(k, e.Slice.draw(e.stream, m.draws, m.slices))
			m.next = at.Add(e.Slice.Pause)
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
func (s Slice) draw(stream tb.Stream, write, number uint64) int {
	if s.Vary == 0 {
		return s.Size
	}
	r := stream.At(write ^ number<<48)
	return max(s.Size-s.Vary+r.IntN(2*s.Vary+1), 1)
}
