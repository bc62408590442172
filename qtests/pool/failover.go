package pool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/internal/field"
)

// Defaults of [FailoverConfig].
const (
	DefaultFailoverName   = "failover"
	DefaultHealthInterval = 5 * time.Second
	DefaultHealthTimeout  = 5 * time.Second
	DefaultUnhealthyAfter = 2
	DefaultHealthyFor     = 30 * time.Second
)

const maxBackends = 64 // the bits of an openSet

// FailoverConfig describes a [Failover].
type FailoverConfig[R any] struct {
	// Name is the label of the metrics and the source in the event log. Default "failover".
	Name string
	// Backends are the pools, the preferred one first; 1 to 64. Their names
	// must differ; the default of the i-th is NAME-i, counted from 0. Clock,
	// Stream and EventLog are those of the failover where they are not set. A
	// backend without a Breaker gets one made from the field Breaker.
	Backends []Config[R]
	// Breaker is the template of the backends' breakers; each is named after its
	// backend.
	Breaker breaker.Config
	// Health checks one backend. Default: New of that backend, then its Check if
	// it has one, then Destroy, on a resource outside its pool, so that a pool
	// whose resources are all in use is not taken for a dead one.
	Health func(ctx context.Context, backend Config[R]) error
	// HealthInterval is the time from one check of a backend to the next.
	// Default 5s. A check that takes longer delays the next one.
	HealthInterval time.Duration
	// HealthTimeout ends the context of Health, and counts as a failed check
	// even if Health ignores that. Default 5s.
	HealthTimeout time.Duration
	// UnhealthyAfter is how many failed checks in a row move the traffic away.
	// Default 2. An open breaker moves it at once.
	UnhealthyAfter int
	// HealthyFor is how long a preferred backend must have been healthy, from
	// its first good check on, to get the traffic back. Default 30s.
	HealthyFor time.Duration

	Clock    clock.Clock      // Default: the real clock.
	Stream   qtests.Stream    // Default: the stream "pool NAME" of the seed 1.
	EventLog *qtests.EventLog // Default: none.
}

// A Failover spreads nothing: all callers use one backend, the active one, until
// it fails. Traffic moves to the first healthy backend when health checks of the
// active one fail or its breaker is open, and moves back to a preferred one once
// that has been healthy for HealthyFor and its breaker is not open. Each move is
// in the event log: "primary → replica: health check: connection refused".
//
// A caller whose resource cannot be made is served by the next healthy backend
// without waiting for the move. When no backend is healthy, traffic stays where
// it is and callers get its errors. Leases that are out when traffic moves stay
// valid.
//
// All methods are safe for concurrent use. A *Failover is a
// prometheus.Collector: its own metric failover_active{failover,backend}, and
// those of its pools and breakers.
type Failover[R any] struct {
	name     string
	clk      clock.Clock
	base     time.Time
	log      *qtests.EventLog
	pools    []*Pool[R]
	breakers []*breaker.Breaker
	configs  []Config[R]
	health   func(context.Context, Config[R]) error
	interval time.Duration
	timeout  time.Duration
	desc     *prometheus.Desc

	mu struct {
		sync.Mutex
		core   failoverCore
		moves  uint64
		timers []*clock.Timer // per backend: its next health check
		back   *clock.Timer   // for the move back at backAt, if that is not 0
		backAt instant
		closed bool
		checks sync.WaitGroup // calls of Health that have not returned
		cancel context.CancelFunc
	}
	ctx context.Context // of all health checks
}

// NewFailover returns an open failover and begins to check its backends. The
// error names each field that is negative or contradictory.
func NewFailover[R any](cfg FailoverConfig[R]) (*Failover[R], error) {
	c := field.Check("pool: FailoverConfig")
	c.That(len(cfg.Backends) > 0 && len(cfg.Backends) <= maxBackends, "Backends", len(cfg.Backends),
		"backends: want 1 to %d", maxBackends)
	c.Duration("HealthInterval", cfg.HealthInterval)
	c.Duration("HealthTimeout", cfg.HealthTimeout)
	c.Count("UnhealthyAfter", cfg.UnhealthyAfter)
	c.Duration("HealthyFor", cfg.HealthyFor)
	cfg = cfg.withDefaults()
	names := map[string]bool{}
	for i, b := range cfg.Backends {
		c.That(!names[b.Name], fmt.Sprintf("Backends[%d].Name", i), b.Name, "is taken")
		names[b.Name] = true
		c.Err(fmt.Sprintf("Backends[%d]", i), b.validate())
	}
	if err := c.Result(); err != nil {
		return nil, err
	}
	f := &Failover[R]{
		name: cfg.Name, clk: cfg.Clock, base: cfg.Clock.Now().Add(-1), log: cfg.EventLog,
		health: cfg.Health, interval: cfg.HealthInterval, timeout: cfg.HealthTimeout,
		desc: prometheus.NewDesc("failover_active", "1 for the backend that gets the traffic, else 0.",
			[]string{"backend"}, prometheus.Labels{"failover": cfg.Name}),
	}
	f.mu.core = failoverCore{unhealthyAfter: cfg.UnhealthyAfter, healthyFor: cfg.HealthyFor}
	for _, b := range cfg.Backends {
		if err := f.open(cfg.Breaker, b); err != nil {
			_ = f.Close(context.Background()) // nothing is out yet
			return nil, err
		}
	}
	f.start()
	return f, nil
}

