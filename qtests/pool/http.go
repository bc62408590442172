package pool

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/field"
)

const (
	// DefaultMaxPerHost is the default of HTTPConfig.Max.
	DefaultMaxPerHost = 100
	// maxHosts bounds how many hosts a fake keeps connections to, and maxPaths how
	// many paths it counts one by one; the calls of all others are counted together.
	maxHosts     = 1000
	maxPaths     = 1000
	maxBandwidth = math.MaxInt64
)

// HTTPConfig describes an [HTTP]. The zero value is usable.
type HTTPConfig struct {
	// Name is the label in metrics, errors, events and the pools' log. Default "http".
	Name string
	// Max is how many connections there may be to one host. Default 100.
	Max int
	// MaxWaiters, AcquireTimeout, MaxIdleTime and Stacks are those of [Config], for
	// the pool of each host.
	MaxWaiters     int
	AcquireTimeout time.Duration
	MaxIdleTime    time.Duration
	Stacks         bool

	// ConnectLatency is how long a new connection takes to open. Default none. One
	// that takes longer than 30s fails.
	ConnectLatency qtests.Latency
	// Latency is the time from the request to the first byte of the answer.
	// Default none.
	Latency qtests.Latency
	// Bandwidth limits each body, in bytes a second. 0: no limit.
	Bandwidth int64
	// ErrorRate is the probability from 0 to 1 that a request fails with Error when
	// its latency is over. Error defaults to [ErrInjected].
	ErrorRate float64
	Error     error

	// Clock, Stream and EventLog replace the test's clock, the stream "http NAME" of
	// its seed, and its event log.
	Clock    clock.Clock
	Stream   qtests.Stream
	EventLog *qtests.EventLog
}

func (cfg HTTPConfig) withDefaults(t qtests.TB) HTTPConfig {
	cfg.Name = or(cfg.Name, "http")
	cfg.Max = or(cfg.Max, DefaultMaxPerHost)
	cfg.Clock = or(cfg.Clock, qtests.ClockOf(t))
	cfg.Stream = or(cfg.Stream, qtests.StreamOf(t, "http "+cfg.Name))
	cfg.EventLog = or(cfg.EventLog, qtests.EventLogOf(t))
	if cfg.Error == nil {
		cfg.Error = ErrInjected
	}
	return cfg
}

func (cfg HTTPConfig) validate() error {
	c := field.Check("pool: HTTPConfig")
	c.Count("Max", cfg.Max)
	c.Count("MaxWaiters", cfg.MaxWaiters)
	c.Duration("AcquireTimeout", cfg.AcquireTimeout)
	c.Duration("MaxIdleTime", cfg.MaxIdleTime)
	c.Err("ConnectLatency", cfg.ConnectLatency.Err())
	c.Err("Latency", cfg.Latency.Err())
	c.That(cfg.Bandwidth >= 0, "Bandwidth", cfg.Bandwidth, "is negative")
	c.Share("ErrorRate", cfg.ErrorRate)
	c.That(cfg.Error == nil || cfg.ErrorRate > 0, "Error", cfg.Error, "needs an ErrorRate")
	return c.Result()
}

// An HTTP is a fake HTTP service: an http.RoundTripper that answers from
// responders of an httpmock transport of its own, over connections that come from
// one [Pool] per host.
//
// A request takes a connection, waits for the latency to the first byte, gets its
// answer, and holds the connection until the body has been read to its end or
// closed. It waits on the test's clock, never inside httpmock, and returns as
// soon as its context ends. Responders that wait by themselves (Delay, and above
// all Delay within Then, which waits under a mutex and so stops a bubble) are
// better replaced by [HTTPStub.Latency].
//
// The events of the embedded [HTTPFaults] concern all requests and connections.
// All methods are safe for concurrent use. An *HTTP is a prometheus.Collector.
type HTTP struct {
	HTTPFaults
	name   string
	cfg    HTTPConfig
	engine *faultEngine
	mock   *httpmock.MockTransport

	connect *Op
	descs   descs

	mu struct {
		sync.Mutex
		hosts     map[string]*Pool[*httpConn]
		capacity  int // of each host
		calls     map[string]uint64
		unmatched uint64
		logged    []string
		closed    bool
	}
}

