package pool

import (
	"context"
	"fmt"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/pool/internal/callback"
)

// Suspend stops the pool from granting and from constructing. Callers queue up,
// within the limits of MaxWaiters and NoQueue; leases that are out may end.
// Suspending a suspended pool does nothing.
func (p *Pool[R]) Suspend() {
	p.engine.change(func(c *core, fx *effects) {
		if !c.suspended && !c.closed {
			c.suspended = true
			fx.mark("suspended")
		}
	})
}

// Resume ends a suspension and serves those who wait, in their order.
func (p *Pool[R]) Resume() {
	p.engine.change(func(c *core, fx *effects) {
		if !c.suspended || c.closed {
			return
		}
		c.suspended = false
		fx.mark("resumed")
		now := p.engine.now()
		c.settle(now, fx)
	})
}

// Reset retires every resource: idle ones at once, leased ones when their lease
// ends, and those being made or checked as soon as New or Check returns, whose
// context ends. Callers keep their places in the queue.
func (p *Pool[R]) Reset() {
	p.engine.change(func(c *core, fx *effects) {
		if !c.closed {
			fx.mark("reset")
			c.reset(p.engine.now(), fx)
		}
	})
}

// Resize changes Min and Max. A larger Max serves those who wait; a smaller one
// destroys idle resources, gives up constructions, and destroys the surplus of
// resources in use as their leases end. It fails on negative or contradictory
// values, a Max of 0, and a closed pool.
func (p *Pool[R]) Resize(least, most int) error {
	c := field.Check("pool: Resize")
	c.Count("min", least)
	c.That(most > 0, "max", most, "is not positive")
	c.That(least <= most, "min", least, "is more than max, %d", most)
	if err := c.Result(); err != nil {
		return err
	}
	err := ErrClosed
	p.engine.change(func(c *core, fx *effects) {
		if !c.closed {
			err = nil
			fx.mark(resized(c.min, c.max, least, most))
			c.resize(least, most, p.engine.now(), fx)
		}
	})
	return err
}

func resized(oldMin, oldMax, newMin, newMax int) string {
	return fmt.Sprintf("resized from %d–%d to %d–%d", oldMin, oldMax, newMin, newMax)
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
func (p *Pool[R]) Close(ctx context.Context) error {
	returned, drained := p.engine.close()
	done := drained
	if callback.Inside() {
		done = returned
	}
	select {
	case <-done:
		return nil
	default: // a context that has ended already must not win against a drained pool
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return p.engine.stillOut(ctx.Err())
	}
}
