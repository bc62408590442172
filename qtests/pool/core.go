package pool

import (
	"context"
	"time"
)

// core is the state of a pool and all of its decisions: a plain structure
// without lock, clock, goroutine or user code. Each method takes the present
// instant and appends what is to be done, once the lock is free, to fx.
//
// Its invariants are those of [Pool].
type core struct {
	// What every acquire and every release writes comes first, and together: a processor has
	// to fetch each line of memory that another processor wrote.
	waiters waitQueue
	idle    idleList
	inUse   int
	counts  counts

	lastTurn          uint64 // of the entry that was used last
	suspended, closed bool
	awake             bool     // Min is being kept
	making            int      // of builds, those that a waiter may count on
	builds            []*build // constructions and checks that count, oldest first
	retryAt           instant  // end of the back-off
	refillAt          instant  // under NoBackoff: before it none is made but for a caller
	alarm             instant  // the earliest instant at which tend has something to do

	settings
	base time.Time // of every instant

	all     []*entry // every entry that is not stateGone, in no particular order
	orphans int      // builds that were given up and have not returned
	burials int      // entries whose Destroy has not returned

	epoch             uint64 // counts the Resets
	lastID, lastBuild uint64

	failures   int // rounds of failed construction in a row
	round      int
	lastFailed error

	tally tally
}

// A build makes a resource or checks one.
type build struct {
	n       uint64
	entry   *entry // the one to check; nil to construct
	counted bool   // in making
	round   int
	orphan  bool
	overdue bool // its waiter has been told that it takes too long
	ctx     context.Context
	cancel  context.CancelFunc
}

// total is what counts against max.
func (c *core) total() int { return c.idle.n + c.inUse + len(c.builds) }

// room reports whether one more resource may be made. Orphans take room, so that
// no number of Resets brings more than max constructors to life.
func (c *core) room() bool { return c.total()+c.orphans < c.max }

// underfilled reports whether the pool keeps more resources than it has.
func (c *core) underfilled() bool {
	return c.awake && (c.total() < c.min || c.minIdle > 0 && c.spare() < c.minIdle)
}

// spare is how many resources are idle, or will be, that no waiter gets.
func (c *core) spare() int {
	n := c.idle.n - c.waiters.n
	for _, b := range c.builds {
		if !b.overdue {
			n++
		}
	}
	return n
}

// wants reports whether another resource should be made, room permitting.
func (c *core) wants() bool { return c.waiters.n > c.making || c.underfilled() }

func (c *core) backingOff(now instant) bool { return now < c.retryAt }

// pausedUntil is the end of the pause before the next construction, 0 if there is none.
// Without a back-off one that no caller waits for pauses all the same: a New that fails
// at once would be called for ever at one instant.
func (c *core) pausedUntil(now instant) instant {
	switch {
	case c.backingOff(now):
		return c.retryAt
	case now < c.refillAt && c.waiters.n <= c.making:
		return c.refillAt
	}
	return 0
}

// hopeless reports whether nothing is under way that could serve a waiter
// before the back-off ends.
func (c *core) hopeless(now instant) bool {
	return c.backingOff(now) && !c.suspended && c.inUse+c.idle.n+len(c.builds)+c.orphans == 0
}

// needsTime reports whether the present instant makes a difference.
func (c *core) needsTime() bool { return c.waiters.n > 0 || c.retryAt != 0 || c.refillAt != 0 }

// take removes the next idle entry that may be handed out. If e is nil, there is none,
// or the next one, stale, has to be checked first.
func (c *core) take(now instant, fx *effects) (e, stale *entry) {
	for c.idle.n > 0 {
		e = c.idle.tail
		if c.idleFIFO {
			e = c.idle.head
		}
		if why, expired := c.expired(e, now); expired {
			c.idle.remove(e)
			c.doom(e, why, fx)
			continue
		}
		if c.checkAfterIdle > 0 && now-max(e.idleSince, e.checked) >= c.checkAfterIdle {
			return nil, e
		}
		c.idle.remove(e)
		return e, nil
	}
	return nil, nil
}

// expired says whether an idle entry has reached one of its limits.
func (c *core) expired(e *entry, now instant) (why destroyReason, yes bool) {
	if c.maxLifetime > 0 && now >= e.expires {
		return destroyedLifetime, true
	}
	if c.maxIdleTime > 0 && now-e.idleSince >= c.maxIdleTime && c.mayExpire(e) {
		return destroyedIdle, true
	}
	return 0, false
}

// mayExpire reports whether the pool keeps enough without an entry that is, or becomes,
// idle.
func (c *core) mayExpire(e *entry) bool {
	idle := c.idle.n
	if e.state != stateIdle {
		idle++
	}
	return c.total() > c.min && idle > c.minIdle
}

// lend begins a lease of an entry that is in no list.
func (c *core) lend(e *entry, now instant, stack []uintptr) grant {
	e.state = stateInUse
	c.inUse++
	c.counts.results[resultOK]++
	e.uses++
	if c.stacks {
		e.acquired, e.stack, e.overdue = now, stack, false
		if c.leakThreshold > 0 {
			c.wake(now + c.leakThreshold)
		}
	}
	n := e.lease.Load() + 1
	e.lease.Store(n)
	return grant{entry: e, lease: n}
}

// admit decides about a caller that cannot be served at once.
func (c *core) admit(now instant) error {
	if c.hopeless(now) {
		return c.lastFailed
	}
	if c.idle.n > 0 && !c.suspended {
		return nil // it is to be checked for the caller
	}
	promised := c.making
	if !c.suspended && !c.backingOff(now) && c.making <= c.waiters.n && c.room() {
		promised++
	}
	// A caller for which a resource is being made is not in the queue proper.
	if queued := c.waiters.n - promised; queued >= 0 && queued >= c.maxWaiters {
		return ErrOverloaded
	}
	return nil
}

