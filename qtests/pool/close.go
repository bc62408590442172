package pool

import (
	"context"
	"runtime"
	"strings"
)

// Suspend stops the pool from granting and from constructing. Callers queue up,
// within the limits of MaxWaiters and NoQueue; leases that are out may end.
// Suspending a suspended pool does nothing.
func (e *engine) Suspend() {
	e.change(func(c *core, fx *effects) {
		if !c.suspended && !c.closed {
			c.suspended = true
			fx.mark("suspended")
		}
	})
}

// Resume ends a suspension and serves those who wait, in their order.
func (e *engine) Resume() {
	e.change(func(c *core, fx *effects) {
		if !c.suspended || c.closed {
			return
		}
		c.suspended = false
		fx.mark("resumed")
		now := e.now()
		c.serve(now, fx)
		c.feed(now, fx)
	})
}

// Reset retires every resource: idle ones at once, leased ones when their lease
// ends, and those being made or checked as soon as New or Check returns, whose
// context ends. Callers keep their places in the queue.
func (e *engine) Reset() {
	e.change(func(c *core, fx *effects) {
		if !c.closed {
			fx.mark("reset")
			c.reset(e.now(), fx)
		}
	})
}

func (e *engine) change(f func(c *core, fx *effects)) {
	var fx effects
	e.mu.Lock()
	f(&e.mu.core, &fx)
	e.unlock()
	e.perform(&fx)
}

// Close closes the pool: callers that wait, and all later ones, get ErrClosed;
// idle resources are destroyed; the contexts of New and Check end. It then waits
// until every lease has ended and every call of New, Check and Destroy has
// returned, or until ctx ends, and in that case returns a *CloseError with what
// is still out. A lease that ends later is destroyed all the same.
//
// Close may be called again, and concurrently: each call waits. Called from
// inside New, Check or Destroy, of this pool or another one, it does not wait
// for such calls, because one of them waits for it.
func (e *engine) Close(ctx context.Context) error {
	var done chan struct{}
	inside := insideCallback()
	e.change(func(c *core, fx *effects) {
		if !c.closed {
			e.mu.returned, e.mu.drained = make(chan struct{}), make(chan struct{})
			if e.mu.timer != nil {
				e.mu.timer.Stop()
			}
			fx.mark("closed")
			c.close(e.now(), fx)
		}
		done = e.mu.drained
		if inside {
			done = e.mu.returned
		}
	})
	select {
	case <-done:
		return nil
	default: // a context that has ended already must not win against a drained pool
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return e.stillOut(ctx.Err())
	}
}

func (e *engine) stillOut(err error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	out := &CloseError{Pool: e.name, Running: e.mu.core.running(), Err: err}
	for _, x := range e.mu.core.leases() {
		out.Leases = append(out.Leases, e.mu.core.held(x, now))
	}
	return out
}

// insideCallback reports whether the calling goroutine is running a New, a Check
// or a Destroy. The stack tells, without a goroutine's identity, which Go does
// not give, or a context, which the callback need not pass on.
func insideCallback() bool {
	pcs := make([]uintptr, 64)
	n := runtime.Callers(2, pcs)
	for n == len(pcs) {
		pcs = make([]uintptr, 2*len(pcs))
		n = runtime.Callers(2, pcs)
	}
	for it := runtime.CallersFrames(pcs[:n]); ; {
		f, more := it.Next()
		if strings.HasSuffix(f.Function, "qtests/pool.inCallback") {
			return true
		}
		if !more {
			return false
		}
	}
}
