package pool

import (
	"context"
	"maps"
	"math"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/field"
)

// maxOps is how many operations of a [Fake] are counted by name.
const maxOps = 1000

// FakeConfig describes a [Fake]. The zero value is usable.
type FakeConfig struct {
	// Name is the label in metrics, errors, events and the pool's log. Default "fake".
	Name string
	// Max is how many calls may be under way at once, as if each needed one of so
	// many connections. 0: no limit.
	Max int
	// MaxWaiters and AcquireTimeout are those of [Config].
	MaxWaiters     int
	AcquireTimeout time.Duration

	// Latency of each call. Default none.
	Latency qtests.Latency
	// ErrorRate is the probability from 0 to 1 that a call fails with Error when
	// its latency is over. Error defaults to [ErrInjected].
	ErrorRate float64
	Error     error

	// Clock, Stream and EventLog replace the test's clock, the stream "fake NAME"
	// of its seed, and its event log.
	Clock    clock.Clock
	Stream   qtests.Stream
	EventLog *qtests.EventLog
}

func (cfg FakeConfig) validate() error {
	c := field.Check("pool: FakeConfig")
	c.Count("Max", cfg.Max)
	c.Count("MaxWaiters", cfg.MaxWaiters)
	c.That(cfg.MaxWaiters <= 0 || cfg.Max > 0, "MaxWaiters", cfg.MaxWaiters, "needs a Max")
	c.Duration("AcquireTimeout", cfg.AcquireTimeout)
	c.Err("Latency", cfg.Latency.Err())
	c.Share("ErrorRate", cfg.ErrorRate)
	c.That(cfg.Error == nil || cfg.ErrorRate > 0, "Error", cfg.Error, "needs an ErrorRate")
	return c.Result()
}

// A Fake gives any function the latency, the limit and the faults that [SQL] and
// [HTTP] have: a fake of a cache or a broker is a map or a slice behind it. The
// events of the embedded [Faults] concern all its calls.
//
// All methods are safe for concurrent use. A *Fake is a prometheus.Collector.
type Fake struct {
	Faults
	name   string
	cfg    FakeConfig
	engine *faultEngine
	pool   *Pool[struct{}]
	plain  *Op

	mu struct {
		sync.Mutex
		ops   map[string]*Op
		calls map[string]uint64
	}
}

// NewFake returns an open fake, which closes when t ends; t fails then if a call
// is still under way. A cfg that is negative or contradictory fails t at once.
func NewFake(t qtests.TB, cfg FakeConfig) *Fake {
	t.Helper()
	if err := cfg.validate(); err != nil {
		qtests.Fatalf(t, "%v", err)
	}
	cfg.Name = or(cfg.Name, "fake")
	cfg.Max = or(cfg.Max, math.MaxInt32)
	cfg.Clock = or(cfg.Clock, qtests.ClockOf(t))
	cfg.Stream = or(cfg.Stream, qtests.StreamOf(t, "fake "+cfg.Name))
	cfg.EventLog = or(cfg.EventLog, qtests.EventLogOf(t))
	cfg.Error = or(cfg.Error, ErrInjected)

	f := &Fake{name: cfg.Name, cfg: cfg}
	f.engine = newFaultEngine(cfg.Name, cfg.Clock, cfg.Stream, cfg.EventLog)
	f.engine.max, f.engine.resize = cfg.Max, func(n int) { _ = f.pool.Resize(0, n) }
	f.Faults = Faults{engine: f.engine, t: t, what: cfg.Name}
	f.plain = newOp(&f.Faults, "call", newBehaviour(cfg.Latency, cfg.ErrorRate, cfg.Error))
	f.mu.ops, f.mu.calls = map[string]*Op{}, map[string]uint64{}
	pool, err := New(Config[struct{}]{
		Name: cfg.Name, Max: cfg.Max, New: func(context.Context) (struct{}, error) { return struct{}{}, nil },
		MaxWaiters: cfg.MaxWaiters, AcquireTimeout: cfg.AcquireTimeout, Clock: cfg.Clock, EventLog: cfg.EventLog,
	})
	if err != nil {
		qtests.Fatalf(t, "%v", err)
	}
	f.pool = pool
	t.Cleanup(func() {
		t.Helper()
		f.engine.close()
		if err := closeInCleanup(f.pool.engine); err != nil {
			t.Errorf("%s: a call has not returned: %v", f.name, err)
		}
	})
	return f
}

// Do waits until one of Max places is free, lets the call pass the faults, waits
// for its latency, and then calls fn, whose error it returns. The place is held
// until fn returns, panics or calls runtime.Goexit. op names the operation, for
// example "GET".
//
// Errors before fn is called: that of ctx, as soon as it ends; those of
// [Pool.Acquire]; and a *[FaultError].
func (f *Fake) Do(ctx context.Context, op string, fn func(ctx context.Context) error) error {
	return f.pool.Do(ctx, func(ctx context.Context, _ struct{}) error {
		call := f.count(op).call(op)
		if err := f.engine.do(ctx, &call); err != nil {
			return err
		}
		return fn(ctx)
	})
}

// Wrap returns fn behind [Fake.Do].
func (f *Fake) Wrap(op string, fn func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error { return f.Do(ctx, op, fn) }
}

// count returns the script of an operation.
func (f *Fake) count(op string) *Op {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := op
	if _, known := f.mu.calls[op]; !known && len(f.mu.calls) >= maxOps {
		name = "other"
	}
	f.mu.calls[name]++
	if o := f.mu.ops[op]; o != nil {
		return o
	}
	return f.plain
}

// On returns the script of the operations with that name, always the same: its
// latency and errors, and the faults that concern it alone. Until it says
// otherwise they behave like all others.
func (f *Fake) On(op string) *Op {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.mu.ops[op]
	if o == nil {
		o = newOp(&f.Faults, op, f.plain.behaviour.copy())
		f.mu.ops[op] = o
	}
	return o
}

// Brownout lets the number of calls that may be under way fall to n, above 0, for
// its duration. Those under way finish.
func (f *Fake) Brownout(n int) qtests.Event {
	f.t.Helper()
	return f.capacity(n)
}

// FakeStats is one snapshot of a [Fake].
type FakeStats struct {
	Pool  Stats
	Calls FaultStats
	Ops   map[string]uint64 // calls by operation; beyond a thousand they count as "other"
}

// Stats returns the numbers of the pool and of the calls so far.
func (f *Fake) Stats() FakeStats {
	f.mu.Lock()
	ops := maps.Clone(f.mu.calls)
	f.mu.Unlock()
	return FakeStats{Pool: f.pool.Stats(), Calls: f.engine.stats(), Ops: ops}
}

// Describe implements prometheus.Collector.
func (f *Fake) Describe(ch chan<- *prometheus.Desc) {
	f.pool.Describe(ch)
	f.engine.Describe(ch)
}

// Collect implements prometheus.Collector: the metrics of the pool and of the
// calls.
func (f *Fake) Collect(ch chan<- prometheus.Metric) {
	f.pool.Collect(ch)
	f.engine.Collect(ch)
}

// closeInCleanup closes the pool of a fake and waits for its leases, but not for
// ever.
func closeInCleanup(e *engine) error {
	ctx, cancel := cleanupContext(e.clk)
	defer cancel()
	return e.Close(ctx)
}

// closeAtOnce closes the pool of a fake without waiting for anything.
func closeAtOnce(e *engine) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = e.Close(ended) // what is still out is closeInCleanup's business
}
