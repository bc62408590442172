package fakehttp

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// maxPaths is how many paths a fake counts one by one; the calls of all others are
// counted together.
const maxPaths = 1000

// RoundTrip implements http.RoundTripper.
func (h *Fake) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }()
	}
	if req.URL == nil {
		return nil, errors.New("fakehttp: a request without a URL")
	}
	h.count(req)
	m, err := h.route(req)
	if err != nil {
		return nil, err
	}
	hosts, err := h.host(req.URL.Host)
	if err != nil {
		return nil, err
	}
	ctx := req.Context()
	lease, err := hosts.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	kept := false
	defer func() { // on every way out but one
		if !kept {
			lease.Discard(err)
		}
	}()
	call := m.stub.behaviour.Call(operation(req))
	if err := h.engine.Do(ctx, &call); err != nil {
		return nil, err
	}
	if resp = h.status(call.On); resp == nil {
		if resp, err = m.respond(); err != nil {
			return nil, err
		}
	}
	resp.Request = req
	kept = true
	h.deliver(resp, ctx, call, lease)
	return resp, nil
}

// deliver hands the connection over to the body.
func (h *Fake) deliver(resp *http.Response, ctx context.Context, call fault.Call, lease pool.Lease[*conn]) {
	if resp.Body == nil || resp.Body == http.NoBody || resp.Request.Method == http.MethodHead {
		lease.Release()
		return
	}
	resp.Body = &body{under: resp.Body, h: h, ctx: ctx, call: call, lease: lease}
}

// count counts a request by its method and path.
func (h *Fake) count(req *http.Request) {
	key := operation(req)
	h.locked(func(s *state) {
		if _, known := s.calls[key]; !known && len(s.calls) >= maxPaths {
			key = "other"
		}
		s.calls[key]++
	})
}

// operation names what a request asks for.
func operation(req *http.Request) string { return methodOf(req) + " " + req.URL.Path }

func methodOf(req *http.Request) string { return cmp.Or(req.Method, http.MethodGet) }
