package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/wire/internal/lane"
)

// ErrNotInMemory is what a dial through a link fails with that does not reach a listener in memory.
var ErrNotInMemory = errors.New("wire: the connection is not one in memory of qtests")

// SegmentSize is how many bytes travel together at most where a bandwidth counts them: what an
// Ethernet frame holds of TCP.
const SegmentSize = lane.SegmentSize

// A Direction is where what is sent travels.
type Direction uint8

// Directions of a link.
const (
	Up   Direction = 1 << iota // from who dialled to who listens
	Down                       // back
	Both = Up | Down
)

func (d Direction) String() string {
	switch d {
	case Up:
		return "up"
	case Down:
		return "down"
	case Both:
		return "both ways"
	}
	return fmt.Sprintf("Direction(%d)", uint8(d))
}

// A Link is a way between two hosts, on which faults happen. Its methods are safe for concurrent
// use.
type Link struct {
	q        *qtests.T
	name     string
	up, down *lane.Lane

	// mu may be held while a connection is locked, and not the other way round. The lock of a lane is
	// below both.
	mu struct {
		sync.Mutex
		faults   int // that were made
		dials    uint64
		conns    []*memnet.Conn // by the end that dialled
		purge    int            // length of conns from which on the ended ones are taken out
		stalled  [2]int
		apart    int
		refusing int
		timeouts []*timeout
		waiting  []chan struct{} // dials
	}
}

// A timeout ends connections when they have been held up for so long.
type timeout struct {
	after time.Duration
	stops []func()
}

// arm begins the time of a connection.
func (t *timeout) arm(clk clock.Clock, c *memnet.Conn) {
	t.stops = append(t.stops, bubble.AfterFunc(clk, t.after, func() { c.Sever(io.EOF, syscall.EPIPE) }))
}

func (t *timeout) stop() {
	for _, stop := range t.stops {
		stop()
	}
}

// NewT returns a link without faults. Its name, which may not be empty, is in the event log and in
// the seed of its draws: two links of a test have two names. When the test ends, its connections break.
func NewT(q *qtests.T, name string) *Link {
	q.Helper()
	if name == "" {
		tb.Fatalf(q, "wire: NewT: the link has no name")
	}
	l := &Link{q: q, name: name, up: lane.New(q.Clock()), down: lane.New(q.Clock())}
	q.Cleanup(l.end)
	return l
}

// Name is the name of the link.
func (l *Link) Name() string { return l.name }

// Open is how many connections of the link have at least one open end.
func (l *Link) Open() int { return len(l.open()) }

// Dialer returns a dial through the link, of the form that net.Dialer.DialContext has. dial is that
// of a listener in memory, as server.Listener().Dial; network and address do not count.
//
//	http.Transport{DialContext: link.Dialer(server.Listener().Dial)}
//	grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return dial(ctx, "tcp", addr) })
func (l *Link) Dialer(dial func(context.Context) (net.Conn, error)) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := l.dial(ctx, dial)
		if err != nil {
			var op *net.OpError
			if !errors.As(err, &op) {
				err = &net.OpError{Op: "dial", Net: memnet.Network, Err: err}
			}
			return nil, err
		}
		return c, nil
	}
}

// Client returns an HTTP/1.1 client that reaches the server through the link, whatever the host of
// the URL. It has no timeout.
func (l *Link) Client(server *qtests.Server) *http.Client {
	t := &http.Transport{DialContext: l.Dialer(server.Listener().Dial), MaxIdleConnsPerHost: 100_000, ExpectContinueTimeout: time.Second}
	l.q.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

// dial takes a latency up, dials, and takes a latency down.
func (l *Link) dial(ctx context.Context, dial func(context.Context) (net.Conn, error)) (net.Conn, error) {
	bubble.CheckContext(ctx, l.q.Clock())
	l.mu.Lock()
	l.mu.dials++
	number := l.mu.dials
	l.mu.Unlock()
	if err := l.reach(ctx); err != nil {
		return nil, err
	}
	if err := l.sleep(ctx, l.up.Delay(number)); err != nil {
		return nil, err
	}
	var c net.Conn
	adopted, err := false, l.refused()
	if err == nil {
		c, err = dial(memnet.With(ctx, func(c *memnet.Conn) {
			adopted = true
			l.adopt(c, number)
		}))
	}
	if err == nil && !adopted {
		_ = c.Close() // nobody has it
		return nil, fmt.Errorf("%w: %T", ErrNotInMemory, c)
	}
	if ended := l.sleep(ctx, l.down.Delay(number)); ended != nil {
		if c != nil {
			_ = c.Close() // nobody has it
		}
		return nil, ended
	}
	return c, err
}

// reach waits until no fault keeps dials waiting.
func (l *Link) reach(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		l.mu.Lock()
		if l.mu.apart == 0 {
			l.mu.Unlock()
			return nil
		}
		free := make(chan struct{})
		l.mu.waiting = append(l.mu.waiting, free)
		l.mu.Unlock()
		select {
		case <-free:
		case <-ctx.Done():
			l.mu.Lock()
			l.mu.waiting = slices.DeleteFunc(l.mu.waiting, func(c chan struct{}) bool { return c == free })
			l.mu.Unlock()
		}
	}
}

