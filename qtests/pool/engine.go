package pool

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
)

// engine is a pool without its type parameter: the lock around a core, the
// clock, and the user's functions.
type engine struct {
	// mu is never held while user code runs, or while a goroutine waits. Clock.Now and
	// Clock.AfterFunc are called under it. It comes first for the reason
	// that core gives.
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
	}

	stopwatch
	log      *event.Log
	breaker  *breaker.Breaker
	onReport func(Report)
	create   func(context.Context) (any, error)
	verify   func(context.Context, any) error
	destroy  func(any)
	prepare  func(context.Context, any) error // Config.OnAcquire, or nil
	restore  func(any) error                  // Config.OnRelease, or nil
	// What core.settings says too, but never changes and needs no lock.
	name           string
	metrics        prometheus.Collector
	timed, stacks  bool
	acquireTimeout time.Duration

	tenancy tenancy.Tenancy
}

func newEngine(s settings, clk clock.Clock) *engine {
	e := &engine{
		stopwatch: startWatch(clk), name: s.name,
		timed: s.timed(), stacks: s.stacks, acquireTimeout: s.acquireTimeout,
	}
	e.metrics = NewCollector(s.name, e.stats)
	e.mu.core.settings, e.mu.core.base = s, e.base
	return e
}

// lock locks mu and returns the present instant if it makes a difference, else 0:
// asking costs more than the rest of an acquire.
func (e *engine) lock() (now instant) {
	e.mu.Lock()
	return e.nowLocked()
}

func (e *engine) nowLocked() instant {
	if e.timed || e.mu.core.needsTime() {
		return e.now()
	}
	return 0
}

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
	e.mu.Unlock()
}

// change changes the core and does what follows from that.
func (e *engine) change(f func(c *core, fx *effects)) {
	var fx effects
	e.mu.Lock()
	f(&e.mu.core, &fx)
	e.unlock()
	e.perform(&fx)
}

func closeOnce(ch chan struct{}) {
	select {
	case <-ch:
	default:
		close(ch)
	}
}

// armLocked makes sure that tend runs when the core wants it to, or earlier. A timer
// for an instant that no longer matters finds nothing to do. That is cheaper than to
// move the timer on every release.
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
	e.change(func(c *core, fx *effects) {
		if e.mu.timerAt == at { // else this timer was replaced as it fired
			e.mu.timerAt, c.alarm = 0, 0
			c.tend(e.now(), fx)
		}
	})
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
	e.mu.Lock()
	c := &e.mu.core
	if c.closed {
		c.counts.results[resultClosed]++
		e.unlock()
		return grant{err: ErrClosed}
	}
	c.awake = true
	if c.waiters.n == 0 && !c.suspended {
		now := e.nowLocked()
		if entry, _ := c.take(now, &fx); entry != nil {
			g := c.lend(entry, now, stack)
			if c.minIdle > 0 {
				c.feed(now, &fx)
			}
			e.unlock()
			e.perform(&fx)
			return g
		}
	}
	now, outside := e.here()
	if err := c.admit(now); err != nil {
		c.counts.results[resultOf(err)]++
		e.unlock()
		e.perform(&fx)
		return grant{err: err}
	}
	place := newPlace(outside)
	c.waiters.push(place, now, stack)
	c.settle(now, &fx)
	e.unlock()
	e.perform(&fx)
	return e.wait(ctx, place)
}

// wait waits for what a place in the queue brings. What has been granted is taken,
// even if the context has ended in the meantime: a granted lease is never lost.
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

// leave gives up a place in the queue, with an error as its grant. It reports false if
// the place has been served.
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
		g = c.lend(entry, now, stack)
		c.feed(now, &fx)
		return g
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
		why, expired := c.expired(entry, now)
		c.idle.remove(entry)
		if expired {
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

// finish ends a lease, or panics if it has ended before.
func (e *engine) finish(x *entry, lease uint64, how ending) {
	var fx effects
	now := e.lock()
	if x.lease.Load() != lease {
		e.mu.Unlock()
		panic("pool: lease ended twice")
	}
	var permit breaker.Permit
	guarded := x.guarded
	if guarded {
		permit, x.guarded = x.permit, false
	}
	e.mu.core.giveBack(x, how, now, &fx)
	e.unlock()
	e.perform(&fx)
	if guarded {
		permit.Done(how.err)
	}
}

// close closes the core. The first channel is closed once every lease has ended,
// the second once every function of the user has returned as well.
func (e *engine) close() (returned, drained <-chan struct{}) {
	e.change(func(c *core, fx *effects) {
		if !c.closed {
			e.mu.returned, e.mu.drained = make(chan struct{}), make(chan struct{})
			if e.mu.timer != nil {
				e.mu.timer.Stop()
			}
			fx.mark("closed")
			c.close(e.now(), fx)
		}
		returned, drained = e.mu.returned, e.mu.drained
	})
	return returned, drained
}

// stillOut says what a Close that ends with err leaves behind.
func (e *engine) stillOut(err error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, now := &e.mu.core, e.now()
	out := &CloseError{Pool: e.name, Running: c.running(), Err: err}
	for _, x := range c.leases() {
		out.Leases = append(out.Leases, c.held(x, now))
	}
	return out
}

// tally returns what has been reported so far.
func (e *engine) tally() tally {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.mu.core.tally)
}

func (e *engine) stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mu.core.stats()
}

// deliver hands reports to OnReport, in their order, by one goroutine at a time. A
// goroutine that finds another one at it leaves its reports to that one.
func (e *engine) deliver(reports []Report) {
	if e.onReport == nil {
		return
	}
	e.mu.Lock()
	e.mu.reports = append(e.mu.reports, reports...)
	if e.mu.delivering {
		e.mu.Unlock()
		return
	}
	e.mu.delivering = true
	defer func() {
		e.mu.delivering = false // also after a Goexit in OnReport
		e.mu.Unlock()
	}()
	for len(e.mu.reports) > 0 {
		r := e.mu.reports[0]
		e.mu.reports = e.mu.reports[1:]
		e.mu.Unlock()
		e.hand(r)
	}
}

// hand calls OnReport, and holds the lock when it is done, on every way out.
func (e *engine) hand(r Report) {
	usercode.Run(func() error { e.onReport(r); return nil }, func(err error) {
		e.mu.Lock()
		if err != nil && err != usercode.ErrGoexit {
			e.mu.core.counts.panics++
		}
	})
}
