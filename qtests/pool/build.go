package pool

import (
	"context"

	"github.com/go-qtests/qtests/qtests/pool/internal/callback"
)

// build runs New or Check on a goroutine of its own, without the context of the caller
// that asked for it: when that caller gives up, the next one gets the resource.
func (e *engine) build(b *build) {
	limit := e.mu.core.constructTimeout
	if b.entry != nil {
		limit = e.mu.core.checkLimit
	}
	ctx, cancel := e.clk.WithTimeout(b.ctx, limit)
	// Set after the context's own timer, so that on the clock of a bubble user
	// code that heeds its context has returned before this looks.
	overdue := e.clk.AfterFunc(limit, func() { e.tooLong(b) })
	call := func() (any, error) { return e.create(ctx) }
	if b.entry != nil {
		call = func() (any, error) { return b.entry.value, e.verify(ctx, b.entry.value) }
	}
	e.attempt(b, call, func() {
		overdue.Stop()
		cancel()
	})
}

// attempt calls the user's function and hands its result to the core on every
// way out of it: return, panic, or Goexit, which ends this goroutine.
func (e *engine) attempt(b *build, call func() (any, error), cleanup func()) {
	var value any
	callback.Run(func() (err error) {
		if value, err = call(); err == nil && callback.IsNil(value) {
			err = ErrNilResource
		}
		return err
	}, func(err error) {
		cleanup()
		b.cancel()
		e.built(b, value, err)
	})
}

func (e *engine) built(b *build, value any, err error) {
	x := b.entry
	if x == nil && err == nil {
		x = &entry{engine: e, value: value}
	}
	e.change(func(c *core, fx *effects) { c.built(b, x, err, e.now(), fx) })
}

func (e *engine) tooLong(b *build) {
	e.change(func(c *core, fx *effects) { c.tooLong(b, context.DeadlineExceeded, e.now(), fx) })
}

// bury runs Destroy.
func (e *engine) bury(x *entry) {
	callback.Run(func() error { e.destroy(x.value); return nil }, func(err error) {
		e.change(func(c *core, fx *effects) { c.buried(err, e.now(), fx) })
	})
}
