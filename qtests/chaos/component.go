package chaos

import (
	"fmt"
	"slices"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Component is a part of the system that has a memory and connections of its own, such as a
// server, a worker or a node of a cluster. Its methods are safe for concurrent use.
type Component struct {
	net *Network
	nm  string
	run func(l *Life)

	// The rest belongs to the lock of the network.
	life     *Life // the present one, or the last
	lives    int
	down     int // crashes that have not ended
	triggers []*trigger
}

// Component adds a component, and begins its first life: run is called with it, in a goroutine of
// its own, when what runs now has come to rest. Whatever run needs in memory it has to make anew in
// each life, and whatever it starts has to end when the context of the life does. The component
// lives on when run returns.
func (n *Network) Component(name string, run func(l *Life)) *Component {
	n.q.Helper()
	c := &Component{net: n, nm: name, run: run}
	taken := false
	n.locked(func() {
		if taken = n.mu.components[name] != nil; !taken {
			n.mu.components[name] = c
		}
	})
	if taken || name == "" {
		tb.Fatalf(n.q, "chaos: Component(%q): the name is taken", name)
	}
	c.start()
	return c
}

// Name is the name in the network.
func (c *Component) Name() string { return c.nm }

func (c *Component) String() string {
	if c == nil {
		return "<nil>"
	}
	return c.nm
}

// Crash ends the component's life, and the end of the event begins the next one; with a Duration
// of 0 there is none.
//
// At the instant of the crash its connections break, its listener refuses, what it does through
// its Life fails with ErrCrashed, and the context of the life ends. Peers read ECONNRESET, or
// what a partition lets through.
func (c *Component) Crash() event.Event {
	return event.New(c.nm+": crash", func() { c.crash() }, c.restart)
}

// Lives is how many lives have begun.
func (c *Component) Lives() (n int) {
	c.net.locked(func() { n = c.lives })
	return n
}

// Up reports whether a life is under way.
func (c *Component) Up() (up bool) {
	c.net.locked(func() { up = c.life != nil && !c.life.dead })
	return up
}

// start begins a life, unless the test is over or the component lives.
func (c *Component) start() {
	n := c.net
	var l *Life
	n.locked(func() {
		if n.mu.ended || c.down > 0 || c.life != nil && !c.life.dead {
			return
		}
		c.lives++
		l = newLife(c, c.lives)
		c.life = l
	})
	if l != nil {
		n.q.Go(l.main)
	}
}

// crash ends the present life.
func (c *Component) crash() {
	var l *Life
	c.net.locked(func() {
		c.down++
		l = c.life
	})
	if l != nil {
		l.end()
	}
}

// restart ends a crash.
func (c *Component) restart() {
	c.net.locked(func() { c.down-- })
	c.start()
}

// A trigger has something happen before an operation of a component.
type trigger struct {
	left int // operations until then
	fire func()
}

// armed is e, but it begins before operation number before of the component, counted from the
// instant at which e would. Its end stays where it is, and calls off what has not begun.
func (c *Component) armed(e event.Event, before int) event.Event {
	var t *trigger
	mark := func(text string) {
		c.net.q.EventLog().Add(c.net.q.Clock().Now(), "chaos", text)
	}
	begin, end := e.Begin, e.End
	e.Begin = func() {
		t = &trigger{left: before, fire: func() {
			mark(fmt.Sprintf("%s: begins, before operation %d of %s", e.Name, before, c.nm))
			if begin != nil {
				begin()
			}
		}}
		c.net.locked(func() { c.triggers = append(c.triggers, t) })
	}
	e.End = func() {
		begun := false
		c.net.locked(func() {
			begun = t.left <= 0
			c.triggers = slices.DeleteFunc(c.triggers, func(x *trigger) bool { return x == t })
		})
		if begun && end != nil {
			end()
		}
	}
	if e.Duration == 0 {
		e.End = nil
	}
	e.Name = fmt.Sprintf("%s (armed for operation %d of %s)", e.Name, before, c.nm)
	return e
}

// operation is called before each operation of a life, and fires what waits for it.
func (l *Life) operation() error {
	n, c := l.component.net, l.component
	var fire []func()
	n.locked(func() {
		if l.dead {
			return
		}
		c.triggers = slices.DeleteFunc(c.triggers, func(t *trigger) bool {
			if t.left--; t.left == 0 {
				fire = append(fire, t.fire)
			}
			return t.left == 0
		})
	})
	for _, f := range fire {
		f()
	}
	return l.Err()
}

// end ends a life: nothing that it does reaches anybody from here on.
func (l *Life) end() {
	var wakes []func()
	l.component.net.locked(func() { wakes = l.endLocked() })
	bubble.InTurn(l.component.net.q.Clock(), wakes...)
}

// endLocked returns what is left to do, in turn and without the lock.
func (l *Life) endLocked() []func() {
	if l.dead {
		return nil
	}
	l.dead = true
	wakes := []func(){l.cancel}
	if l.listener != nil {
		wakes = append(wakes, l.listener.close)
	}
	for _, s := range l.servers {
		wakes = append(wakes, func() { _ = s.Close() }) // memory only, which cannot fail
	}
	for _, c := range l.component.net.mu.conns {
		if c.owner == l && !c.closed {
			wakes = append(wakes, c.cutOff)
		}
	}
	if l.transport != nil {
		wakes = append(wakes, l.transport.CloseIdleConnections)
	}
	return wakes
}