// serve hands idle entries to waiters, first come, first served.
func (c *core) serve(now instant, fx *effects) {
	for c.waiters.n > 0 && c.idle.n > 0 && !c.suspended {
		e, stale := c.take(now, fx)
		switch {
		case e != nil:
			w := c.waiters.pop()
			c.waited(w.since, now)
			w.grant = c.lend(e, now, w.stack)
			fx.add(step{ch: w.ch})
		case stale != nil && c.making < c.waiters.n:
			c.idle.remove(stale)
			c.startCheck(stale, true, fx)
		default:
			return
		}
	}
}

// settle does what follows from a change: waiters are served, idle entries beyond
// MaxIdle go, and what is missing is made.
func (c *core) settle(now instant, fx *effects) {
	c.serve(now, fx)
	for c.maxIdle > 0 && c.idle.n > c.maxIdle && c.total() > c.min {
		e := c.idle.head
		c.idle.remove(e)
		c.doom(e, destroyedSurplus, fx)
	}
	c.feed(now, fx)
}

// feed starts the constructions that waiters and Min call for.
func (c *core) feed(now instant, fx *effects) {
	if c.closed || c.suspended {
		return
	}
	for c.wants() && c.room() {
		if end := c.pausedUntil(now); end > 0 {
			c.wake(end)
			break
		}
		c.start(&build{counted: true, round: c.round}, fx)
	}
	for c.waiters.n > 0 && c.hopeless(now) {
		c.fail(c.lastFailed, resultError, now, fx)
	}
}

// fail ends the first wait with err.
func (c *core) fail(err error, r result, now instant, fx *effects) {
	w := c.waiters.pop()
	c.waited(w.since, now)
	c.counts.results[r]++
	w.grant = grant{err: err}
	fx.add(step{ch: w.ch})
}

func (c *core) start(b *build, fx *effects) {
	c.lastBuild++
	b.n = c.lastBuild
	b.ctx, b.cancel = context.WithCancel(context.Background())
	c.builds = append(c.builds, b)
	if b.counted {
		c.making++
	}
	fx.add(step{build: b})
}

// startCheck begins the check of an entry that is in no list.
func (c *core) startCheck(e *entry, counted bool, fx *effects) {
	e.state = stateCheck
	c.start(&build{entry: e, counted: counted}, fx)
}

// putIdle makes an entry that is in no list idle.
func (c *core) putIdle(e *entry) {
	e.state = stateIdle
	c.idle.insert(e)
	c.remind(e)
	c.remind(c.idle.head) // which this one may allow to expire
}

// remind asks for a call of tend when an idle entry next needs one.
func (c *core) remind(e *entry) {
	if c.maxLifetime > 0 {
		c.wake(e.expires)
	}
	if c.maxIdleTime > 0 && c.mayExpire(e) {
		c.wake(e.idleSince + c.maxIdleTime)
	}
	if c.checkInterval > 0 {
		c.wake(e.checked + c.checkInterval)
	}
}

// doom removes an entry that is in no list from the pool, to be destroyed.
func (c *core) doom(e *entry, why destroyReason, fx *effects) {
	c.forget(e)
	c.bury(e, why, fx)
}

// bury has an entry destroyed that is gone.
func (c *core) bury(e *entry, why destroyReason, fx *effects) {
	c.counts.destroyed[why]++
	if c.destroys {
		c.burials++
		fx.add(step{destroy: e})
	}
}

// buried takes the end of a Destroy.
func (c *core) buried(err error, now instant, fx *effects) {
	c.burials--
	if err != nil {
		c.counts.panics++
		c.report(Report{Kind: DestroyFailed, At: c.time(now), Err: err}, fx)
	}
}

// running counts the calls of New, Check and Destroy that have not returned.
func (c *core) running() int { return len(c.builds) + c.orphans + c.burials }

// forget removes an entry that is in no list from the pool.
func (c *core) forget(e *entry) {
	e.state = stateGone
	last := len(c.all) - 1
	c.all[e.index] = c.all[last]
	c.all[e.index].index = e.index
	c.all[last] = nil
	c.all = c.all[:last]
}

// wake asks for a call of tend at the instant.
func (c *core) wake(at instant) {
	if c.alarm == 0 || at < c.alarm {
		c.alarm = at
	}
}

func (c *core) stats() Stats {
	k := &c.counts
	s := Stats{
		Name: c.name, Min: c.min, Max: c.max,
		Idle: c.idle.n, InUse: c.inUse, Constructing: len(c.builds), Waiters: c.waiters.n,
		Suspended: c.suspended, Closed: c.closed,
		Acquired: k.results[resultOK], Timeouts: k.results[resultTimeout], Canceled: k.results[resultCanceled],
		Shed: k.results[resultShed], Rejected: k.results[resultClosed], Errors: k.results[resultError],
		Waited: k.waited, WaitTime: k.wait,
		Constructed: k.constructed, ConstructErrors: k.constructErrors, Hijacked: k.hijacked, Overdue: k.overdue,
		DestroyedDiscarded: k.destroyed[destroyedDiscarded], DestroyedLifetime: k.destroyed[destroyedLifetime],
		DestroyedIdle: k.destroyed[destroyedIdle], DestroyedUses: k.destroyed[destroyedUses],
		DestroyedCheck: k.destroyed[destroyedCheck], DestroyedSurplus: k.destroyed[destroyedSurplus],
		DestroyedReset: k.destroyed[destroyedReset], DestroyedClose: k.destroyed[destroyedClose],
		DestroyedOrphan: k.destroyed[destroyedOrphan],
		Panics:          k.panics,
	}
	for _, n := range k.destroyed {
		s.Destroyed += n
	}
	return s
}
