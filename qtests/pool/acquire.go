package pool

import (
	"context"

	"github.com/go-qtests/qtests/qtests/breaker"
)

// acquire waits for an entry.
func (e *engine) acquire(ctx context.Context) (grant, error) {
	if err := ctx.Err(); err != nil {
		e.count(resultOf(err))
		return grant{}, err
	}
	return e.guarded(func(stack []uintptr) grant { return e.obtain(ctx, stack) })
}

// guarded takes a permit of the breaker for a lease.
func (e *engine) guarded(obtain func(stack []uintptr) grant) (grant, error) {
	if err := e.tenancy.Use(e.clk, "pool", e.name); err != nil {
		e.count(resultError)
		return grant{}, err
	}
	var permit breaker.Permit
	if e.breaker != nil {
		var err error
		if permit, err = e.breaker.Allow(); err != nil {
			e.count(resultError)
			return grant{}, err
		}
	}
	var stack []uintptr
	if e.stacks {
		stack = callers(3)
	}
	g := obtain(stack)
	switch {
	case e.breaker == nil:
	case g.err == nil:
		g.entry.permit, g.entry.guarded = permit, true
	case isConstruct(g.err):
		permit.Done(g.err)
	default:
		permit.Cancel()
	}
	return g, g.err
}
