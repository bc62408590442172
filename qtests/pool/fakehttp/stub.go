package fakehttp

import (
	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// A Stub is a route of a [Fake] with its responder. The events of its
// embedded Faults concern this route alone. All methods are safe for
// concurrent use.
type Stub struct {
	Faults
	responder httpmock.Responder
	behaviour *fault.Behaviour
}

// Latency replaces the fake's latency to the first byte for this route.
func (s *Stub) Latency(l latency.Distribution) *Stub {
	s.scope.T.Helper()
	s.behaviour.SetLatency(s.scope, l)
	return s
}

// Error makes the route fail from now on, each time.
func (s *Stub) Error(err error) *Stub {
	s.scope.T.Helper()
	return s.Errors(1, err)
}

// Errors makes the route fail with probability p from 0 to 1, independently of
// other errors. It adds to earlier calls.
func (s *Stub) Errors(p float64, err error) *Stub {
	s.scope.T.Helper()
	s.behaviour.AddError(s.scope, p, err)
	return s
}
