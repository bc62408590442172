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
	"time"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
)

// A route is what httpmock's transport finds for a request, and counts. The responder
// runs, and waits, outside it: an error takes the route out.
type route struct {
	stub *Stub
	req  *http.Request // with the submatches that httpmock found

	asking context.Context // of the caller
	ends   bool            // as the caller's context does
}

var errMatched = errors.New("fakehttp: matched")

// askingKey finds the route in the context of the request that httpmock is asked about.
type askingKey struct{}

// A route is a context: the caller's, whose end it hides until the route is found, because
// httpmock starts two goroutines for each request that could be cancelled.

// Deadline implements context.Context.
func (r *route) Deadline() (time.Time, bool) { return r.asking.Deadline() }

// Done implements context.Context.
func (r *route) Done() <-chan struct{} {
	if !r.ends {
		return nil
	}
	return r.asking.Done()
}

// Err implements context.Context.
func (r *route) Err() error {
	if !r.ends {
		return nil
	}
	return r.asking.Err()
}

// Value implements context.Context.
func (r *route) Value(key any) any {
	if key == (askingKey{}) {
		return r
	}
	return r.asking.Value(key)
}

// matched is what a registered route answers httpmock.
func matched(s *Stub, req *http.Request) error {
	r, ok := req.Context().Value(askingKey{}).(*route)
	if !ok {
		return errors.New("fakehttp: httpmock has replaced the context of a request")
	}
	r.stub, r.req = s, req
	return errMatched
}

// findRoute asks httpmock for the route of the request: by its URL in the form in which
// routes are registered, then by the URL as it is, which a regular expression may want.
func (x *exchange) findRoute() error {
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

// normal returns a URL in the form in which URLs are compared: the host in lower case,
// no default port, the query sorted, "/" for no path, no fragment.
func normal(u *url.URL) *url.URL {
	if host := hostOf(u); host == u.Host && u.Scheme == strings.ToLower(u.Scheme) && u.Fragment == "" && u.RawFragment == "" && u.Path != "" && u.RawQuery == "" {
		return u
	}
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
	if query == "" {
		return ""
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	for _, v := range values {
		slices.Sort(v)
	}
	return values.Encode()
}

// An answer is what a responder returns, on a goroutine of its own.
type answer struct {
	resp  *http.Response // the responder's, until it has ended
	err   error
	given atomic.Bool // whether to the caller, or to nobody
}

// respond runs the responder and returns its answer. It does not wait for the responder
// when the context of the request ends or an outage cuts the line. A panic becomes a
// *pool.PanicError, and Goexit pool.ErrGoexit.
func (x *exchange) respond(req *http.Request) (*http.Response, error) {
	x.answer.resp = nil // of one before, which has ended
	x.answer.given.Store(false)
	x.h.begin()
	go x.serve(req)
	select {
	case <-x.woken:
	case <-x.ctx.Done():
	}
	if broken := x.broken(); broken != nil {
		x.answer.drop()
		return nil, broken
	}
	if x.answer.err != nil {
		return nil, explain(x.answer.err)
	}
	return x.answer.resp, nil
}

// serve calls the responder. When it has woken the caller, the answer is the caller's.
func (x *exchange) serve(req *http.Request) {
	defer x.h.end()
	usercode.Run(func() (err error) {
		stub := x.route.stub
		if x.answer.resp, err = stub.responder(req); x.answer.resp == nil && err == nil {
			err = fmt.Errorf("%s: the responder returned neither a response nor an error", stub.scope.What)
		}
		return err
	}, func(err error) {
		x.answer.err = err
		x.answer.drop()
		x.woken <- struct{}{}
	})
}

// drop is called when the responder has ended, and when nobody waits for it any more: the
// second time it closes the response.
func (a *answer) drop() {
	if a.given.Swap(true) && a.resp != nil {
		closeBody(a.resp)
	}
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
