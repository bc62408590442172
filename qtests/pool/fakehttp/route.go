package fakehttp

import (
	"context"
	"errors"
	"net/http"
	"time"
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
