package fakehttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// errCanceled is what net/http says when a request's Cancel channel is closed.
var errCanceled = errors.New("net/http: request canceled")

// RoundTrip implements http.RoundTripper. Requests and responses are treated as
// http.Transport treats them over HTTP/1.1.
func (h *Fake) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }()
	}
	if err := check(req); err != nil {
		return nil, err
	}
	x := newExchange(h, req)
	if err := x.findRoute(); err != nil {
		return nil, err
	}
	x.watch()
	resp, err := x.run()
	if err != nil {
		return nil, x.cause(err)
	}
	return resp, nil
}

// check refuses what http.Transport refuses.
func check(req *http.Request) error {
	switch u := req.URL; {
	case u == nil:
		return errors.New("fakehttp: a request without a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("fakehttp: unsupported protocol scheme %q", u.Scheme)
	case u.Host == "":
		return errors.New("fakehttp: no host in the URL of a request")
	}
	return nil
}

// watch makes the Cancel channel of a request end its context. http.Client sets the
// channel beside a deadline of the context for its Timeout: then the deadline is enough.
func (x *exchange) watch() {
	x.ctx, x.unhook = x.req.Context(), nothing
	//lint:ignore SA1019 http.Transport heeds it, too
	given := x.req.Cancel //nolint:staticcheck // http.Transport heeds it, too
	if _, limited := x.ctx.Deadline(); given == nil || limited {
		return
	}
	ctx, cancel := context.WithCancelCause(x.ctx)
	x.ctx, x.unhook = ctx, func() { cancel(context.Canceled) }
	go func() {
		select {
		case <-given:
			cancel(errCanceled)
		case <-ctx.Done():
		}
	}()
}

func nothing() {}

// findRoute counts the request and finds its route.
func (x *exchange) findRoute() error {
	q, plain := questionOf(x.req)
	f := finding{}
	var registered uint64
	x.h.locked(func(s *state) {
		if plain {
			f = s.found[q]
		}
		if f.stub != nil {
			*f.calls++
			return
		}
		f.op = operation(x.req)
		f.calls, registered = s.count(f.op), s.registered
	})
	known := f.stub != nil
	if !known {
		if err := x.askForRoute(); err != nil {
			return err
		}
		var err error
		if f.connections, err = x.h.host(hostOf(x.req.URL)); err != nil {
			return err
		}
		f.stub = x.route.stub
	}
	x.op, x.route.stub, x.connections = f.op, f.stub, f.connections
	if plain && !known {
		x.h.locked(func(s *state) { s.keep(q, f, registered) })
	}
	return nil
}

// askForRoute asks httpmock for the route of the request: by its URL in the form in which
// routes are registered, then by the URL as it is, which a regular expression may want.
func (x *exchange) askForRoute() error {
	x.shared = true // httpmock and its matchers get the route
	r := &x.route
	r.asking = x.req.Context()
	probe := x.req.WithContext(r)
	probe.URL, probe.Cancel = normal(x.req.URL), nil //nolint:staticcheck // http.Transport heeds it, too, and httpmock starts goroutines for it
	_, err := x.h.mock.RoundTrip(probe)
	if err != errMatched && probe.URL.String() != x.req.URL.String() {
		probe.URL = x.req.URL
		_, err = x.h.mock.RoundTrip(probe)
	}
	if err != errMatched {
		return x.h.unmatched(x.req, err)
	}
	r.req.URL, r.req.Cancel, r.ends = x.req.URL, x.req.Cancel, true //nolint:staticcheck // as above
	return nil
}

// cause returns an error as http.Transport does, which gives the cause of the end of a
// context.
func (x *exchange) cause(err error) error {
	if ended := x.ctx.Err(); ended != nil && err == ended {
		return context.Cause(x.ctx)
	}
	return err
}

// run returns the response, whose body holds the connection then.
func (x *exchange) run() (resp *http.Response, err error) {
	if err := x.connect(); err != nil {
		x.unhook()
		return nil, err
	}
	kept := false
	defer func() { // on every way out but one
		if !kept {
			x.end(false)
		}
	}()
	x.trace.wroteRequest(x.req)
	if !x.route.stub.canned {
		x.woken = make(chan struct{}, 2)
	}
	x.line = &x.place
	if err := x.h.engine.DoOn(x.ctx, &x.call, x.line, x); err != nil {
		return nil, err
	}
	for _, i := range x.route.stub.informs() {
		if err := x.trace.informed(i.code, i.header); err != nil {
			return nil, err
		}
	}
	if resp = x.h.status(x.call.On); resp == nil {
		if resp, err = x.ask(); err != nil {
			return nil, err
		}
	}
	x.trace.firstByte()
	if resp, err = x.complete(resp); err != nil {
		return nil, err
	}
	if kept = true; x.body.x == nil { // it has ended
		x.recycle()
	}
	return resp, nil
}

// most1xx is how many informational answers http.Transport takes of one server.
const most1xx = 5

// ask asks the responder until its answer is no informational one, which is followed
// by another.
func (x *exchange) ask() (*http.Response, error) {
	stub := x.route.stub
	req := x.req
	x.gzip = asksForGzip(req)
	if !stub.canned || stub.captured.Load() != nil {
		req = x.received()
		stub.capture(req)
	}
	for range most1xx + 1 {
		resp, err := x.respond(req)
		if err != nil || !informational(resp.StatusCode) {
			return resp, err
		}
		closeBody(resp)
		if err := x.trace.informed(resp.StatusCode, resp.Header); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: the responder answered with an informational status %d times in a row", x.route.stub.scope.What, most1xx+1)
}

// received returns the request as the server sees it.
func (x *exchange) received() *http.Request {
	x.shared = true
	req := x.route.req
	if req == nil { // the route was known
		req = x.req.WithContext(x.req.Context())
	}
	if x.gzip {
		if req.Header = x.req.Header.Clone(); req.Header == nil {
			req.Header = http.Header{}
		}
		x.gzips = [1]string{"gzip"}
		req.Header["Accept-Encoding"] = x.gzips[:]
	}
	return req
}

// connect gets a connection.
func (x *exchange) connect() error {
	lease, err := x.acquire()
	if err != nil {
		return fault.Arrived(err)
	}
	x.lease, x.conn, x.call = lease, lease.Value(), x.route.stub.behaviour.Call(x.op)
	x.conn.uses++
	return nil
}

// acquire gets the lease of a connection from the pool of the host, and tells the hooks of the request, if it has any.
func (x *exchange) acquire() (pool.Lease[*conn], error) {
	if x.trace == nil {
		return x.connections.Acquire(x.ctx)
	}
	host := hostOf(x.req.URL)
	x.trace.getConn(addressOf(x.req.URL))
	start := x.h.sinceOpen()
	dial := x.h.expectDial(host, x.trace, x.req.URL)
	lease, err := x.connections.Acquire(x.ctx)
	x.h.unexpectDial(host, dial)
	if err == nil {
		x.trace.gotConn(lease.Value(), start, x.h.sinceOpen())
	}
	return lease, err
}
