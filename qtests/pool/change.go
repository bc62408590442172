package pool

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"
)

// This file holds the core's answers to what happens to it: a lease ends, a
// build returns, time passes, an operator intervenes.

// waited counts a wait that has ended, with any result.
func (c *core) waited(since, now instant) {
	c.counts.waited++
	c.counts.wait += tb.Round(max(now-since, 0)) // each was read before its lock was taken
}

// giveBack ends the lease of e.
func (c *core) giveBack(e *entry, how ending, now instant, fx *effects) {
	e.lease.Store(e.lease.Load() + 1)
	if e.overdue {
		c.report(Report{Kind: LeaseReturned, At: c.time(now), Lease: c.held(e, now)}, fx)
	}
	if how.unused {
		e.uses--
	}
	why, retire := c.retired(e, how, now)
	c.inUse--
	switch {
	case how.hijack:
		c.counts.hijacked++
		c.forget(e)
	case retire:
		c.doom(e, why, fx)
	default:
		c.putIdle(e)
	}
	e.stack = nil
	c.serve(now, fx)
	c.feed(now, fx)
}

// retired says whether an entry whose lease ends must not be used again, and
// begins its idle time if it may.
func (c *core) retired(e *entry, how ending, now instant) (destroyReason, bool) {
	switch {
	case how.discard:
		return destroyedDiscarded, true
	case c.closed:
		return destroyedClose, true
	case e.epoch != c.epoch:
		return destroyedReset, true
	case c.total() > c.max:
		return destroyedSurplus, true
	case c.maxUses > 0 && e.uses >= c.maxUses:
		return destroyedUses, true
	case !how.unused:
		e.idleSince = now
	}
	return c.expired(e, now)
}

// built takes the result of a build: e is the new or the checked entry, nil when
// New failed.
func (c *core) built(b *build, e *entry, err error, now instant, fx *effects) {
	if b.orphan {
		c.orphans--
		if e != nil {
			c.bury(e, destroyedOrphan, fx)
		}
		c.feed(now, fx)
		return
	}
	c.unlist(b)
	if b.entry != nil && b.overdue && err == nil {
		err = context.DeadlineExceeded // a good answer that came too late is a bad sign
	}
	switch {
	case b.entry != nil && err != nil:
		c.doom(e, destroyedCheck, fx)
		c.report(Report{Kind: CheckFailed, At: c.time(now), Err: err}, fx)
	case b.entry != nil:
		e.checked = now
		c.putIdle(e)
	case err == nil:
		c.constructed(e, now, fx)
	case !b.overdue: // else it has failed already, and its waiter knows
		c.constructFailed(b, err, now, fx)
	}
	c.serve(now, fx)
	c.feed(now, fx)
}

func (c *core) constructed(e *entry, now instant, fx *effects) {
	if c.failures > 0 {
		fx.mark("constructing again")
	}
	c.failures, c.retryAt, c.lastFailed = 0, 0, nil
	c.round++
	c.lastID++
	c.counts.constructed++
	e.id, e.epoch, e.index = c.lastID, c.epoch, len(c.all)
	e.idleSince, e.checked = now, now
	if c.maxLifetime > 0 {
		e.expires = now + c.lifetime(e.id)
	}
	c.all = append(c.all, e)
	c.putIdle(e)
}

// lifetime draws the lifetime of the resource with the given number.
func (c *core) lifetime(id uint64) time.Duration {
	if c.jitter == 0 {
		return c.maxLifetime
	}
	cut := c.jitter * c.stream.At(id).Float64() * float64(c.maxLifetime)
	return max(1, tb.Round(c.maxLifetime-time.Duration(cut)))
}

// constructFailed gives the error to the caller that has waited longest and
// begins the back-off, once for all the attempts of one round.
func (c *core) constructFailed(b *build, err error, now instant, fx *effects) {
	c.counts.constructErrors++
	if b.round == c.round {
		c.round++
		c.failures++
		if c.backoff > 0 {
			c.retryAt = now + c.pause()
		}
		if c.failures == 1 {
			fx.mark("constructing fails: " + err.Error())
		}
	}
	failed := &ConstructError{Pool: c.name, Err: err, Failures: c.failures, RetryAt: c.time(c.retryAt)}
	c.lastFailed = failed
	c.report(Report{Kind: ConstructFailed, At: c.time(now), Err: failed}, fx)
	if c.waiters.n > 0 {
		c.fail(failed, resultError, now, fx)
	}
}

// pause is the back-off after the present number of failures.
func (c *core) pause() time.Duration {
	d := c.backoff
	for i := 1; i < c.failures && d < c.maxBackoff; i++ {
		d *= 2
	}
	return min(d, c.maxBackoff)
}