// NewFailoverT is NewFailover with the clock, the seed and the event log of t.
// It fails t when cfg is invalid, and when leases are still out at its end as
// [NewT] does.
func NewFailoverT[R any](t qtests.TB, cfg FailoverConfig[R]) *Failover[R] {
	t.Helper()
	cfg.Clock = or(cfg.Clock, qtests.ClockOf(t))
	cfg.Stream = or(cfg.Stream, qtests.StreamOf(t, streamName(or(cfg.Name, DefaultFailoverName))))
	cfg.EventLog = or(cfg.EventLog, qtests.EventLogOf(t))
	cfg.Backends = append([]Config[R](nil), cfg.Backends...)
	for i := range cfg.Backends {
		cfg.Backends[i].Stacks = true
	}
	f, err := NewFailover(cfg)
	if err != nil {
		qtests.Fatalf(t, "%v", err)
	}
	t.Cleanup(func() {
		t.Helper()
		ctx, cancel := cleanupContext(f.clk)
		defer cancel()
		if err := f.Close(ctx); err != nil {
			t.Errorf("%v", err)
		}
	})
	return f
}

func (cfg FailoverConfig[R]) withDefaults() FailoverConfig[R] {
	cfg.Name = or(cfg.Name, DefaultFailoverName)
	cfg.HealthInterval = or(cfg.HealthInterval, DefaultHealthInterval)
	cfg.HealthTimeout = or(cfg.HealthTimeout, DefaultHealthTimeout)
	cfg.UnhealthyAfter = or(cfg.UnhealthyAfter, DefaultUnhealthyAfter)
	cfg.HealthyFor = or(cfg.HealthyFor, DefaultHealthyFor)
	cfg.Stream = or(cfg.Stream, qtests.NewStream(qtests.DefaultSeed, streamName(cfg.Name)))
	if cfg.Clock == nil {
		cfg.Clock = clock.New()
	}
	if cfg.Health == nil {
		cfg.Health = makeAndCheck[R]
	}
	cfg.Backends = append([]Config[R](nil), cfg.Backends...)
	for i := range cfg.Backends {
		b := &cfg.Backends[i]
		b.Name = or(b.Name, fmt.Sprintf("%s-%d", cfg.Name, i))
		b.Clock = or(b.Clock, cfg.Clock)
		b.Stream = or(b.Stream, cfg.Stream.Sub(b.Name))
		b.EventLog = or(b.EventLog, cfg.EventLog)
	}
	return cfg
}

// makeAndCheck is the default of FailoverConfig.Health.
func makeAndCheck[R any](ctx context.Context, cfg Config[R]) error {
	r, err := cfg.New(ctx)
	if err != nil {
		return err
	}
	if isNil(r) {
		return ErrNilResource
	}
	if cfg.Destroy != nil {
		defer cfg.Destroy(r)
	}
	if cfg.Check == nil {
		return nil
	}
	return cfg.Check(ctx, r)
}

// open adds one backend.
func (f *Failover[R]) open(template breaker.Config, cfg Config[R]) error {
	if cfg.Breaker == nil {
		template.Name = cfg.Name
		template.Clock = or(template.Clock, cfg.Clock)
		template.Stream = or(template.Stream, cfg.Stream.Sub("breaker"))
		template.EventLog = or(template.EventLog, cfg.EventLog)
		b, err := breaker.New(template)
		if err != nil {
			return err
		}
		cfg.Breaker = b
	}
	p, err := New(cfg)
	if err != nil {
		return err
	}
	f.pools = append(f.pools, p)
	f.breakers = append(f.breakers, cfg.Breaker)
	f.configs = append(f.configs, cfg)
	f.mu.core.backends = append(f.mu.core.backends, backendHealth{healthy: true})
	return nil
}

func (f *Failover[R]) now() instant { return f.clk.Since(f.base) }

// Active returns the name of the backend that gets the traffic.
func (f *Failover[R]) Active() string { return f.pools[f.current()].name }

// Pools returns the backends' pools in order of preference, for example to read
// their Stats. Leases acquired from them directly do not take part in failing
// over.
func (f *Failover[R]) Pools() []*Pool[R] { return append([]*Pool[R](nil), f.pools...) }

// Acquire returns a lease of the active backend, or of the next healthy one if
// the active one's breaker is open or its New fails. Other errors are those of
// [Pool.Acquire], and are returned at once. Lease.Pool names the backend.
func (f *Failover[R]) Acquire(ctx context.Context) (Lease[R], error) {
	i := f.current()
	l, err := f.pools[i].Acquire(ctx)
	if !failed(err) {
		return l, err
	}
	for _, j := range f.tripped(i) {
		l, other := f.pools[j].Acquire(ctx)
		if !failed(other) {
			return l, other
		}
		f.tripped(j)
		err = errors.Join(err, other)
	}
	return l, err
}

// Do is [Pool.Do] with Acquire of the failover.
func (f *Failover[R]) Do(ctx context.Context, fn func(ctx context.Context, r R) error) error {
	l, err := f.Acquire(ctx)
	if err != nil {
		return err
	}
	return l.run(ctx, fn)
}

// failed reports whether err speaks against the backend.
func failed(err error) bool { return isConstruct(err) || errors.Is(err, breaker.ErrOpen) }

// Close stops the health checks, then closes every pool; ctx limits the wait as
// in [Pool.Close]. The error joins those of the pools.
func (f *Failover[R]) Close(ctx context.Context) error {
	f.stop()
	var errs []error
	for _, p := range f.pools {
		errs = append(errs, p.Close(ctx))
	}
	errs = append(errs, f.wait(ctx))
	return errors.Join(errs...)
}