// An httpConn is a connection to a host. All there is to it is that it is open.
type httpConn struct{}

// NewHTTP returns an open fake, which closes when t ends; t fails then if the
// body of a response was neither read to its end nor closed. A cfg that is
// negative or contradictory fails t at once.
func NewHTTP(t qtests.TB, cfg HTTPConfig) *HTTP {
	t.Helper()
	if err := cfg.validate(); err != nil {
		qtests.Fatalf(t, "%v", err)
	}
	cfg = cfg.withDefaults(t)
	h := &HTTP{name: cfg.Name, cfg: cfg, mock: httpmock.NewMockTransport()}
	h.engine = newFaultEngine(cfg.Name, cfg.Clock, cfg.Stream, cfg.EventLog)
	h.engine.max, h.engine.resize = cfg.Max, h.resize
	h.descs = newDescs(cfg.Name)
	h.HTTPFaults = HTTPFaults{Faults{engine: h.engine, t: t, what: cfg.Name}}
	h.connect = newOp(&h.Faults, "connect", newBehaviour(cfg.ConnectLatency, 0, nil))
	h.mu.hosts, h.mu.calls, h.mu.capacity = map[string]*Pool[*httpConn]{}, map[string]uint64{}, cfg.Max
	t.Cleanup(func() { t.Helper(); h.cleanup(t) })
	return h
}

// Client returns a new client of the fake. Its fields are the caller's to set.
func (h *HTTP) Client() *http.Client { return &http.Client{Transport: h} }

// On registers a responder for a method and a URL and returns its route. The
// URL is httpmock's: whole, or a path for every host, with its query or without,
// or "=~" and a regular expression. A responder for the same method and URL is
// replaced.
func (h *HTTP) On(method, url string, responder httpmock.Responder) *HTTPStub {
	h.t.Helper()
	return h.OnMatch(method, url, httpmock.Matcher{}, responder)
}

// OnMatch is On for requests that a matcher accepts, by header or body.
func (h *HTTP) OnMatch(method, url string, matcher httpmock.Matcher, responder httpmock.Responder) *HTTPStub {
	h.t.Helper()
	h.require(responder != nil, "On", method+" "+url, "has no responder")
	s := &HTTPStub{
		responder: responder,
		behaviour: newBehaviour(h.cfg.Latency, h.cfg.ErrorRate, h.cfg.Error),
	}
	s.Faults = h.Faults.of(s, method+" "+url)
	if err := register(h.mock, method, url, matcher, s); err != nil {
		qtests.Fatalf(h.t, "pool: %s: On(%q, %q): %v", h.name, method, url, err)
	}
	return s
}

// register turns httpmock's panics about its arguments into errors.
func register(mock *httpmock.MockTransport, method, url string, matcher httpmock.Matcher, s *HTTPStub) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	mock.RegisterMatcherResponder(method, url, matcher, func(req *http.Request) (*http.Response, error) {
		return nil, &matchedRoute{s, req}
	})
	return nil
}

// OnConnect scripts the opening of connections: slow, refused by an Error or an
// Outage, frozen.
func (h *HTTP) OnConnect() *Op { return h.connect }

// Brownout lets the connections to each host fall to n, above 0, for its
// duration: those in use beyond n close when they are given back.
func (h *HTTP) Brownout(n int) qtests.Event {
	h.t.Helper()
	return h.capacity(n)
}

func (h *HTTP) resize(n int) {
	h.mu.Lock()
	h.mu.capacity = n
	hosts := h.poolsLocked()
	h.mu.Unlock()
	for _, p := range hosts {
		_ = p.Resize(0, n) // it may be closed, which is as good
	}
}

