package pool

import (
	"cmp"
	"context"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/pool/internal/cleanup"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Pool holds up to Max resources of type R and lends each of them to one
// caller at a time. All methods are safe for concurrent use. A *Pool is a
// prometheus.Collector.
//
// Its invariants, which hold whenever its lock is free:
//
//   - total = idle + in use + constructing, and
//     total ≤ max(Max, in use at the last shrink): after a Resize to less, the
//     surplus is destroyed as the leases end, and total falls with it.
//   - A resource that is being checked counts as constructing. A construction
//     that was given up (Reset, Resize, Close) no longer counts. It takes up room
//     until New returns, so that there are never more than Max calls of New.
//   - Callers wait beside idle resources only while the pool is suspended, or
//     while resources are being made or checked for them.
//   - Waiters are served strictly in the order in which they came. A waiter gets what
//     it has been granted, even if its context ends at the same moment.
//   - Every lease ends once; every resource made is destroyed once or hijacked.
type Pool[R any] struct{ engine *engine }

// New returns an open pool. The error names each field of cfg that is negative
// or contradicts another one. Close the pool when done with it.
func New[R any](cfg Config[R]) (*Pool[R], error) {
	s, err := cfg.settings()
	if err != nil {
		return nil, err
	}
	clk := cfg.Clock
	if clk == nil {
		clk = clock.New()
	}
	e := newEngine(s, clk)
	e.log, e.breaker, e.onReport = cfg.EventLog, cfg.Breaker, cfg.OnReport
	e.create = func(ctx context.Context) (any, error) { return cfg.New(ctx) }
	e.verify = func(ctx context.Context, v any) error { return cfg.Check(ctx, v.(R)) }
	e.destroy = func(v any) { cfg.Destroy(v.(R)) }
	if s.min > 0 && !s.lazy {
		e.change(func(c *core, fx *effects) {
			c.awake = true
			c.feed(e.now(), fx)
		})
	}
	return &Pool[R]{engine: e}, nil
}

// CleanupTimeout is how long the cleanup of NewT waits for leases and calls of
// New, Check and Destroy, on the pool's clock. A clock.Mock stands still by then:
// with one the time is real.
const CleanupTimeout = cleanup.Timeout

// NewT is New with the clock, the seed and the event log of t, unless cfg sets
// them, and with Stacks. It fails t when cfg is invalid. When t ends it closes
// the pool, and fails t with the acquiring stacks if leases are still out after
// CleanupTimeout. Without OnReport, reports are logged to t.
func NewT[R any](t tb.TB, cfg Config[R]) *Pool[R] {
	t.Helper()
	name := cmp.Or(cfg.Name, DefaultName)
	cfg.Stacks = true
	cfg.Clock = cmp.Or(cfg.Clock, tb.ClockOf(t))
	cfg.Stream = cmp.Or(cfg.Stream, tb.StreamOf(t, streamName(name)))
	cfg.EventLog = cmp.Or(cfg.EventLog, tb.EventLogOf(t))
	if cfg.OnReport == nil {
		cfg.OnReport = func(r Report) { t.Logf("pool %s: %v", name, r) }
	}
	p, err := New(cfg)
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	t.Cleanup(func() {
		t.Helper()
		if err := cleanup.Close(cfg.Clock, p.Close); err != nil {
			t.Errorf("%v", err)
		}
	})
	return p
}

// Name returns Config.Name, or its default.
func (p *Pool[R]) Name() string { return p.engine.name }

// Acquire returns a lease of a resource: an idle one, or the next one that is
// released or made. Callers wait in strict FIFO order until ctx ends (the error
// is ctx.Err()), AcquireTimeout has passed (ErrAcquireTimeout), or the pool is
// closed (ErrClosed). Further errors are ErrOverloaded, the error of an open breaker,
// and a *ConstructError. When New fails, the caller that has waited longest gets the
// *ConstructError. While the pool backs off, every caller gets it that finds nothing
// under way to wait for.
func (p *Pool[R]) Acquire(ctx context.Context) (Lease[R], error) {
	g, err := p.engine.acquire(ctx)
	return Lease[R]{g.entry, g.lease}, err
}

// TryAcquire returns a lease if a resource is idle, and ErrNoneIdle if not. In the
// latter case the pool makes or checks a resource, if room and back-off allow it, so
// that a later attempt succeeds. Other errors are those of Acquire. Stats does not
// count ErrNoneIdle.
func (p *Pool[R]) TryAcquire() (Lease[R], error) {
	g, err := p.engine.tryAcquire()
	return Lease[R]{g.entry, g.lease}, err
}

// AcquireAllIdle takes all the resources that are idle, the longest idle first,
// without a check and without asking the breaker. It also works on a suspended pool,
// because a suspension is for maintenance.
func (p *Pool[R]) AcquireAllIdle() []Lease[R] {
	var out []Lease[R]
	for _, g := range p.engine.acquireAllIdle() {
		out = append(out, Lease[R]{g.entry, g.lease})
	}
	return out
}

// Do calls fn with a resource and returns the error of fn, or of Acquire. The
// resource is released, unless the error wraps ErrBroken or fn panics or calls
// runtime.Goexit: then it is discarded. A breaker is told of the error.
func (p *Pool[R]) Do(ctx context.Context, fn func(ctx context.Context, r R) error) error {
	l, err := p.Acquire(ctx)
	if err != nil {
		return err
	}
	return l.Do(ctx, fn)
}

// Stats returns one snapshot.
func (p *Pool[R]) Stats() Stats { return p.engine.stats() }

// Describe implements prometheus.Collector.
func (p *Pool[R]) Describe(ch chan<- *prometheus.Desc) { p.engine.metrics.Describe(ch) }

// Collect implements prometheus.Collector with the numbers of one Stats.
func (p *Pool[R]) Collect(ch chan<- prometheus.Metric) { p.engine.metrics.Collect(ch) }
