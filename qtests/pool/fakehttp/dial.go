package fakehttp

import (
	"context"
	"net"
	"net/url"
	"slices"

	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

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