// poolsLocked returns the pools by host.
func (h *HTTP) poolsLocked() []*Pool[*httpConn] {
	var pools []*Pool[*httpConn]
	for _, host := range slices.Sorted(maps.Keys(h.mu.hosts)) {
		pools = append(pools, h.mu.hosts[host])
	}
	return pools
}

// host returns the pool of connections to a host.
func (h *HTTP) host(host string) (*Pool[*httpConn], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.mu.hosts[host]; p != nil {
		return p, nil
	}
	if h.mu.closed {
		return nil, ErrClosed
	}
	if len(h.mu.hosts) >= maxHosts {
		return nil, fmt.Errorf("pool: %s: connections to more than %d hosts", h.name, maxHosts)
	}
	p, err := New(Config[*httpConn]{
		Name: h.name, Max: h.mu.capacity, NoBackoff: true,
		New:        h.dial,
		MaxWaiters: h.cfg.MaxWaiters, AcquireTimeout: h.cfg.AcquireTimeout, MaxIdleTime: h.cfg.MaxIdleTime,
		Stacks: h.cfg.Stacks, Clock: h.cfg.Clock, EventLog: h.cfg.EventLog,
	})
	if err == nil {
		h.mu.hosts[host] = p
	}
	return p, err
}

// dial is the pools' New.
func (h *HTTP) dial(ctx context.Context) (*httpConn, error) {
	call := h.connect.call("connect")
	if err := h.engine.do(ctx, &call); err != nil {
		return nil, err
	}
	if err := h.engine.handshake(); err != nil {
		return nil, err
	}
	return &httpConn{}, nil
}

// bandwidth is the configured one, or one that is no limit.
func (h *HTTP) bandwidth() float64 {
	if h.cfg.Bandwidth > 0 {
		return float64(h.cfg.Bandwidth)
	}
	return maxBandwidth
}

func (h *HTTP) cleanup(t qtests.TB) {
	t.Helper()
	h.mu.Lock()
	h.mu.closed = true
	pools := h.poolsLocked()
	h.mu.Unlock()
	h.engine.close()
	for _, p := range pools { // all of them, before the first one waits
		closeAtOnce(p.engine)
	}
	for _, p := range pools {
		if err := closeInCleanup(p.engine); err != nil {
			t.Errorf("%s: the body of a response not closed: %v", h.name, err)
		}
	}
}

// RoundTrip implements http.RoundTripper.
func (h *HTTP) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }()
	}
	if req.URL == nil {
		return nil, errors.New("pool: a request without a URL")
	}
	h.count(req)
	m, err := h.route(req)
	if err != nil {
		return nil, err
	}
	hosts, err := h.host(req.URL.Host)
	if err != nil {
		return nil, err
	}
	ctx := req.Context()
	lease, err := hosts.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	kept := false
	defer func() { // on every way out but one
		if !kept {
			lease.Discard(err)
		}
	}()
	beh := m.stub.behaviour.now.Load()
	call := faultCall{
		op: or(req.Method, http.MethodGet) + " " + req.URL.Path, on: targets{m.stub},
		latency: beh.latency, chances: beh.chances,
	}
	if err := h.engine.do(ctx, &call); err != nil {
		return nil, err
	}
	if resp = h.engine.status(call.on); resp == nil {
		if resp, err = m.respond(); err != nil {
			return nil, err
		}
	}
	resp.Request = req
	kept = true
	h.deliver(resp, ctx, call, lease)
	return resp, nil
}

// deliver hands the connection over to the body.
func (h *HTTP) deliver(resp *http.Response, ctx context.Context, call faultCall, lease Lease[*httpConn]) {
	if resp.Body == nil || resp.Body == http.NoBody || resp.Request.Method == http.MethodHead {
		lease.Release()
		return
	}
	resp.Body = &httpBody{under: resp.Body, h: h, ctx: ctx, call: call, lease: lease}
}

func (h *HTTP) count(req *http.Request) {
	key := or(req.Method, http.MethodGet) + " " + req.URL.Path
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.mu.calls[key]; !known && len(h.mu.calls) >= maxPaths {
		key = "other"
	}
	h.mu.calls[key]++
}
