package pool

import (
	"context"
	"reflect"
	"runtime/debug"
)

// build runs New or Check on a goroutine of its own. The context of the caller
// that asked for it is not involved: a caller that gives up leaves the resource
// to the next one.
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
	err := ErrGoexit
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{p, debug.Stack()}
		}
		cleanup()
		b.cancel()
		e.built(b, value, err)
	}()
	value, err = inCallback(call)
	if err == nil && isNil(value) {
		err = ErrNilResource
	}
}

// inCallback marks the stack below which user code of a pool runs, for Close.
//
//go:noinline
func inCallback(call func() (any, error)) (any, error) {
	return call()
}

func (e *engine) built(b *build, value any, err error) {
	var fx effects
	e.mu.Lock()
	x := b.entry
	if x == nil && err == nil {
		x = &entry{engine: e, value: value}
	}
	e.mu.core.built(b, x, err, e.now(), &fx)
	e.unlock()
	e.perform(&fx)
}

func (e *engine) tooLong(b *build) {
	var fx effects
	e.mu.Lock()
	e.mu.core.tooLong(b, context.DeadlineExceeded, e.now(), &fx)
	e.unlock()
	e.perform(&fx)
}

// bury runs Destroy.
func (e *engine) bury(x *entry) {
	err := ErrGoexit
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{p, debug.Stack()}
		}
		var fx effects
		e.mu.Lock()
		e.mu.core.burials--
		if err != nil {
			e.mu.panics++
			e.mu.core.report(Report{Kind: DestroyFailed, At: e.clk.Now(), Err: err}, &fx)
		}
		e.unlock()
		e.perform(&fx)
	}()
	_, err = inCallback(func() (any, error) { e.destroy(x.value); return nil, nil })
}

// isNil reports whether v is nil in any of the ways a value can be.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.Slice, reflect.UnsafePointer:
		return r.IsNil()
	}
	return false
}
