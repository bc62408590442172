package fleet

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/latency"
)

// A Retry says which requests are sent again. The zero Retry sends none.
type Retry struct {
	// Max is how often one request is sent again. Zero: not at all.
	Max int
	// If says which results are worth another attempt; resp is nil where err is not. Default: no answer, and the statuses
	// 502, 503 and 504.
	If func(resp *http.Response, err error) bool
	// Unsafe sends also those requests again that may have been served and are not idempotent (POST, PATCH). A
	// request with a body needs its GetBody, which http.NewRequest sets for buffers, bytes and strings.
	Unsafe bool
	// Backoff is the wait before the n-th retry. Default: uniform over [0, 25 ms · (2^n - 1)], up to 250 ms (Envoy).
	Backoff latency.Distribution
	// PerTry is how long one attempt may take until its answer begins. Zero: no limit.
	PerTry time.Duration
	// Budget bounds retries and hedges. Its zero value has Envoy's defaults: 20% of the active requests, and 3.
	Budget route.Budget
}

// A Hedge sends a request a second time, to another instance, when there is no answer After that long. The first answer counts, and
// the other attempt is cancelled. Only idempotent requests without a body are hedged, within Retry.Budget. The zero Hedge hedges none.
type Hedge struct {
	After time.Duration
}

func (r Retry) check(f *field.Checker, at string) {
	f.Count(at+".Max", r.Max)
	f.Err(at+".Backoff", r.Backoff.Err())
	f.Duration(at+".PerTry", r.PerTry)
	f.Err(at+".Budget", r.Budget.Check())
}

func (h Hedge) check(f *field.Checker, at string) { f.Duration(at+".After", h.After) }

func (r Retry) withDefaults() Retry {
	if r.If == nil {
		r.If = func(resp *http.Response, err error) bool {
			return err != nil || resp.StatusCode >= 502 && resp.StatusCode <= 504
		}
	}
	return r
}

// wait is the back-off before the n-th retry, from 1.
func (r Retry) wait(n int, draw *rand.Rand) time.Duration {
	if !r.Backoff.IsZero() {
		return r.Backoff.Sample(draw)
	}
	most := min(250*time.Millisecond, 25*time.Millisecond*time.Duration(1<<min(n, 10)-1))
	return time.Duration(draw.Int64N(int64(most) + 1))
}

// Attempts are what requests were sent. First + Retries + Hedges = Σ Offered of the instances + NoInstance.
type Attempts struct {
	First, Retries, Hedges uint64
	NoInstance             uint64 // that found none
	OverBudget             uint64 // that were not made for lack of budget
}

// Client returns the client of the fleet, always the same. It reaches the fleet whatever the host of the URL, through the balancer.
// It sets no timeout.
func (f *Fleet) Client() *http.Client { return f.client }

// ClientIn returns a client that is in a zone, for policies that heed it.
func (f *Fleet) ClientIn(zone string) *http.Client {
	return &http.Client{Transport: &transport{fleet: f, zone: zone}}
}

// transport is the http.RoundTripper of a client.
type transport struct {
	fleet *Fleet
	zone  string
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	c := &call{fleet: t.fleet, req: req, zone: t.zone, key: route.KeyOf(t.fleet.cfg.Key(req)), safe: idempotent(req.Method)}
	t.fleet.read(func(s *state) {
		s.counts.begin()
		s.calls++
		c.number = s.calls
		s.budget.Begin()
	})
	resp, err := c.run()
	if err != nil {
		c.finish(judge(nil, err))
		return nil, err
	}
	return resp, nil
}

func idempotent(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// call is one request of a client, with all its attempts.
type call struct {
	fleet  *Fleet
	req    *http.Request
	zone   string
	key    uint64
	number uint64
	safe   bool
	tried  []*route.Target
	done   bool // finish was called; belongs to the lock
}

// finish counts what became of the request, once.
func (c *call) finish(o outcome, why reason, _ int) {
	c.fleet.read(func(s *state) {
		if c.done {
			return
		}
		c.done = true
		s.counts.end(o)
		if why != "" {
			s.why[why]++
		}
		s.budget.End()
		s.timeline.request(s.fleet.clk.Now(), o)
	})
}

// run sends the request until a result counts.
func (c *call) run() (*http.Response, error) {
	retry := c.fleet.cfg.Retry
	for n := 0; ; n++ {
		a, resp, err := c.try(n)
		again := n < retry.Max && c.req.Context().Err() == nil && retry.If(resp, err) && c.repeatable(a, resp, err)
		if !again || !c.takeBudget() {
			return resp, err
		}
		discard(resp)
		if !c.pause(retry.wait(n+1, c.fleet.stream.Sub("retry").At(c.number))) {
			c.giveBudget()
			return nil, context.Cause(c.req.Context())
		}
	}
}

// repeatable reports whether the request may be sent again: it has not been served, or that does no harm.
func (c *call) repeatable(a *attempt, resp *http.Response, err error) bool {
	if c.req.Body != nil && c.req.Body != http.NoBody && c.req.GetBody == nil {
		return false
	}
	o, _, _ := judge(resp, err)
	return c.safe || c.fleet.cfg.Retry.Unsafe || o == refused && a.sent == nil
}

func (c *call) takeBudget() (ok bool) {
	c.fleet.read(func(s *state) {
		if ok = s.budget.Take(); !ok {
			s.attempts.OverBudget++
		}
	})
	return ok
}

func (c *call) giveBudget() { c.fleet.read(func(s *state) { s.budget.Give() }) }

// pause waits for d. It is false where the client has gone.
func (c *call) pause(d time.Duration) bool {
	ctx, cancel := c.fleet.clk.WithTimeout(c.req.Context(), d)
	defer cancel()
	<-ctx.Done()
	return c.req.Context().Err() == nil
}

// try makes the n-th attempt, and a hedge if the first takes long.
func (c *call) try(n int) (*attempt, *http.Response, error) {
	kind := first
	if n > 0 {
		kind = again
	}
	a := c.open(kind)
	after := c.fleet.cfg.Hedge.After
	if after == 0 || n > 0 || !c.safe || c.req.Body != nil && c.req.Body != http.NoBody {
		resp, err := a.send(n)
		return a, resp, err
	}
	h := &hedge{call: c, one: a, ended: make(place)}
	timer := c.fleet.clk.AfterFunc(after, h.start)
	resp, err := a.send(n)
	resp, err = h.choose(resp, err)
	timer.Stop()
	return a, resp, err
}

// bodyOf returns the body of the n-th attempt.
func (c *call) bodyOf(n int) (io.ReadCloser, error) {
	if n == 0 || c.req.Body == nil || c.req.Body == http.NoBody {
		return c.req.Body, nil
	}
	return c.req.GetBody()
}
