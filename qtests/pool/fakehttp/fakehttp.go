package fakehttp

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
	"github.com/go-qtests/qtests/qtests/pool/internal/unexpected"
)

// A Fake is a fake HTTP service: an http.RoundTripper that answers from
// responders of an httpmock transport of its own, over connections that come from
// one [pool.Pool] per host.
//
// A request takes a connection, waits for the latency to the first byte, gets its
// answer, and holds the connection until the body has been read to its end or
// closed. It waits on the test's clock, never inside httpmock, and returns as
// soon as its context ends. Replace responders that wait by themselves (Delay)
// by [Stub.Latency]: Delay within Then waits under a mutex, which stops a bubble.
//
// The events of the embedded [Faults] concern all requests and connections.
// All methods are safe for concurrent use. A *Fake is a prometheus.Collector.
type Fake struct {
	Faults
	cfg     Config
	common  fault.Config // the part of cfg that all fakes have, with its defaults
	engine  *fault.Engine
	mock    *httpmock.MockTransport
	connect connecting
	metrics prometheus.Collector // of the pools of all hosts together
	opened  time.Time

	// mu is never held while user code runs, or while a goroutine waits: see locked.
	mu struct {
		sync.Mutex
		state
	}
}

// state is what changes in a Fake.
type state struct {
	hosts    map[string]*pool.Pool[*conn]
	capacity int                       // of each host
	dials    map[string][]*pendingDial // by host, in the order of the requests
	routes   []*Stub                   // in the order of registration

	unexpected unexpected.List // requests that no route answers
	calls      map[string]*uint64

	found      map[question]finding
	registered uint64 // how many routes have been, those that were replaced included
	matchers   bool   // whether one of them had a matcher
	closed     bool

	running int           // calls of the user's code that a request or a read waits for, or has given up
	idle    chan struct{} // is closed when the last of them has returned; nil unless the cleanup waits
}

// locked calls f with the state. Nothing else in this package locks.
func (h *Fake) locked(f func(s *state)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(&h.mu.state)
}

// sinceOpen is the present instant as the distance from the begin of the fake: to read
// it costs half of Clock.Now.
func (h *Fake) sinceOpen() time.Duration { return h.common.Clock.Since(h.opened) }

// connecting is the script of opening a connection, and how that behaves.
type connecting struct {
	script    *fake.Op
	behaviour *fault.Behaviour
}

// Client returns a new client of the fake. Its fields are the caller's to set.
func (h *Fake) Client() *http.Client { return &http.Client{Transport: h} }

// On registers a responder for a method and a URL and returns its route. The
// URL is httpmock's: whole, or a path for every host, with its query or without,
// or "=~" and a regular expression. The order of the query, the case of the host and
// the default port of the scheme make no difference. A responder for the same method
// and URL is replaced.
func (h *Fake) On(method, url string, responder httpmock.Responder) *Stub {
	h.scope.T.Helper()
	return h.OnMatch(method, url, httpmock.Matcher{}, responder)
}

// OnMatch is On for requests that a matcher accepts, by header or body.
func (h *Fake) OnMatch(method, url string, matcher httpmock.Matcher, responder httpmock.Responder) *Stub {
	h.scope.T.Helper()
	h.scope.Require(responder != nil, "On", method+" "+url, "has no responder")
	s := &Stub{h: h, method: method, url: url, matcher: matcher.Name(), responder: responder, canned: isCanned(responder), behaviour: h.common.Behaviour()}
	scope := h.scope.Of(s.behaviour, method+" "+url)
	s.Faults, s.Verbs = newFaults(scope), fake.VerbsOf(scope, s.behaviour, s)
	if err := register(h.mock, method, normalText(url), matcher, s); err != nil {
		h.scope.Fatalf("On(%q, %q): %v", method, url, err)
	}
	h.locked(func(m *state) {
		m.routes = slices.DeleteFunc(m.routes, s.replaces)
		m.routes = append(m.routes, s)
		m.forget(s.matcher != "")
	})
	return s
}

// replaces reports whether s is registered in the place of another stub.
func (s *Stub) replaces(o *Stub) bool {
	return o.method == s.method && normalText(o.url) == normalText(s.url) && o.matcher == s.matcher
}

// register turns httpmock's panics about its arguments into errors.
func register(mock *httpmock.MockTransport, method, url string, matcher httpmock.Matcher, s *Stub) error {
	err := usercode.Call(func() error {
		mock.RegisterMatcherResponder(method, url, matcher, func(req *http.Request) (*http.Response, error) {
			return nil, matched(s, req)
		})
		return nil
	})
	var p *usercode.PanicError
	if errors.As(err, &p) {
		return fmt.Errorf("%v", p.Value)
	}
	return err
}

// OnConnect scripts the opening of connections: slow, refused by an Error or an
// Outage, frozen.
func (h *Fake) OnConnect() *fake.Op { return h.connect.script }

// Brownout lets the connections to each host fall to n, above 0, for its
// duration: those in use beyond n close when they are given back.
func (h *Fake) Brownout(n int) event.Event {
	h.scope.T.Helper()
	return h.scope.Brownout(n)
}