func (l *Link) refused() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.refusing > 0 {
		return syscall.ECONNREFUSED
	}
	return nil
}

// sleep waits for d, or until ctx ends.
func (l *Link) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	over := make(chan struct{})
	defer bubble.AfterFunc(l.q.Clock(), d, func() { close(over) })()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// adopt puts a connection on the link, before anybody has it.
func (l *Link) adopt(c *memnet.Conn, number uint64) {
	c.Shape(l.up.Shape(c, number), l.down.Shape(c, number))
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.mu.conns) >= l.mu.purge {
		l.mu.conns = slices.DeleteFunc(l.mu.conns, (*memnet.Conn).Ended)
		l.mu.purge = max(2*len(l.mu.conns), 16)
	}
	l.mu.conns = append(l.mu.conns, c)
	c.Hold(memnet.Stalled, l.mu.stalled[0] > 0, l.mu.stalled[1] > 0, true)
	for _, t := range l.mu.timeouts {
		t.arm(l.q.Clock(), c)
	}
}

// open are the connections that have an open end, by age.
func (l *Link) open() []*memnet.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.mu.conns), (*memnet.Conn).Ended)
}

// each does something to every open connection, in turn.
func (l *Link) each(do func(*memnet.Conn)) {
	l.inTurn(l.open(), do)
}

func (l *Link) inTurn(some []*memnet.Conn, do func(*memnet.Conn)) {
	var wakes []func()
	for _, c := range some {
		wakes = append(wakes, func() { do(c) })
	}
	bubble.InTurn(l.q.Clock(), wakes...)
}

// stall changes by how many faults each direction is held, and lets go on what is not any more.
func (l *Link) stall(d Direction, by int) {
	l.mu.Lock()
	if d&Up != 0 {
		l.mu.stalled[0] += by
	}
	if d&Down != 0 {
		l.mu.stalled[1] += by
	}
	l.mu.Unlock()
	l.each(func(c *memnet.Conn) {
		l.mu.Lock() // it may have changed since
		defer l.mu.Unlock()
		up, down := l.mu.stalled[0] > 0, l.mu.stalled[1] > 0
		c.Hold(memnet.Stalled, up, down, true)
		c.Hold(memnet.Stalled, !up, !down, false)
	})
}

// part changes by how many faults dials are kept waiting, and lets them go on.
func (l *Link) part(by int) {
	l.mu.Lock()
	l.mu.apart += by
	var wakes []func()
	if l.mu.apart == 0 {
		for _, c := range l.mu.waiting {
			wakes = append(wakes, func() { close(c) })
		}
		l.mu.waiting = nil
	}
	l.mu.Unlock()
	bubble.InTurn(l.q.Clock(), wakes...)
}

// refuse changes by how many faults dials are refused.
func (l *Link) refuse(by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.refusing += by
}

// nextFault is the number of a fault that draws.
func (l *Link) nextFault() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.faults++
	return l.mu.faults
}

// begin begins the time of the connections that are open, and of those that come.
func (l *Link) begin(t *timeout) {
	open := l.open()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.timeouts = append(l.mu.timeouts, t)
	for _, c := range open {
		t.arm(l.q.Clock(), c)
	}
}

func (l *Link) finish(t *timeout) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.timeouts = slices.DeleteFunc(l.mu.timeouts, func(x *timeout) bool { return x == t })
	t.stop()
}

// end breaks what is left when the test ends.
func (l *Link) end() {
	l.mu.Lock()
	timeouts := l.mu.timeouts
	l.mu.timeouts = nil
	for _, t := range timeouts {
		t.stop()
	}
	l.mu.Unlock()
	l.reset()
}
