package fleet

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/go-qtests/qtests/qtests/fleet/route"
)

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
		s.timeline.Request(s.fleet.clk.Now(), o == answered)
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
	h := &hedge{call: c, one: a, ended: make(chan struct{})}
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
