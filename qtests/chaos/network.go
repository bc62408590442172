package chaos

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/wire"
)

// Test is the name that the test itself has in the network.
const Test = "test"

// A Network joins components by connections in memory, which partitions hold up and crashes
// break. Its methods are safe for concurrent use.
type Network struct {
	q    *qtests.T
	self *Life // of the test

	mu struct {
		sync.Mutex
		components map[string]*Component
		links      map[[2]string]*wire.Link // by who dials, and whom
		cuts       []*cut
		conns      []*conn     // that are open, by age
		waiting    []*dialling // for the end of a cut
		dials      int
		serving    int // connections of HTTP servers
		ended      bool
	}
}

// NewNetwork returns a network without components. All of them end with the test.
func NewNetwork(q *qtests.T) *Network {
	n := &Network{q: q}
	n.mu.components = map[string]*Component{}
	n.mu.links = map[[2]string]*wire.Link{}
	n.self = newLife(&Component{net: n, nm: Test}, 1)
	n.self.component.life = n.self
	n.mu.components[Test] = n.self.component
	q.Cleanup(n.end)
	return n
}

// locked calls f under the lock of the network, which guards the components as well.
func (n *Network) locked(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

// Test returns the life of the test in the network, which has no end before the test's: its Dial
// and Client reach the components.
func (n *Network) Test() *Life { return n.self }

// A cut keeps what is sent from some components from arriving at others.
type cut struct{ hits func(from, to string) bool }

// Partition cuts the named components off from all others, and from the test, in both directions,
// until the event ends. Nothing is lost: what was sent arrives then, and who dials waits, until its
// context ends. Among themselves the named ones reach each other.
func (n *Network) Partition(names ...string) event.Event {
	n.q.Helper()
	n.known(names...)
	in := func(name string) bool { return slices.Contains(names, name) }
	return n.cutting(strings.Join(names, ", ")+": partitioned", func(from, to string) bool { return in(from) != in(to) })
}

// Cut keeps what one component sends from arriving at another one, until the event ends; the
// other direction goes on. A dial needs both.
func (n *Network) Cut(from, to string) event.Event {
	n.q.Helper()
	n.known(from, to)
	return n.cutting(fmt.Sprintf("%s to %s: cut", from, to), func(f, t string) bool { return f == from && t == to })
}

// Reset breaks all connections between two components. The event has no end.
func (n *Network) Reset(a, b string) event.Event {
	n.q.Helper()
	n.known(a, b)
	return event.New(fmt.Sprintf("%s to %s: reset", a, b), func() {
		n.breakAll(func(c *conn) bool {
			x, y := c.owner.name(), c.peer.owner.name()
			return x == a && y == b || x == b && y == a
		})
	}, nil)
}

// Link returns the link of the connections that from dials to to, for the faults of package wire: they
// are slow, narrow, half-open. Connections from the other side, and those dialled before the first call,
// do not travel on it. A partition of the network holds them up as well.
func (n *Network) Link(from, to string) *wire.Link {
	n.q.Helper()
	n.known(from, to)
	n.mu.Lock()
	l := n.mu.links[[2]string{from, to}]
	n.mu.Unlock()
	if l != nil {
		return l
	}
	l = wire.NewT(n.q, from+" to "+to)
	n.locked(func() { n.mu.links[[2]string{from, to}] = l })
	return l
}

// known fails the test where a component is not there.
func (n *Network) known(names ...string) {
	n.q.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range names {
		if n.mu.components[name] == nil {
			tb.Fatalf(n.q, "chaos: there is no component %q", name)
		}
	}
}

func (n *Network) cutting(name string, hits func(from, to string) bool) event.Event {
	var c *cut
	return event.New(name, func() {
		c = &cut{hits}
		n.changeCuts(func(all []*cut) []*cut { return append(all, c) })
	}, func() {
		n.changeCuts(func(all []*cut) []*cut { return slices.DeleteFunc(all, func(x *cut) bool { return x == c }) })
	})
}

// changeCuts changes what is cut, and lets go on what is not any more, in turn.
func (n *Network) changeCuts(change func([]*cut) []*cut) {
	n.mu.Lock()
	n.mu.cuts = change(n.mu.cuts)
	var wakes []func()
	for _, c := range n.mu.conns {
		held := n.cutLocked(c.owner.name(), c.peer.owner.name())
		switch {
		case held && !c.held:
			c.HoldOut(memnet.Cut, true)
		case !held && c.held:
			wakes = append(wakes, func() { c.release() })
		}
		c.held = held
	}
	n.mu.waiting = slices.DeleteFunc(n.mu.waiting, func(d *dialling) bool {
		free := !n.apartLocked(d.from, d.to)
		if free {
			wakes = append(wakes, func() { close(d.free) })
		}
		return free
	})
	n.mu.Unlock()
	bubble.InTurn(n.q.Clock(), wakes...)
}

// release lets a connection's direction go on, unless it was cut again meanwhile.
func (c *conn) release() {
	n := c.owner.component.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if !c.held {
		c.HoldOut(memnet.Cut, false)
	}
}

func (n *Network) cutLocked(from, to string) bool {
	return slices.ContainsFunc(n.mu.cuts, func(c *cut) bool { return c.hits(from, to) })
}

func (n *Network) apartLocked(a, b string) bool { return n.cutLocked(a, b) || n.cutLocked(b, a) }

// A dialling waits for the end of a cut.
type dialling struct {
	from, to string
	free     chan struct{}
}

// reach waits until two components are not apart, or ctx ends.
func (n *Network) reach(ctx context.Context, from, to string) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n.mu.Lock()
		if !n.apartLocked(from, to) {
			n.mu.Unlock()
			return nil
		}
		d := &dialling{from, to, make(chan struct{})}
		n.mu.waiting = append(n.mu.waiting, d)
		n.mu.Unlock()
		select {
		case <-d.free:
		case <-ctx.Done():
			n.locked(func() { n.mu.waiting = slices.DeleteFunc(n.mu.waiting, func(x *dialling) bool { return x == d }) })
		}
	}
}

