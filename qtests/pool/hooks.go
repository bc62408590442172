package pool

import (
	"context"
	"errors"
)

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
