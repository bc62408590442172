package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
)

// engine is a pool without its type parameter: the lock around a core, the
// clock, and the user's functions.
type engine struct {
	clk      clock.Clock
	log      *qtests.EventLog
	breaker  *breaker.Breaker
	onReport func(Report)
	create   func(context.Context) (any, error)
	verify   func(context.Context, any) error
	destroy  func(any)
	// What core.settings says too, but never changes and needs no lock.
	name           string
	base           time.Time
	descs          descs
	timed, stacks  bool
	acquireTimeout time.Duration

	tenancy qtests.Tenancy

	// waited is whether callers waited when mu was last unlocked. The next ones will,
	// too, and have what that takes, the instant and a place in the queue, before they
	// lock, which keeps the others out for less time. Measured in bench's row pool: 64
	// goroutines on 2, as the median of 25 runs in turn: 457 ns, instead of 513 with the
	// instant taken under the lock, 495 with the place, and 530 with both.
	waited atomic.Bool

	// mu is never held while user code runs or anybody waits. Clock.Now and
	// Clock.AfterFunc are called under it.
	mu struct {
		sync.Mutex
		core    core
		timer   *clock.Timer
		timerAt instant // when timer fires; zero when it does not
		// Made by the first Close: returned is closed once every lease has ended,
		// drained once every user function has returned as well.
		returned, drained chan struct{}

		reports    []Report // not yet delivered
		delivering bool
		panics     uint64
	}
}

func newEngine(s settings, clk clock.Clock) *engine {
	base := clk.Now().Add(-1)
	e := &engine{clk: clk, base: base, descs: newDescs(s.name), name: s.name, timed: s.timed(), stacks: s.stacks, acquireTimeout: s.acquireTimeout}
	e.mu.core.settings, e.mu.core.base = s, base
	return e
}

// lock locks mu and returns the present instant if it makes a difference, as
// nowLocked does. While somebody waits it does, and is asked for before; see waited.
func (e *engine) lock() (now instant) {
	if e.waited.Load() {
		now = e.now()
	}
	e.mu.Lock()
	if now == 0 {
		now = e.nowLocked()
	}
	return now
}

// nowLocked returns the present instant if it makes a difference, because asking
// costs more than the rest of an acquire.
func (e *engine) nowLocked() instant {
	if e.timed || e.mu.core.needsTime() {
		return e.now()
	}
	return 0
}

// now is the present instant. To a pool that was made outside a bubble and is used in
// one, which begins in the year 2000, time stands still.
func (e *engine) now() instant { return max(1, e.clk.Since(e.base)) }

// unlock ends a change of the core. Every change must end with it.
func (e *engine) unlock() {
	c := &e.mu.core
	if c.alarm != 0 {
		e.armLocked()
	}
	if c.closed && c.inUse == 0 {
		closeOnce(e.mu.returned)
		if c.running() == 0 {
			closeOnce(e.mu.drained)
		}
	}
	if invariants != nil {
		invariants(c)
	}
	if waited := c.waiters.n > 0; waited != e.waited.Load() {
		e.waited.Store(waited)
	}
	e.mu.Unlock()
}

// invariants, if set, inspects a core after every change of it. Tests set it.
var invariants func(*core)

func closeOnce(ch chan struct{}) {
	select {
	case <-ch:
	default:
		close(ch)
	}
}

// armLocked makes sure that tend runs when the core wants it to, or earlier: a
// timer for an instant that no longer matters finds nothing to do, which is
// cheaper than moving it on every release.
func (e *engine) armLocked() {
	at := e.mu.core.alarm
	if e.mu.timerAt != 0 && at >= e.mu.timerAt || e.mu.core.closed {
		return
	}
	if e.mu.timer != nil {
		e.mu.timer.Stop()
	}
	e.mu.timerAt = at
	e.mu.timer = e.clk.AfterFunc(max(1, at-e.now()), func() { e.tend(at) })
}

// tend is called by the timer that was set for the instant at.
func (e *engine) tend(at instant) {
	var fx effects
	e.mu.Lock()
	if e.mu.timerAt == at { // else this timer was replaced as it fired
		e.mu.timerAt, e.mu.core.alarm = 0, 0
		e.mu.core.tend(e.now(), &fx)
	}
	e.unlock()
	e.perform(&fx)
}

// acquire waits for an entry.
func (e *engine) acquire(ctx context.Context) (grant, error) {
	if err := ctx.Err(); err != nil {
		e.count(resultOf(err))
		return grant{}, err
	}
	return e.guarded(func(stack []uintptr) grant { return e.obtain(ctx, stack) })
}

// guarded takes a permit of the breaker for a lease.
func (e *engine) guarded(obtain func(stack []uintptr) grant) (grant, error) {
	if err := e.tenancy.Use(e.clk, "pool", e.name); err != nil {
		e.count(resultError)
		return grant{}, err
	}
	var permit breaker.Permit
	if e.breaker != nil {
		var err error
		if permit, err = e.breaker.Allow(); err != nil {
			e.count(resultError)
			return grant{}, err
		}
	}
	var stack []uintptr
	if e.stacks {
		stack = callers(3)
	}
	g := obtain(stack)
	switch {
	case e.breaker == nil:
	case g.err == nil:
		g.entry.permit, g.entry.guarded = permit, true
	case isConstruct(g.err):
		permit.Done(g.err)
	default:
		permit.Cancel()
	}
	return g, g.err
}

// count counts an acquire that ended before it came to the core.
func (e *engine) count(r result) {
	e.mu.Lock()
	e.mu.core.counts.results[r]++
	e.mu.Unlock()
}

