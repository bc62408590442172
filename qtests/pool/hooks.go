package pool

import (
	"context"
	"errors"
)

// This file calls the hooks of an acquire and of a release.

// prepared calls OnAcquire for a lease that was granted. Where the hook fails, the lease
// ends and the caller gets its error.
func (e *engine) prepared(ctx context.Context, g grant) (grant, error) {
	if e.prepare == nil {
		return g, nil
	}
	how := ending{discard: true, unprepared: true, err: ErrBroken} // of a panic or Goexit
	ready := false
	defer func() {
		if !ready {
			e.finish(g.entry, g.lease, how)
		}
	}()
	err := e.prepare(ctx, g.entry.value)
	if ready = err == nil; ready {
		return g, nil
	}
	how = ending{discard: errors.Is(err, ErrBroken), unused: true, unprepared: true, err: err}
	return grant{}, err
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
