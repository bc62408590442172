package fakehttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
)

// A matchedRoute leaves httpmock as an error: its transport finds the route and
// counts the call, and the responder runs, and waits, outside it.
type matchedRoute struct {
	stub *Stub
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
func (h *Fake) route(req *http.Request) (*matchedRoute, error) {
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

// respond runs the responder and returns its answer. As soon as the context of the
// request ends, it returns the error of the context, and does not wait for the responder.
// A panic becomes a *pool.PanicError, and Goexit pool.ErrGoexit.
func (m *matchedRoute) respond() (*http.Response, error) {
	ctx := m.req.Context()
	var resp *http.Response
	call := func() (err error) {
		if resp, err = m.stub.responder(m.req); resp == nil && err == nil {
			err = fmt.Errorf("%s: the responder returned neither a response nor an error", m.stub.scope.What)
		}
		return err
	}
	if ctx.Done() == nil {
		err := explain(usercode.Call(call))
		return resp, err
	}
	ended := make(chan error, 1)
	go usercode.Run(call, func(err error) { ended <- err })
	select {
	case err := <-ended:
		return resp, explain(err)
	case <-ctx.Done():
		return nil, ctx.Err() // the responder may still write resp
	}
}

// explain says of a panic and of Goexit that they are the responder's.
func explain(err error) error {
	var p *usercode.PanicError
	if errors.As(err, &p) || errors.Is(err, usercode.ErrGoexit) {
		return fmt.Errorf("responder: %w", err)
	}
	return err
}
