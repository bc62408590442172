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
// A resource is a value that [Config].New makes. It is idle, in use, or constructing.
// While it is checked it counts as constructing. The total is the sum of the three, and
// Max limits it. A lease is the right to use one resource until the lease ends. A
// waiter is a caller in the queue. An operator's action is Resize, Reset, Suspend,
// Resume or Close.
//
// # Acquiring
//
// An idle resource is handed out at once: the one that was used last, or with IdleFIFO
// the one that has been idle longest. If there is none, the caller waits in a strict
// FIFO queue. A resource that is released or made goes directly to the first waiter.
// No caller can overtake another one. When a grant and the end of the waiter's context
// come at the same moment, the grant wins. A caller whose context has ended already is
// not served.
//
// New runs on a goroutine of the pool. A waiter gets the first resource that becomes
// free, which need not be the one that was begun for it. When the waiter gives up, the
// construction goes on, and its resource is for the next waiter.
//
// MaxWaiters and NoQueue count the callers for which no resource is being made or
// checked. With NoQueue, a pool that is not full still serves; a full one refuses at
// once with [ErrOverloaded].
//
// # When construction fails
//
// The caller that has waited longest gets the error as a [*ConstructError]. Then the
// pool backs off: it makes no attempt before Backoff has passed. Backoff doubles after
// each further failure, up to MaxBackoff. During that time a caller waits if anything is
// under way that can serve it (a lease that may end, a check). If nothing is, it gets
// the same error at once. Attempts that run at the same time and fail are one failure.
//
// With NoBackoff each caller has an attempt at once. What is made for no caller (Min,
// MinIdle) pauses all the same, for the default times.
//
// # Hooks
//
// OnAcquire prepares a resource that was granted, on the goroutine of its caller, and can
// fail the caller. OnRelease restores one before the next caller gets it, on the goroutine
// that ends the lease, and can reject the resource. The lease lasts while they run.
//
// # Retirement
//
// A resource is destroyed when
//
//   - it is discarded, or Check or OnRelease rejects it,
//   - it reaches MaxLifetime (shortened by a seeded jitter), MaxIdleTime (while more than
//     Min are left, and more than MinIdle of them idle) or MaxUses,
//   - it is surplus after a Resize, beyond MaxIdle, or older than the last Reset,
//   - the pool is closed.
//
// A resource in use is destroyed when its lease ends. If New returns after its
// construction was given up, the resource is destroyed at once. The pool has no
// goroutine of its own. One timer is set for the next instant at which something is
// due.
//
// # User code that misbehaves
//
// New, Check and Destroy run on goroutines of their own and without any lock.
//
//   - A New that panics, calls runtime.Goexit or returns a nil resource has
//     failed: *[PanicError] with the stack, [ErrGoexit], [ErrNilResource].
//   - A New that has not returned after ConstructTimeout has failed for its
//     waiter, with context.DeadlineExceeded. It keeps its place until it
//     returns, so that there are never more than Max calls of New. If it then
//     returns a resource, the resource is used; an error is ignored.
//   - A Check that panics, exits or returns too late has rejected the resource.
//     While it blocks, its resource keeps its place. Callers still end with their
//     contexts, and get another resource if there is room.
//   - A Destroy that panics or exits is reported and counted. One that blocks
//     delays only Close.
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
// repeatable: when one event wakes several waiters (Close, Resume, Resize), they run
// one after the other, in their order. A clock.Mock works too. Durations in [Stats] and
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
// A rejection by the breaker counts as an error. The deadline of a caller's context
// counts as a timeout.
package pool