// connect joins a life to the listener of a component.
func (n *Network) connect(ctx context.Context, from *Life, to string) (client, server *conn, l *listener, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.mu.components[to]
	if c == nil {
		return nil, nil, nil, &net.DNSError{Err: "no such component", Name: to, IsNotFound: true}
	}
	if c.life == nil || c.life.dead || c.life.listener == nil {
		return nil, nil, nil, syscall.ECONNREFUSED
	}
	n.mu.dials++
	// Ports as of clients, from a block that is set aside for documentation.
	local := qtests.Addr(fmt.Sprintf("192.0.2.%d:%d", 1+n.mu.dials/60000%254, 1024+n.mu.dials%60000))
	a, b := memnet.Pair(n.q.Clock(), local, qtests.Addr(to+":80"))
	a.Adopt(ctx)
	client, server = &conn{Conn: a, owner: from}, &conn{Conn: b, owner: c.life}
	client.peer, server.peer = server, client
	for _, c := range []*conn{client, server} {
		if c.held = n.cutLocked(c.owner.name(), c.peer.owner.name()); c.held {
			c.HoldOut(memnet.Cut, true)
		}
	}
	n.mu.conns = append(n.mu.conns, client, server)
	return client, server, c.life.listener, nil
}

// forget takes a connection off the list when both of its ends are closed.
func (n *Network) forget(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c.closed = true
	if c.peer.closed {
		n.mu.conns = slices.DeleteFunc(n.mu.conns, func(x *conn) bool { return x == c || x == c.peer })
	}
}

// breakAll breaks connections, in turn.
func (n *Network) breakAll(which func(*conn) bool) {
	n.mu.Lock()
	var wakes []func()
	for _, c := range n.mu.conns {
		if which(c) && !c.closed {
			wakes = append(wakes, c.cutOff)
		}
	}
	n.mu.Unlock()
	bubble.InTurn(n.q.Clock(), wakes...)
}

// lingers is longer than a connection of net/http's server lingers when its request was not read
// to the end.
const lingers = time.Second

// end ends every component when the test does.
func (n *Network) end() {
	n.mu.Lock()
	n.mu.ended = true
	var lives []*Life
	for _, c := range n.mu.components {
		if c.life != nil && !c.life.dead {
			lives = append(lives, c.life)
		}
	}
	n.mu.Unlock()
	slices.SortFunc(lives, func(a, b *Life) int { return strings.Compare(a.name(), b.name()) })
	for _, l := range lives {
		l.end()
	}
	for waited := time.Duration(0); n.busy() && waited < lingers; waited += lingers / 10 {
		n.q.Sleep(lingers / 10)
	}
}

func (n *Network) busy() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.serving > 0
}