// tooLong treats a build as failed that has ignored the end of its context. The waiter
// of a construction gets the error. The waiter of a check gets another resource, if
// there is room. The build keeps its place until it returns.
func (c *core) tooLong(b *build, err error, now instant, fx *effects) {
	if b.orphan || b.overdue {
		return
	}
	if b.entry == nil {
		c.constructFailed(b, err, now, fx)
	}
	b.overdue = true
	c.uncount(b)
	c.serve(now, fx)
	c.feed(now, fx)
}

func (c *core) uncount(b *build) {
	if b.counted {
		b.counted = false
		c.making--
	}
}

func (c *core) unlist(b *build) {
	c.uncount(b)
	i := slices.Index(c.builds, b)
	c.builds = slices.Delete(c.builds, i, i+1)
}

// orphan gives a build up: its context ends, it no longer counts, and what it
// returns is destroyed.
func (c *core) orphan(b *build, fx *effects) {
	c.unlist(b)
	b.orphan = true
	c.orphans++
	if b.entry != nil {
		c.forget(b.entry)
	}
	fx.add(step{cancel: b.cancel})
}

// tend does what time calls for and asks to be called again.
func (c *core) tend(now instant, fx *effects) {
	if c.closed {
		return
	}
	for e := c.idle.head; e != nil; {
		next := e.next
		why, expired := c.expired(e, now)
		switch {
		case expired:
			c.idle.remove(e)
			c.doom(e, why, fx)
		case c.checkInterval > 0 && now-e.checked >= c.checkInterval:
			c.idle.remove(e)
			c.startCheck(e, false, fx)
		}
		e = next
	}
	for e := c.idle.head; e != nil; e = e.next {
		c.remind(e)
	}
	if c.leakThreshold > 0 {
		c.findLeaks(now, fx)
	}
	c.serve(now, fx)
	c.feed(now, fx)
}

func (c *core) findLeaks(now instant, fx *effects) {
	for _, e := range c.leases() {
		switch due := e.acquired + c.leakThreshold; {
		case e.overdue:
		case now < due:
			c.wake(due)
		default:
			e.overdue = true
			c.counts.overdue++
			c.report(Report{Kind: LeaseOverdue, At: c.time(now), Lease: c.held(e, now)}, fx)
		}
	}
}

// leases returns the entries in use by age of the lease, then by number.
func (c *core) leases() []*entry {
	var out []*entry
	for _, e := range c.all {
		if e.state == stateInUse {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *entry) int {
		if d := cmp.Compare(a.acquired, b.acquired); d != 0 {
			return d
		}
		return cmp.Compare(a.id, b.id)
	})
	return out
}

// resize sets the limits. Idle resources beyond them go first, the longest idle
// before the others, then builds, the youngest first; leases stay.
func (c *core) resize(least, most int, now instant, fx *effects) {
	c.min, c.max = least, most
	for c.total() > c.max && c.idle.n > 0 {
		e := c.idle.head
		c.idle.remove(e)
		c.doom(e, destroyedSurplus, fx)
	}
	for c.total() > c.max && len(c.builds) > 0 {
		c.orphan(c.builds[len(c.builds)-1], fx)
	}
	for e := c.idle.head; e != nil; e = e.next {
		c.remind(e) // a smaller Min lets resources expire that were kept
	}
	c.serve(now, fx)
	c.feed(now, fx)
}

// reset retires every resource there is, whatever it is doing.
func (c *core) reset(now instant, fx *effects) {
	c.epoch++
	c.empty(destroyedReset, fx)
	c.feed(now, fx)
}

func (c *core) empty(why destroyReason, fx *effects) {
	for c.idle.n > 0 {
		e := c.idle.head
		c.idle.remove(e)
		c.doom(e, why, fx)
	}
	for len(c.builds) > 0 {
		c.orphan(c.builds[0], fx)
	}
}

// close fails the waiters, in their order, and retires all that is not leased.
func (c *core) close(now instant, fx *effects) {
	c.closed = true
	for c.waiters.n > 0 {
		c.fail(ErrClosed, resultClosed, now, fx)
	}
	c.empty(destroyedClose, fx)
}

// report queues a report, which the engine delivers.
func (c *core) report(r Report, fx *effects) { fx.reports = append(fx.reports, r) }

func (c *core) held(e *entry, now instant) HeldLease {
	l := HeldLease{Resource: e.id, Since: c.time(e.acquired), Stack: frames(e.stack)}
	if e.acquired != 0 {
		l.Held = tb.Round(now - e.acquired)
	}
	return l
}

// time returns an instant as others see it.
func (c *core) time(at instant) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return c.base.Add(at)
}