// obtain serves the caller at once or queues it.
func (e *engine) obtain(ctx context.Context, stack []uintptr) grant {
	var fx effects
	var place *waiter
	if e.waited.Load() {
		place = newPlace()
	}
	now := e.lock()
	c := &e.mu.core
	if c.closed {
		c.counts.results[resultClosed]++
		e.unlock()
		return grant{err: ErrClosed}
	}
	c.awake = true
	if c.waiters.n == 0 && !c.suspended {
		if entry, _ := c.take(now, &fx); entry != nil {
			g := c.lend(entry, now, stack)
			e.unlock()
			e.perform(&fx)
			return g
		}
	}
	if now == 0 {
		now = e.now()
	}
	if err := c.admit(now); err != nil {
		c.counts.results[resultOf(err)]++
		e.unlock()
		e.perform(&fx)
		return grant{err: err}
	}
	if place == nil {
		place = newPlace()
	}
	c.waiters.push(place, now, stack)
	c.serve(now, &fx)
	c.feed(now, &fx)
	e.unlock()
	e.perform(&fx)
	return e.wait(ctx, place)
}

// wait waits for what a place in the queue brings. What has been granted is
// taken, even if the context has ended in the meantime: a granted lease is
// never lost, and it would be no use to anyone else any sooner.
func (e *engine) wait(ctx context.Context, place *waiter) grant {
	if e.acquireTimeout > 0 {
		timer := e.clk.AfterFunc(e.acquireTimeout, func() {
			if e.leave(place, ErrAcquireTimeout) {
				place.ch <- struct{}{}
			}
		})
		defer timer.Stop()
	}
	if done := ctx.Done(); done == nil {
		<-place.ch // a select of one channel costs twice as much
	} else {
		select {
		case <-place.ch:
		case <-done:
			if !e.leave(place, ctx.Err()) {
				<-place.ch
			}
		}
	}
	g := place.grant
	if e.acquireTimeout == 0 { // else the timer may have fired, and still look at it
		place.recycle()
	}
	return g
}

// leave gives a place in the queue up with an error as its grant, or reports
// false if it has been served.
func (e *engine) leave(place *waiter, err error) bool {
	e.mu.Lock()
	defer e.unlock()
	c := &e.mu.core
	if !c.waiters.remove(place) {
		return false
	}
	place.grant = grant{err: err}
	c.waited(place.since, e.now())
	c.counts.results[resultOf(err)]++
	return true
}

// tryAcquire never waits. When nothing can be had at once it has a resource
// made, so that a later attempt succeeds.
func (e *engine) tryAcquire() (grant, error) { return e.guarded(e.obtainNow) }

func (e *engine) obtainNow(stack []uintptr) (g grant) {
	var fx effects
	e.mu.Lock()
	defer func() { e.unlock(); e.perform(&fx) }()
	c := &e.mu.core
	if c.closed {
		c.counts.results[resultClosed]++
		return grant{err: ErrClosed}
	}
	if c.suspended || c.waiters.n > 0 {
		return grant{err: ErrNoneIdle}
	}
	c.awake = true
	now := e.now()
	entry, stale := c.take(now, &fx)
	switch {
	case entry != nil:
		return c.lend(entry, now, stack)
	case c.hopeless(now):
		c.counts.results[resultError]++
		return grant{err: c.lastFailed}
	case c.making > 0:
	case stale != nil:
		c.idle.remove(stale)
		c.startCheck(stale, true, &fx)
	case c.room() && !c.backingOff(now):
		c.start(&build{counted: true, round: c.round}, &fx)
	}
	return grant{err: ErrNoneIdle}
}

// acquireAllIdle takes what is idle, also from a suspended pool.
func (e *engine) acquireAllIdle() []grant {
	if e.tenancy.Use(e.clk, "pool", e.name) != nil {
		return nil // it has failed the test
	}
	var stack []uintptr
	if e.stacks {
		stack = callers(2)
	}
	var fx effects
	var out []grant
	e.mu.Lock()
	c := &e.mu.core
	now := e.now()
	for c.idle.n > 0 {
		entry := c.idle.head
		c.idle.remove(entry)
		if why, expired := c.expired(entry, now); expired {
			c.doom(entry, why, &fx)
			continue
		}
		out = append(out, c.lend(entry, now, stack))
	}
	c.feed(now, &fx)
	e.unlock()
	e.perform(&fx)
	return out
}

// end ends a lease, or panics if it has ended before.
func (e *engine) end(x *entry, lease uint64, how ending) {
	var fx effects
	now := e.lock()
	if x.lease.Load() != lease {
		e.mu.Unlock()
		panic("pool: lease ended twice")
	}
	permit, guarded := x.permit, x.guarded
	x.guarded = false
	e.mu.core.giveBack(x, how, now, &fx)
	e.unlock()
	e.perform(&fx)
	if guarded {
		permit.Done(how.err)
	}
}

// Stats returns one snapshot.
func (e *engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.mu.core.stats()
	s.Panics = e.mu.panics
	return s
}

// resultOf classifies an error of acquire.
func resultOf(err error) result {
	switch {
	case errors.Is(err, ErrAcquireTimeout), errors.Is(err, context.DeadlineExceeded) && !isConstruct(err):
		return resultTimeout
	case errors.Is(err, context.Canceled) && !isConstruct(err):
		return resultCanceled
	case errors.Is(err, ErrOverloaded):
		return resultShed
	case errors.Is(err, ErrClosed):
		return resultClosed
	}
	return resultError
}

func isConstruct(err error) bool {
	var c *ConstructError
	return errors.As(err, &c)
}
