package fakehttp

import (
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// A Stub is a route of a [Fake] with its responder. The events of its
// embedded Faults concern this route alone. All methods are safe for
// concurrent use.
type Stub struct {
	Faults
	h           *Fake
	method, url string
	matcher     string // the name of the matcher
	responder   httpmock.Responder
	behaviour   *fault.Behaviour
	early       atomic.Pointer[[]inform]
	captured    atomic.Pointer[capture]
}

// An inform is an informational answer.
type inform struct {
	code   int
	header http.Header
}

// Latency replaces the fake's latency to the first byte for this route.
func (s *Stub) Latency(l latency.Distribution) *Stub {
	s.scope.T.Helper()
	s.behaviour.SetLatency(s.scope, l)
	return s
}

// Error makes the route fail with err from now on, each time, until ClearErrors. The
// client's *url.Error has err as it is.
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

// ClearErrors takes back all that Error and Errors said. The ErrorRate of the Config
// stays.
func (s *Stub) ClearErrors() *Stub {
	s.behaviour.TakeBack()
	return s
}

// Inform sends an informational answer before each answer proper, after its latency: a
// status from 100 to 199 except 101, for example 103 (Early Hints), with a header. The
// client gets it by the hook Got1xxResponse of package httptrace. Inform adds to earlier
// calls. A responder may also answer with such a status, and is then asked again.
func (s *Stub) Inform(code int, header http.Header) *Stub {
	s.scope.T.Helper()
	s.scope.Require(informational(code), "Inform", code, "is no informational status")
	for i := (inform{code, header.Clone()}); ; {
		old := s.early.Load()
		all := []inform{i}
		if old != nil {
			all = append(slices.Clone(*old), i)
		}
		if s.early.CompareAndSwap(old, &all) {
			return s
		}
	}
}

func (s *Stub) informs() []inform {
	if all := s.early.Load(); all != nil {
		return *all
	}
	return nil
}
