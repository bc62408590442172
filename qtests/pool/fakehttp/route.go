package fakehttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

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

// route asks httpmock for the route of a request: by its URL in the form in which
// routes are registered, then by the URL as it is, which a regular expression may want.
func (h *Fake) route(req *http.Request) (*matchedRoute, error) {
	probe := req.WithContext(detached{req.Context()})
	probe.URL = normal(req.URL)
	_, err := h.mock.RoundTrip(probe)
	m, ok := err.(*matchedRoute)
	if !ok && probe.URL.String() != req.URL.String() {
		probe.URL = req.URL
		_, err = h.mock.RoundTrip(probe)
		m, ok = err.(*matchedRoute)
	}
	if !ok {
		return nil, h.unmatched(req, err)
	}
	if _, plain := m.req.Context().(detached); plain {
		m.req = m.req.WithContext(req.Context())
	} else {
		m.req = m.req.WithContext(attached{req.Context(), m.req.Context()})
	}
	m.req.URL = req.URL
	return m, nil
}

// normal returns a URL in the form in which URLs are compared: the host in lower case,
// no default port, the query sorted, "/" for no path, no fragment.
func normal(u *url.URL) *url.URL {
	n := *u
	n.Scheme, n.Host, n.Fragment, n.RawFragment = strings.ToLower(u.Scheme), hostOf(u), "", ""
	if n.Path == "" {
		n.Path = "/"
	}
	n.RawQuery = sortedQuery(u.RawQuery)
	return &n
}

// normalText does the same with the URL of a route, whose path stays as it is written:
// httpmock compares it literally.
func normalText(route string) string {
	if strings.HasPrefix(route, "=~") {
		return route
	}
	rest, query, asks := strings.Cut(route, "?")
	if scheme, after, whole := strings.Cut(rest, "://"); whole {
		host, path, _ := strings.Cut(after, "/")
		if u, err := url.Parse(scheme + "://" + host); err == nil && u.User == nil {
			rest = u.Scheme + "://" + hostOf(u) + "/" + path
		}
	}
	if asks {
		return rest + "?" + sortedQuery(query)
	}
	return rest
}

// sortedQuery returns a query with its keys, and the values of each, in order.
func sortedQuery(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	for _, v := range values {
		slices.Sort(v)
	}
	return values.Encode()
}

// respond runs the responder and returns its answer. It does not wait for the responder
// when the context of the request ends or an outage cuts the line. A panic becomes a
// *pool.PanicError, and Goexit pool.ErrGoexit.
func (x *exchange) respond(req *http.Request) (*http.Response, error) {
	var resp *http.Response // the responder's, until it has ended
	var given atomic.Bool   // whether to the caller, or to nobody
	ended := make(chan error, 1)
	end := x.h.begin()
	go usercode.Run(func() (err error) {
		if resp, err = x.route.stub.responder(req); resp == nil && err == nil {
			err = fmt.Errorf("%s: the responder returned neither a response nor an error", x.route.stub.scope.What)
		}
		return err
	}, func(err error) {
		if ended <- err; given.Swap(true) && resp != nil {
			closeBody(resp)
		}
		end()
	})
	var err error
	select {
	case err = <-ended:
	case <-x.ctx.Done():
	case <-x.line.Cut():
	}
	if broken := x.broken(); broken != nil {
		if given.Swap(true) && resp != nil {
			closeBody(resp)
		}
		return nil, broken
	}
	if err != nil {
		return nil, explain(err)
	}
	return resp, nil
}

// broken returns why the exchange ends before its end, or nil.
func (x *exchange) broken() error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	return x.line.Err()
}

// explain says of a panic and of Goexit that they are the responder's.
func explain(err error) error {
	var p *usercode.PanicError
	if errors.As(err, &p) || errors.Is(err, usercode.ErrGoexit) {
		return fmt.Errorf("responder: %w", err)
	}
	return err
}
