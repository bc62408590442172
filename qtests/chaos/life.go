package chaos

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"

	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/internal/serverlog"
	"github.com/go-qtests/qtests/qtests/wire"
)

// ErrCrashed is what a life gets that has ended.
var ErrCrashed = errors.New("chaos: the component has crashed")

// A Life is a component from its start to its crash, and its way to all outside of it. Its methods
// are safe for concurrent use.
type Life struct {
	component *Component
	number    int
	ctx       context.Context
	cancel    context.CancelFunc

	// These belong to the lock of the network.
	dead      bool
	listener  *listener
	servers   []*http.Server
	transport *http.Transport
}

func newLife(c *Component, number int) *Life {
	ctx, cancel := context.WithCancel(context.Background())
	return &Life{component: c, number: number, ctx: ctx, cancel: cancel}
}

func (l *Life) name() string { return l.component.nm }

// main calls the component's function. What a life that has ended panics with is nobody's
// concern: its process would not be there.
func (l *Life) main() {
	defer func() {
		if l.Err() != nil {
			_ = recover()
		}
	}()
	l.component.run(l)
}

// Context ends with the life.
func (l *Life) Context() context.Context { return l.ctx }

// Number is 1 for the first life of the component, and then 2, 3, ….
func (l *Life) Number() int { return l.number }

// Name is the component's name.
func (l *Life) Name() string { return l.name() }

// Err is nil while the life lasts, and then ErrCrashed.
func (l *Life) Err() (err error) {
	l.component.net.locked(func() {
		if l.dead {
			err = ErrCrashed
		}
	})
	return err
}

// Do calls f, which changes something that outlives the component (a disk, a fake that others
// use as well), and returns its error. In a life that has ended it returns ErrCrashed, and does not
// call f. It is one operation, before which a crash may come, and not within f.
func (l *Life) Do(f func() error) error {
	if err := l.operation(); err != nil {
		return err
	}
	return f()
}

// Dial connects to a component, as the DialContext of net.Dialer does: addr is its name, with
// any port or none. It waits while a partition is between them. A component that is down, or does
// not listen, refuses (ECONNREFUSED).
func (l *Life) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	to, _, err := net.SplitHostPort(addr)
	if err != nil {
		to = addr
	}
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: memnet.Network, Addr: memAddr(to), Err: err}
	}
	if err := l.operation(); err != nil {
		return fail(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	if err := l.component.net.reach(ctx, l.name(), to); err != nil {
		return fail(errors.Join(l.Err(), err))
	}
	dial := func(ctx context.Context) (net.Conn, error) { return l.connect(ctx, to) }
	var link *wire.Link
	l.component.net.locked(func() { link = l.component.net.mu.links[[2]string{l.name(), to}] })
	if link != nil {
		through := link.Dialer(dial)
		dial = func(ctx context.Context) (net.Conn, error) { return through(ctx, network, addr) }
	}
	c, err := dial(ctx)
	if err == nil {
		return c, nil
	}
	if crashed := l.Err(); crashed != nil {
		err = errors.Join(crashed, err)
	}
	return fail(err)
}

// connect connects to what a component listens on.
func (l *Life) connect(ctx context.Context, to string) (net.Conn, error) {
	client, server, listener, err := l.component.net.connect(ctx, l, to)
	if err != nil {
		return nil, err
	}
	if err := listener.offer(ctx, server); err != nil {
		_, _ = client.Close(), server.Close() // nobody has seen them
		return nil, err
	}
	return client, nil
}

// Listen returns the listener of this life, where the component is dialled. It closes with the
// life. Each life has one.
func (l *Life) Listen() (net.Listener, error) {
	var err error
	l.component.net.locked(func() {
		switch {
		case l.dead:
			err = ErrCrashed
		case l.listener != nil:
			err = syscall.EADDRINUSE
		default:
			l.listener = newListener(l.name())
		}
	})
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: memnet.Network, Addr: memAddr(l.name()), Err: err}
	}
	return l.listener, nil
}

// Serve serves HTTP on the listener until the life ends, and returns at once. The context of a
// request ends with the life, too.
func (l *Life) Serve(handler http.Handler) error {
	lis, err := l.Listen()
	if err != nil {
		return err
	}
	n := l.component.net
	s := &http.Server{
		Handler: handler, ErrorLog: log.New(serverlog.New(n.q, func() bool { return l.Err() != nil }), "", 0), ConnState: n.track(),
		BaseContext: func(net.Listener) context.Context { return l.ctx },
	}
	n.locked(func() { l.servers = append(l.servers, s) })
	go func() { _ = s.Serve(lis) }() // its end is the listener's
	return nil
}

// track counts the connections of a server that its goroutines use.
func (n *Network) track() func(net.Conn, http.ConnState) {
	var open sync.Map
	return func(c net.Conn, s http.ConnState) {
		change := 0
		switch s {
		case http.StateNew:
			open.Store(c, true)
			change = 1
		case http.StateClosed, http.StateHijacked:
			if _, was := open.LoadAndDelete(c); was {
				change = -1
			}
		}
		n.locked(func() { n.mu.serving += change })
	}
}

// Client returns the HTTP client of this life, which reaches the components by their names as
// hosts: http://store/stock. It has no timeout: give each request a context that has one, or copy
// the client.
func (l *Life) Client() *http.Client {
	l.component.net.locked(func() {
		if l.transport == nil {
			l.transport = &http.Transport{DialContext: l.Dial, MaxIdleConnsPerHost: 1000}
		}
	})
	return &http.Client{Transport: l.transport}
}

func (l *Life) String() string { return fmt.Sprintf("life %d of %s", l.number, l.name()) }
