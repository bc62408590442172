package wire

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/guard"
	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Hosts are the servers of a test by their addresses, all in memory, and the dialers of its clients. Each address has
// a [Link] of its own, on which faults happen to all who dial it. Its methods are safe for concurrent use.
type Hosts struct {
	q     *qtests.T
	known guard.Value[directory] // not held while a connection is dialled
}

// A directory knows what each address reaches. It is a plain structure without lock.
type directory struct {
	hosts map[string]*host
	ports int // how many were given for port 0
}

// A host is what an address reaches.
type host struct {
	link *Link
	dial func(context.Context) (net.Conn, error) // nil while nobody listens
}

// NewHosts returns hosts without any address.
func NewHosts(q *qtests.T) *Hosts { return &Hosts{q: q} }

// at returns the host at an address. A host that comes new has a link of the test q.
func (d *directory) at(q *qtests.T, addr string) *host {
	q.Helper()
	at := d.hosts[addr]
	if at == nil {
		at = &host{link: NewT(q, addr)}
		if d.hosts == nil {
			d.hosts = map[string]*host{}
		}
		d.hosts[addr] = at
	}
	return at
}

// Serve has a server of any kind listen at an address, "host:port", until the test ends, and returns the link of the
// address. serve is its method Serve; stop ends it and its connections, and may be nil where serve returns when its
// listener is closed and has closed them. What serve returns goes to the test's log, unless stop was called before.
//
//	link := hosts.Serve("grpc.memory:443", server.Serve, server.Stop)
func (h *Hosts) Serve(addr string, serve func(net.Listener) error, stop func()) *Link {
	h.q.Helper()
	l, err := h.listen(addr)
	if err != nil {
		tb.Fatalf(h.q, "wire: Serve: %v", err)
	}
	stopped, done := make(chan struct{}), make(chan struct{})
	h.q.Go(func() {
		defer close(done)
		defer func() { _ = l.Close() }() // so that dials are refused
		err := serve(l)
		select {
		case <-stopped:
		default:
			h.q.Logf("wire: the server at %s has ended: %v", addr, err)
		}
	})
	h.q.Cleanup(func() {
		close(stopped)
		if stop != nil {
			stop()
		}
		_ = l.Close()
		<-done
	})
	return h.Link(addr)
}

// Add has an address reach what dial connects to, as server.Listener().Dial of q.Serve, and returns the link of the
// address. One address reaches one server.
func (h *Hosts) Add(addr string, dial func(context.Context) (net.Conn, error)) *Link {
	h.q.Helper()
	if err := h.take(addr, dial); err != nil {
		tb.Fatalf(h.q, "wire: Add: %v", err)
	}
	return h.Link(addr)
}

// Listen has the form of net.Listen, for servers that take such a function. Port 0 is a free one, the same in each
// run. It fails with EADDRINUSE while somebody listens at the address. network does not count.
func (h *Hosts) Listen(_, addr string) (net.Listener, error) {
	return h.listen(addr)
}

func (h *Hosts) listen(addr string) (*hostListener, error) {
	addr = h.named(addr)
	l := qtests.Listen(h.q.Clock(), addr)
	if err := h.take(addr, l.Dial); err != nil {
		return nil, err
	}
	return &hostListener{Listener: l, hosts: h, addr: addr}, nil
}

// A hostListener leaves its address when it closes.
type hostListener struct {
	*qtests.Listener
	hosts *Hosts
	addr  string
	once  sync.Once
}

// Close refuses further dials, also those that wait for a partition to end.
func (l *hostListener) Close() error {
	l.once.Do(func() { l.hosts.leave(l.addr) })
	return l.Listener.Close()
}

// Link returns the link of an address: all connections to the address go over it, with any listener, also with one that
// comes later. The address is its name.
func (h *Hosts) Link(addr string) *Link {
	h.q.Helper()
	var link *Link
	h.known.Do(func(d *directory) { link = d.at(h.q, addr).link })
	return link
}

// lastPort is the one before the first that is given for port 0.
const lastPort = 40_000

// named gives an address with port 0 a port.
func (h *Hosts) named(addr string) string {
	name, port, err := net.SplitHostPort(addr)
	if err != nil || port != "0" {
		return addr
	}
	h.known.Do(func(d *directory) {
		d.ports++
		port = strconv.Itoa(lastPort + d.ports)
	})
	return net.JoinHostPort(name, port)
}

// take has an address reach what dial connects to.
func (h *Hosts) take(addr string, dial func(context.Context) (net.Conn, error)) (err error) {
	h.known.Do(func(d *directory) {
		at := d.at(h.q, addr)
		if at.dial != nil {
			err = &net.OpError{Op: "listen", Net: memnet.Network, Addr: qtests.Addr(addr), Err: syscall.EADDRINUSE}
			return
		}
		at.dial = dial
	})
	return err
}

func (h *Hosts) leave(addr string) {
	h.known.Do(func(d *directory) { d.hosts[addr].dial = nil })
}

// Dial connects to the server at addr, over its link. It has the form that most clients take: DialContext of
// net/http, the Dialer of Redis, the DialFunc of pgx. Where nobody listens any more, or not yet, it fails with
// ECONNREFUSED, and for an address that the hosts do not know with a *net.DNSError that has those they know.
func (h *Hosts) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var at *host
	var known []string
	h.known.Do(func(d *directory) {
		if at = d.hosts[addr]; at == nil {
			known = slices.Sorted(maps.Keys(d.hosts))
		}
	})
	if at == nil {
		return nil, &net.OpError{Op: "dial", Net: memnet.Network, Addr: qtests.Addr(addr), Err: &net.DNSError{
			Err: fmt.Sprintf("no such host in memory; there are: %s", strings.Join(known, ", ")), Name: addr, IsNotFound: true,
		}}
	}
	reach := func(ctx context.Context) (net.Conn, error) {
		var dial func(context.Context) (net.Conn, error)
		h.known.Do(func(*directory) { dial = at.dial })
		if dial == nil {
			return nil, &net.OpError{Op: "dial", Net: memnet.Network, Addr: qtests.Addr(addr), Err: syscall.ECONNREFUSED}
		}
		return dial(ctx)
	}
	return at.link.Dialer(reach)(ctx, network, addr)
}

// DialAddr is Dial for clients that give no network: grpc.WithContextDialer(hosts.DialAddr), with a target such as
// "passthrough:///grpc.memory:443".
func (h *Hosts) DialAddr(ctx context.Context, addr string) (net.Conn, error) {
	return h.Dial(ctx, memnet.Network, addr)
}

// Transport returns a transport for HTTP/1.1 to the hosts: "http://shop.memory/" is the one at "shop.memory:80".
func (h *Hosts) Transport() *http.Transport {
	t := &http.Transport{DialContext: h.Dial, MaxIdleConnsPerHost: 100_000, ExpectContinueTimeout: time.Second}
	h.q.Cleanup(t.CloseIdleConnections)
	return t
}

// Transport2 returns a transport for HTTP/2 without TLS, which the servers of q.Serve speak as well. All requests to
// a host share a connection.
func (h *Hosts) Transport2() *http.Transport {
	t := h.Transport()
	t.Protocols = new(http.Protocols)
	t.Protocols.SetUnencryptedHTTP2(true)
	return t
}
