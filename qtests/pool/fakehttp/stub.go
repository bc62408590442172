package fakehttp

import (
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// A Stub is a route of a [Fake] with its responder. The events of its
// embedded Faults concern this route alone. Its latency is the time to the first byte. A
// scripted error is the Err of the client's *url.Error, as it is. All methods are safe
// for concurrent use.
type Stub struct {
	Faults
	fake.Verbs[*Stub]
	h           *Fake
	method, url string
	matcher     string // the name of the matcher
	responder   httpmock.Responder
	canned      bool
	behaviour   *fault.Behaviour
	early       atomic.Pointer[[]inform]
	captured    atomic.Pointer[capture]
}

// An inform is an informational answer.
type inform struct {
	code   int
	header http.Header
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
