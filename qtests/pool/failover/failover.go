package failover

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/metrics"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/internal/cleanup"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Failover lends resources of the active one of its backends. See the package doc.
// All methods are safe for concurrent use. A *Failover is a prometheus.Collector.
type Failover[R any] struct {
	name     string
	clk      clock.Clock
	base     time.Time
	log      *event.Log
	pools    []*pool.Pool[R]
	breakers []*breaker.Breaker
	shown    []prometheus.Collector // of the breakers
	configs  []pool.Config[R]
	health   func(context.Context, pool.Config[R]) error
	interval time.Duration
	timeout  time.Duration
	desc     *prometheus.Desc

	ctx    context.Context    // of all health checks
	cancel context.CancelFunc // ends ctx
	checks sync.WaitGroup     // calls of Health that have not returned

	// mu is never held while user code runs, or while a goroutine waits: see locked.
	mu struct {
		sync.Mutex
		state
	}
}

// state is what changes in a Failover.
type state struct {
	core   core
	moves  uint64
	visits visits
	timers []*clock.Timer // of each backend: its next health check
	back   *clock.Timer   // for the move back at backAt, if that is not 0
	backAt instant
	closed bool
}

// locked calls f with the state. Nothing else locks.
func (f *Failover[R]) locked(change func(s *state)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.mu.state)
}

// New returns an open failover and begins to check its backends. The
// error names each field that is negative or contradictory.
func New[R any](cfg Config[R]) (*Failover[R], error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	f := &Failover[R]{
		name: cfg.Name, clk: cfg.Clock, base: cfg.Clock.Now().Add(-1), log: cfg.EventLog,
		health: cfg.Health, interval: cfg.HealthInterval, timeout: cfg.HealthTimeout,
		desc: prometheus.NewDesc("failover_active", "1 for the backend that gets the traffic, else 0.",
			[]string{"backend"}, prometheus.Labels{"failover": cfg.Name}),
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.mu.core = core{unhealthyAfter: cfg.UnhealthyAfter, healthyFor: cfg.HealthyFor}
	// The backends share one OnTransition, which may not be called twice at once.
	cfg.Breaker.Hooks = cmp.Or(cfg.Breaker.Hooks, new(breaker.Hooks))
	for _, b := range cfg.Backends {
		if err := f.open(cfg.Breaker, b); err != nil {
			_ = f.Close(context.Background()) // nothing is out yet
			return nil, err
		}
	}
	f.start()
	return f, nil
}

// NewT is New with the clock, the seed and the event log of t.
// It fails t when cfg is invalid, and when leases are still out at its end as
// [pool.NewT] does.
func NewT[R any](t tb.TB, cfg Config[R]) *Failover[R] {
	t.Helper()
	cfg.Clock = cmp.Or(cfg.Clock, tb.ClockOf(t))
	cfg.Stream = cmp.Or(cfg.Stream, tb.StreamOf(t, streamName(cmp.Or(cfg.Name, DefaultName))))
	cfg.EventLog = cmp.Or(cfg.EventLog, tb.EventLogOf(t))
	cfg.Backends = append([]pool.Config[R](nil), cfg.Backends...)
	for i := range cfg.Backends {
		cfg.Backends[i].Stacks = true
	}
	f, err := New(cfg)
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	t.Cleanup(func() {
		t.Helper()
		if err := cleanup.Close(f.clk, f.Close); err != nil {
			t.Errorf("%v", err)
		}
	})
	return f
}

// open adds one backend.
func (f *Failover[R]) open(template breaker.Config, cfg pool.Config[R]) error {
	if cfg.Breaker == nil {
		template.Name = cfg.Name
		template.Clock = cmp.Or(template.Clock, cfg.Clock)
		template.Stream = cmp.Or(template.Stream, cfg.Stream.Sub("breaker"))
		template.EventLog = cmp.Or(template.EventLog, cfg.EventLog)
		b, err := breaker.New(template)
		if err != nil {
			return err
		}
		cfg.Breaker = b
	}
	p, err := pool.New(cfg)
	if err != nil {
		return err
	}
	f.pools = append(f.pools, p)
	f.breakers = append(f.breakers, cfg.Breaker)
	f.shown = append(f.shown, metrics.Of(cfg.Breaker))
	f.configs = append(f.configs, cfg)
	f.mu.core.backends = append(f.mu.core.backends, backendHealth{healthy: true})
	return nil
}

func (f *Failover[R]) now() instant { return f.clk.Since(f.base) }

// Active returns the name of the backend that gets the traffic.
func (f *Failover[R]) Active() string { return f.pools[f.current()].Name() }

// Pools returns the backends' pools in order of preference, for example to read
// their Stats. Leases acquired from them directly do not take part in failing
// over.
func (f *Failover[R]) Pools() []*pool.Pool[R] { return append([]*pool.Pool[R](nil), f.pools...) }

// Acquire returns a lease of the active backend, or of the next healthy one if
// the active one's breaker is open or its New fails. Other errors are those of
// [pool.Pool.Acquire], and are returned at once. A caller that still waits at a backend
// when traffic moves away from it waits at the new one instead, as if it had come then.
// Lease.Pool names the backend.
func (f *Failover[R]) Acquire(ctx context.Context) (pool.Lease[R], error) {
	i := f.current()
	l, err := f.visit(ctx, i)
	for err == errMoved {
		i = f.current()
		l, err = f.visit(ctx, i)
	}
	if !failed(err) {
		return l, err
	}
	for _, j := range f.tripped(i) {
		l, other := f.visit(ctx, j)
		if other == errMoved {
			continue
		}
		if !failed(other) {
			return l, other
		}
		f.tripped(j)
		err = errors.Join(err, other)
	}
	return l, err
}

// Do is [pool.Pool.Do] with Acquire of the failover.
func (f *Failover[R]) Do(ctx context.Context, fn func(ctx context.Context, r R) error) error {
	l, err := f.Acquire(ctx)
	if err != nil {
		return err
	}
	return l.Do(ctx, fn)
}

// failed reports whether err speaks against the backend.
func failed(err error) bool {
	var construct *pool.ConstructError
	return errors.As(err, &construct) || errors.Is(err, breaker.ErrOpen)
}

// Close stops the health checks, then closes every pool; ctx limits the wait as
// in [pool.Pool.Close]. The error joins the errors of the pools.
func (f *Failover[R]) Close(ctx context.Context) error {
	f.stop()
	var errs []error
	for _, p := range f.pools {
		errs = append(errs, p.Close(ctx))
	}
	errs = append(errs, f.wait(ctx))
	return errors.Join(errs...)
}
