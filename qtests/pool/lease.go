package pool

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/go-qtests/qtests/qtests/breaker"
)

// A Lease is the right to use one resource until it is ended by exactly one of
// Release, ReleaseUnused, Discard and Hijack. It is a small value: copies are
// the same lease, and ending any copy ends all of them.
//
// Ending a lease twice panics at once, also if the resource has been leased again since.
// So does any use of the zero Lease, and Value after the end. Another goroutine than the
// one that acquired a Lease may end it.
type Lease[R any] struct {
	entry *entry
	n     uint64
}

// Value returns the resource.
func (l Lease[R]) Value() R {
	if l.entry == nil {
		panic("pool: Value of a zero Lease")
	}
	if l.entry.lease.Load() != l.n {
		panic("pool: Value of a lease that has ended")
	}
	v, _ := l.entry.value.(R)
	return v
}

// Pool returns the name of the pool, which tells the backends of a [Failover]
// apart.
func (l Lease[R]) Pool() string {
	if l.entry == nil {
		return ""
	}
	return l.entry.engine.name
}

// Release gives the resource back, once Config.OnRelease has accepted it, to the caller that has waited longest if
// there is one. A resource that is past its MaxLifetime or MaxUses, surplus
// after Resize, or older than the last Reset, is destroyed instead.
func (l Lease[R]) Release() { l.end(ending{}) }

// ReleaseUnused gives the resource back as if it had not been used: its idle time goes
// on, and the use does not count against MaxUses.
func (l Lease[R]) ReleaseUnused() { l.end(ending{unused: true}) }

// Discard destroys the resource and makes room for another one. A breaker is told err.
// A nil err is no failure.
func (l Lease[R]) Discard(err error) { l.end(ending{discard: true, err: err}) }

// Hijack takes the resource out of the pool and returns it. It no longer counts, and
// the caller has to dispose of it. A breaker is told of no failure.
func (l Lease[R]) Hijack() R {
	v := l.Value()
	l.end(ending{hijack: true})
	return v
}

// Do calls fn with the resource, ends the lease on every way out of fn, and returns
// the error of fn. The lease is released, unless the error wraps [ErrBroken] or fn
// panics or calls runtime.Goexit, which leave the resource in an unknown state:
// then it is discarded. A breaker is told of the error.
func (l Lease[R]) Do(ctx context.Context, fn func(context.Context, R) error) (err error) {
	how := ending{discard: true, err: ErrBroken}
	defer func() { l.end(how) }()
	err = fn(ctx, l.Value())
	how = ending{discard: errors.Is(err, ErrBroken), err: err}
	return err
}

func (l Lease[R]) end(how ending) {
	if l.entry == nil {
		panic("pool: end of a zero Lease")
	}
	l.entry.engine.end(l.entry, l.n, how)
}

// ending says how a lease ends.
type ending struct {
	unused, discard, hijack bool
	unprepared              bool  // the caller never got it: Config.OnAcquire failed
	rejected                error // by Config.OnRelease
	err                     error
}

// state is where an entry is. Every entry of a pool is in exactly one.
type state uint8

const (
	stateIdle  state = iota // in core.idle
	stateInUse              // leased
	stateCheck              // in a build that checks it; counts as constructing
	stateGone               // destroyed, hijacked or orphaned
)

// An entry is one resource with its book-keeping. Everything in it is guarded by
// the engine's lock, except where a comment says otherwise.
type entry struct {
	engine *engine // immutable
	value  any     // immutable

	// lease is odd while the entry is leased and grows by one at each begin and
	// end, so that a stale copy of a Lease never matches. Written under the
	// lock, read without it by Value.
	lease atomic.Uint64

	// What every lease reads or writes stands together, for the reason that core gives.
	state      state
	overdue    bool // its present lease has been reported
	guarded    bool // permit is there; of the holder of the lease
	uses       int
	turn       uint64    // its place in the order of last use
	idleSince  instant   // end of its last use
	epoch      uint64    // the Reset it was made after
	prev, next *entry    // in core.idle
	stack      []uintptr // of its present lease

	id       uint64         // immutable; numbered from 1 in the order of construction
	index    int            // in core.all
	expires  instant        // end of its lifetime; zero without MaxLifetime
	checked  instant        // last check, or construction
	acquired instant        // begin of its present lease
	permit   breaker.Permit // the breaker's for the present lease; of its holder
}

// end ends a lease, or panics if it has ended before. OnRelease is asked first whether
// the resource may be used again.
func (e *engine) end(x *entry, lease uint64, how ending) {
	if e.restore == nil || how.discard || how.hijack {
		e.finish(x, lease, how)
		return
	}
	if x.lease.Load() != lease {
		panic("pool: lease ended twice")
	}
	final := ending{discard: true, rejected: ErrBroken, err: how.err} // of a panic or Goexit
	defer func() { e.finish(x, lease, final) }()
	if err := e.restore(x.value); err != nil {
		final.rejected = err
	} else {
		final = how
	}
}
