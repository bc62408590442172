package pool

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/userline"
)

// An HTTPStub is a route of an [HTTP] with its responder. The events of its
// embedded HTTPFaults concern this route alone. All methods are safe for
// concurrent use.
type HTTPStub struct {
	HTTPFaults
	responder httpmock.Responder
	behaviour *behaviour
}

// Latency replaces the fake's latency to the first byte for this route.
func (s *HTTPStub) Latency(l qtests.Latency) *HTTPStub {
	s.t.Helper()
	s.behaviour.setLatency(&s.Faults, l)
	return s
}

// Error makes the route fail from now on, each time.
func (s *HTTPStub) Error(err error) *HTTPStub {
	s.t.Helper()
	return s.Errors(1, err)
}

// Errors makes the route fail with probability p from 0 to 1, independently of
// other errors. It adds to earlier calls.
func (s *HTTPStub) Errors(p float64, err error) *HTTPStub {
	s.t.Helper()
	s.behaviour.addError(&s.Faults, p, err)
	return s
}

// A matchedRoute leaves httpmock as an error: its transport finds the route and
// counts the call, and the responder runs, and waits, outside it.
type matchedRoute struct {
	stub *HTTPStub
	req  *http.Request // with the submatches that httpmock found
}

func (*matchedRoute) Error() string { return "matched" }

// detached hides the end of a context, because httpmock starts two goroutines
// for each request that could be cancelled.
type detached struct{ context.Context }

func (detached) Done() <-chan struct{} { return nil }
func (detached) Err() error            { return nil }

// attached has the values of one context and the end of another.
type attached struct {
	context.Context
	values context.Context
}

func (a attached) Value(key any) any { return a.values.Value(key) }

// route asks httpmock for the route of a request.
func (h *HTTP) route(req *http.Request) (*matchedRoute, error) {
	probe := req.WithContext(detached{req.Context()})
	_, err := h.mock.RoundTrip(probe)
	m, ok := err.(*matchedRoute)
	if !ok {
		return nil, h.unmatched(req, err)
	}
	if _, plain := m.req.Context().(detached); plain {
		m.req = m.req.WithContext(req.Context())
	} else {
		m.req = m.req.WithContext(attached{req.Context(), m.req.Context()})
	}
	return m, nil
}

// An UnmatchedRequest is the error of a request that no route answers. It
// unwraps to [ErrUnmatched] and to httpmock's own error.
type UnmatchedRequest struct {
	Fake       string
	Method     string
	URL        string
	Registered []string // "METHOD URL", in httpmock's order
	Err        error
}

func (e *UnmatchedRequest) Error() string {
	text := fmt.Sprintf("%s: no responder for %s %s: %v", e.Fake, e.Method, e.URL, e.Err)
	if len(e.Registered) == 0 {
		return text + "\nno responder is registered: call On"
	}
	return text + "\nregistered:\n\t" + strings.Join(e.Registered, "\n\t")
}

// Unwrap returns ErrUnmatched and httpmock's error.
func (e *UnmatchedRequest) Unwrap() []error { return []error{ErrUnmatched, e.Err} }

func (h *HTTP) unmatched(req *http.Request, cause error) error {
	err := &UnmatchedRequest{
		Fake: h.name, Method: or(req.Method, http.MethodGet), URL: req.URL.String(),
		Registered: h.mock.Responders(), Err: cause,
	}
	key := err.Method + " " + req.URL.Path
	h.mu.Lock()
	h.mu.unmatched++
	log := !h.mu.closed && len(h.mu.logged) < maxUnmatchedLogged && !slices.Contains(h.mu.logged, key)
	if log {
		h.mu.logged = append(h.mu.logged, key)
	}
	h.mu.Unlock()
	if log {
		userline.Logf(h.t, "%v", err)
	}
	return err
}

// respond runs the responder and returns its answer, or the error of the
// request's context as soon as that ends: a responder that does not heed it is
// left behind. A panic becomes a *PanicError, and Goexit ErrGoexit.
func (m *matchedRoute) respond() (*http.Response, error) {
	ctx := m.req.Context()
	if ctx.Done() == nil {
		return m.run()
	}
	type outcome struct {
		resp *http.Response
		err  error
	}
	ch := make(chan outcome, 1)
	go func() {
		o := outcome{err: fmt.Errorf("responder: %w", ErrGoexit)}
		defer func() { ch <- o }()
		o.resp, o.err = m.run()
	}()
	select {
	case o := <-ch:
		return o.resp, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *matchedRoute) run() (resp *http.Response, err error) {
	defer func() {
		if r := recover(); r != nil {
			resp, err = nil, fmt.Errorf("responder: %w", &PanicError{Value: r, Stack: debug.Stack()})
		}
	}()
	resp, err = m.stub.responder(m.req)
	if resp == nil && err == nil {
		err = fmt.Errorf("%s: the responder returned neither a response nor an error", m.stub.what)
	}
	return resp, err
}
