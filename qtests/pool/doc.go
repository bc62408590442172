// Package pool has a resource pool with a strict queue. Package failover joins several
// of them. The packages fakesql, fakehttp and fake have fakes that are built on it.
//
//	p := pool.NewT(t, pool.Config[*Conn]{New: dial, Destroy: (*Conn).Close, Max: 20})
//	lease, err := p.Acquire(ctx)
//	if err != nil {
//		return err
//	}
//	defer lease.Release()
//	use(lease.Value())
//
// # Terms
//
// A resource is a value that [Config].New makes. It is idle, in use, or
// constructing, which includes being checked; the sum of the three is the total,
// and Max limits it. A lease is the right to use one resource until the lease is
// ended. A waiter is a caller in the queue. An operator's action is Resize,
// Reset, Suspend, Resume or Close.
//
// # Acquiring
//
// An idle resource is handed out at once, the one used last first (IdleFIFO: the
// one idle longest). Otherwise the caller waits in a strict FIFO queue; a
// resource that is released or made goes to the first waiter directly, and
// nobody can overtake. A grant wins against the end of the waiter's context at
// the same moment. A caller whose context has ended is not served at all.
//
// New runs on a goroutine of the pool. A waiter does not wait for the very
// resource that was begun for it, but for the first one to be had; when it gives
// up, the construction goes on and its resource is left to the next one.
//
// MaxWaiters and NoQueue count callers that wait without a resource being made
// or checked for them: with NoQueue a pool that is not full yet still serves, and
// one that is full sheds at once with [ErrOverloaded].
//
// # When construction fails
//
// The caller that has waited longest gets the error as a [*ConstructError]; then
// the pool backs off, and makes no attempt before Backoff has passed, doubled
// after each further failure up to MaxBackoff. During that time, callers wait if
// anything is under way that can serve them (a lease that may end, a check), and
// get the same error at once if nothing is. Attempts under way together that
// fail together are one failure.
//
// # Retirement
//
// A resource is destroyed when it is discarded, when its MaxLifetime (shortened
// by a seeded jitter), MaxIdleTime (down to Min) or MaxUses is reached, when
// Check rejects it, when it is surplus after Resize, older than the last Reset,
// or when the pool is closed. One in use is destroyed when its lease ends. What
// New returns after its construction was given up is destroyed at once. The
// pool has no goroutine of its own: one timer, set for the next instant at which
// something is due, does what nobody calls for.
//
// # User code that misbehaves
//
// New, Check and Destroy run on goroutines of their own and without any lock.
//
//   - A New that panics, calls runtime.Goexit or returns a nil resource has
//     failed: *[PanicError] with the stack, [ErrGoexit], [ErrNilResource].
//   - A New that has not returned after ConstructTimeout has failed for its
//     waiter, with context.DeadlineExceeded. It keeps its place until it
//     returns, so that there are never more than Max of them; a resource that it
//     then returns is used, an error ignored.
//   - A Check that panics, exits or returns too late has rejected the resource.
//     While it blocks, it costs its resource's place and nothing else: callers
//     keep to their contexts, and get another resource, room permitting.
//   - A Destroy that panics or exits is reported and counted; one that blocks
//     holds up nobody but Close.
//   - Ending a lease twice panics at once, and leaves a later lease of the same
//     resource untouched.
//   - After Close every acquire fails with [ErrClosed]. Close again waits again.
//     Close inside New, Check or Destroy does not wait for such calls.
//   - A function given to Do that panics or exits has its resource discarded.
//   - A panic in OnReport is swallowed and counted.
//
// A New that acquires from its own pool may wait for itself, until its context
// ends.
//
// # Time and order
//
// All waiting is on [Config].Clock. On the clock of a qtests.Run everything is
// repeatable: waiters that one event wakes (Close, Resume, Resize) run one after
// the other, in their order. A clock.Mock works too. Durations in [Stats] and
// reports are rounded to the microsecond.
//
// # Metrics
//
// A pool is a prometheus.Collector with
//
//	pool_resources{pool,state="idle|in_use|constructing"}
//	pool_max_resources{pool}
//	pool_waiters{pool}
//	pool_acquires_total{pool,result="ok|timeout|canceled|shed|closed|error"}
//	pool_wait_seconds_total{pool}
//
// A rejection by the breaker counts as an error, the deadline of a caller's
// context as a timeout.
package pool
