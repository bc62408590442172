package fake

import (
	"context"
	"maps"
	"math"
	"sync"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/internal/cleanup"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
	"github.com/go-qtests/qtests/qtests/tb"
)

// maxOps is how many operations of a [Fake] are counted by name.
const maxOps = 1000

// A Fake gives any function a latency, a limit and faults: a fake of a cache or a
// broker is a map or a slice behind it. The events of the embedded [Faults] concern
// all its calls.
//
// All methods are safe for concurrent use. A *Fake is a prometheus.Collector.
type Fake struct {
	Faults
	cfg    fault.Config
	engine *fault.Engine
	pool   *pool.Pool[struct{}]
	plain  *Op // of the operations without a script of their own

	mu struct {
		sync.Mutex
		ops   map[string]*Op
		calls map[string]uint64
	}
}

// NewT returns an open fake, which closes when t ends; t fails then if a call
// is still under way. A cfg that is negative or contradictory fails t at once.
func NewT(t tb.TB, cfg Config) *Fake {
	t.Helper()
	if err := cfg.validate(); err != nil {
		tb.Fatalf(t, "%v", err)
	}
	common := fault.Config(cfg).WithDefaults(t, "fake", math.MaxInt32)
	f := &Fake{cfg: common}
	f.engine = fault.New(common, func(n int) { _ = f.pool.Resize(0, n) })
	scope := fault.NewScope("fake", t, f.engine)
	f.Faults, f.plain = FaultsOf(scope), OpOf(scope, "call", common.Behaviour())
	f.mu.ops, f.mu.calls = map[string]*Op{}, map[string]uint64{}
	places, err := pool.New(pool.Config[struct{}]{
		Name: common.Name, Max: common.Max, New: func(context.Context) (struct{}, error) { return struct{}{}, nil },
		MaxWaiters: common.MaxWaiters, AcquireTimeout: common.AcquireTimeout, Clock: common.Clock, EventLog: common.EventLog,
	})
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	f.pool = places
	t.Cleanup(func() {
		t.Helper()
		f.engine.Close()
		if err := cleanup.Close(common.Clock, f.pool.Close); err != nil {
			t.Errorf("%s: a call has not returned: %v", common.Name, err)
		}
	})
	return f
}

// Do waits until one of Max places is free, lets the call pass the faults, waits
// for its latency, and then calls fn, whose error it returns. The place is held
// until fn returns, panics or calls runtime.Goexit. op names the operation, for
// example "GET".
//
// Before fn is called, Do may return the error of ctx, as soon as that ends, an error of
// [pool.Pool.Acquire], or an *[Error].
func (f *Fake) Do(ctx context.Context, op string, fn func(ctx context.Context) error) error {
	return f.pool.Do(ctx, func(ctx context.Context, _ struct{}) error {
		call := f.count(op).behaviour.Call(op)
		if err := f.engine.Do(ctx, &call); err != nil {
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
		o = OpOf(f.scope, op, f.plain.behaviour.Copy())
		f.mu.ops[op] = o
	}
	return o
}

// Brownout lets the number of calls that may be under way fall to n, above 0, for
// its duration. Those under way finish.
func (f *Fake) Brownout(n int) event.Event {
	f.scope.T.Helper()
	return f.scope.Brownout(n)
}

// opCalls returns how many calls each operation had.
func (f *Fake) opCalls() map[string]uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.mu.calls)
}
