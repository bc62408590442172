package breaker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Breaker is a circuit breaker. Make one with [New] or [NewT]. All methods
// are safe for concurrent use.
type Breaker struct {
	cfg   Config
	clock clock.Clock
	made  time.Time
	timed bool // every call is timed, for Config.SlowCall

	tenancy bubble.Tenancy

	// word passes calls while the machine is closed. See its type.
	word word
	// mu guards the machine and the deliveries. Nothing waits and no user code
	// runs while it is held; the clock is read before it is taken.
	mu struct {
		sync.Mutex
		machine    *machine
		deliveries deliveries
	}
}

// New returns a closed breaker, or an error that names every field of cfg that
// has no meaning, with its value.
func New(cfg Config) (*Breaker, error) {
	cfg, err := cfg.normalize()
	if err != nil {
		return nil, err
	}
	b := &Breaker{cfg: cfg, clock: cfg.Clock, timed: cfg.SlowCall > 0}
	b.made = b.clock.Now()
	b.mu.machine = newMachine(&b.cfg, b.made)
	b.mu.deliveries.limit = cfg.LogSize
	b.word.publish(b.mu.machine.flags(), 0)
	return b, nil
}

// NewT returns a breaker for a test. What cfg leaves open it takes from t: the
// clock, the seed and the event log. A cfg without meaning fails t.
func NewT(t tb.TB, cfg Config) *Breaker {
	t.Helper()
	b, err := New(cfg.of(t))
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	return b
}

// of returns c with the clock, the seed and the event log of t.
func (c Config) of(t tb.TB) Config {
	if c.Clock == nil {
		c.Clock = tb.ClockOf(t)
	}
	if c.Stream == (tb.Stream{}) {
		c.Stream = tb.StreamOf(t, "breaker "+orDefault(c.Name, DefaultName))
	}
	if c.EventLog == nil {
		c.EventLog = tb.EventLogOf(t)
	}
	return c
}

// Name returns the name in the Config.
func (b *Breaker) Name() string { return b.cfg.Name }

// now is the present instant as an offset from the breaker's making. Since is
// half the price of Now on the real clock: it reads the monotonic time only.
func (b *Breaker) now() time.Duration { return b.clock.Since(b.made) }

// lock takes the lock and everything the word holds.
func (b *Breaker) lock() {
	b.mu.Lock()
	b.collect()
}

func (b *Breaker) collect() {
	running, n := b.word.collect()
	m := b.mu.machine
	m.running += running
	m.totals.successes += n
	m.counts.Successes += n
	m.counts.ConsecutiveSuccesses += n
}

// unlock queues and writes out what has happened, publishes the word again and
// releases the lock. If it reports true the caller must call deliver.
func (b *Breaker) unlock() (deliver bool) {
	m := b.mu.machine
	if len(m.fresh) > 0 {
		for _, t := range m.fresh {
			b.cfg.EventLog.Add(t.At, "breaker "+b.cfg.Name, t.String())
		}
		if b.cfg.OnTransition != nil {
			b.mu.deliveries.add(m.fresh)
		}
		m.fresh = m.fresh[:0]
	}
	want := m.flags()
	have, published := b.word.published()
	if published && want != have {
		b.collect()
		want, published = m.flags(), false
	}
	if !published && want != 0 && m.running <= maxRunning {
		b.word.publish(want, m.running)
		m.running = 0
	}
	deliver = b.mu.deliveries.waiting()
	b.mu.Unlock()
	return deliver
}

// admit asks for one call.
func (b *Breaker) admit() (t ticket, deliver bool, err error) {
	if err := b.tenancy.Use(b.clock, "breaker", b.cfg.Name); err != nil {
		return t, false, err
	}
	if b.timed {
		t.start = b.now()
	}
	var ok bool
	if t.generation, ok = b.word.admit(); ok {
		return t, false, nil
	}
	now := b.now()
	b.lock()
	t, rejected := b.mu.machine.admit(now)
	deliver = b.unlock()
	if rejected != nil {
		return t, deliver, rejected
	}
	return t, deliver, nil
}

// finish records the result of an admitted call.
func (b *Breaker) finish(t *ticket, o outcome) {
	var now time.Duration
	if b.timed {
		now = b.now()
	}
	if o == success && t.script == nil && !b.cfg.slow(now-t.start) && b.word.succeed(t.generation) {
		return
	}
	if !b.timed {
		now = b.now()
	}
	b.mu.Lock()
	// A word without successes may stay published while the machine counts a
	// result: admissions do not depend on the counts of a closed breaker.
	if flags, _ := b.word.published(); flags&clean != 0 {
		b.collect()
	}
	b.mu.machine.finish(now, *t, o)
	if b.unlock() {
		b.deliver()
	}
}

// Do calls f with ctx if the breaker admits the call, and records the result.
// It returns what f returns, or a *[RejectedError], for which errors.Is(err,
// ErrOpen) holds, without calling f.
//
// A panic in f and a runtime.Goexit (which t.FailNow is) count as failures, and
// go on unchanged.
func (b *Breaker) Do(ctx context.Context, f func(context.Context) error) error {
	t, deliver, err := b.admit()
	if err != nil {
		if deliver {
			b.deliver()
		}
		return err
	}
	// Until f runs, a hook that panics gives the permit back.
	o, finished := ignored, false
	defer func() {
		if !finished {
			b.finish(&t, o)
		}
	}()
	if deliver {
		b.deliver()
	}
	o = failure
	if t.script != nil {
		return t.script
	}
	err = f(ctx)
	o = b.classify(ctx, err)
	finished = true
	b.finish(&t, o)
	return err
}

// Call is [Breaker.Do] for a function that returns a value. A rejected call
// returns the zero value.
func Call[T any](ctx context.Context, b *Breaker, f func(context.Context) (T, error)) (T, error) {
	var v T
	err := b.Do(ctx, func(ctx context.Context) (err error) {
		v, err = f(ctx)
		return err
	})
	return v, err
}

// classify says what a result counts as.
func (b *Breaker) classify(ctx context.Context, err error) outcome {
	c := &b.cfg
	if err == nil && c.IsFailure == nil {
		return success
	}
	if err != nil {
		if !c.CountCanceled && canceled(ctx, err) {
			return ignored
		}
		if c.Ignore != nil && c.Ignore(err) {
			return ignored
		}
	}
	if c.IsFailure == nil || c.IsFailure(err) {
		return failure
	}
	return success
}

// canceled reports whether err says that the caller gave up. A deadline does
// not: the caller waited as long as it could, and the call did not come back.
func canceled(ctx context.Context, err error) bool {
	return errors.Is(ctx.Err(), context.Canceled) &&
		(errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx)))
}
