package fakehttp

import (
	"context"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// A conn is a connection to a host. It is open, and carries nothing by itself: it is a
// net.Conn for the hooks of package httptrace. The holder of the lease has it.
type conn struct {
	address string
	uses    int       // leases before the present one
	since   time.Time // end of its last use
}

func (c *conn) Read([]byte) (int, error)         { return 0, io.EOF }
func (c *conn) Write([]byte) (int, error)        { return 0, io.ErrClosedPipe }
func (c *conn) Close() error                     { return nil }
func (c *conn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: localhost} }
func (c *conn) RemoteAddr() net.Addr             { return address(c.address) }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

var localhost = net.IPv4(127, 0, 0, 1)

// An address is "host:port".
type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

// hostOf returns the host of a URL in lower case, without the port if that is the
// default of the scheme.
func hostOf(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == defaultPort(u.Scheme) {
		port = ""
	}
	if port != "" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// addressOf returns the address that a URL is requested at, always with a port.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func defaultPort(scheme string) string {
	switch strings.ToLower(scheme) {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// A pendingDial is a request that may have a connection dialed. The next one that is
// dialed to its host calls its hooks.
type pendingDial struct {
	trace   *tracer
	scheme  string
	address string
}

// expectDial notes a request with hooks. It returns nil for one without.
func (h *Fake) expectDial(host string, t *tracer, u *url.URL) *pendingDial {
	if t == nil {
		return nil
	}
	d := &pendingDial{t, u.Scheme, addressOf(u)}
	h.locked(func(s *state) { s.dials[host] = append(s.dials[host], d) })
	return d
}

// unexpectDial forgets a request that has a connection now, or gets none.
func (h *Fake) unexpectDial(host string, d *pendingDial) {
	if d == nil {
		return
	}
	h.locked(func(s *state) {
		s.dials[host] = slices.DeleteFunc(s.dials[host], func(o *pendingDial) bool { return o == d })
		if len(s.dials[host]) == 0 {
			delete(s.dials, host)
		}
	})
}

// nextDial returns the request for which a connection is dialed, as far as it is known.
func (h *Fake) nextDial(host string) *pendingDial {
	d := &pendingDial{address: host}
	h.locked(func(s *state) {
		if waiting := s.dials[host]; len(waiting) > 0 {
			d, s.dials[host] = waiting[0], waiting[1:]
		}
	})
	return d
}

// dial is the New of the pool of a host.
func (h *Fake) dial(ctx context.Context, host string) (*conn, error) {
	d := h.nextDial(host)
	d.trace.dialing(d.address)
	call := h.connect.behaviour.Call("connect")
	err := h.engine.Dial(ctx, &call)
	d.trace.dialed(d.address, fault.Arrived(err))
	if err != nil {
		return nil, err
	}
	err = h.handshake()
	if name, _, _ := net.SplitHostPort(d.address); d.scheme == "https" {
		d.trace.secured(name, err)
	}
	if err != nil {
		return nil, err
	}
	return &conn{address: d.address}, nil
}

// CloseIdleConnections closes the connections that no request uses: what
// (*http.Client).CloseIdleConnections calls.
func (h *Fake) CloseIdleConnections() {
	for _, p := range h.pools() {
		for _, l := range p.AcquireAllIdle() {
			l.Discard(nil)
		}
	}
}
