package breaker

import (
	"context"
	"errors"
	"time"
)

// Do calls f with ctx if the breaker admits the call, and records the result.
// It returns what f returns, or a *[RejectedError], for which errors.Is(err,
// ErrOpen) holds, without calling f.
//
// A panic in f and a runtime.Goexit (which t.FailNow is) count as failures, and
// go on unchanged.
func (b *Breaker) Do(ctx context.Context, f func(context.Context) error) error {
	return b.do(ctx, f, nil)
}

// Call is [Breaker.Do] for a function that returns a value. A rejected call
// returns the zero value.
func Call[T any](ctx context.Context, b *Breaker, f func(context.Context) (T, error)) (T, error) {
	var v T
	err := b.do(ctx, func(ctx context.Context) (err error) {
		v, err = f(ctx)
		return err
	}, nil)
	return v, err
}

// CallJudged is [Call] for results whose value says whether they are failures. The
// breaker records the error that judge returns, nil for a success, as if f had returned
// it: Config.IsFailure, Ignore and OpenFor see that error. The caller gets what f returned.
// A judge that panics makes the call a failure.
func CallJudged[T any](ctx context.Context, b *Breaker, f func(context.Context) (T, error), judge func(T, error) error) (T, error) {
	var v T
	err := b.do(ctx, func(ctx context.Context) (err error) {
		v, err = f(ctx)
		return err
	}, func(err error) error { return judge(v, err) })
	return v, err
}

// do is Do, with a judge of the error that f returned, or nil.
func (b *Breaker) do(ctx context.Context, f func(context.Context) error, judge func(error) error) error {
	var t ticket
	settle, err := b.admit(&t)
	if err != nil {
		if settle {
			b.settle()
		}
		return err
	}
	// Until f runs, a hook that panics gives the permit back.
	o, finished := ignored, false
	defer func() {
		if !finished {
			b.finish(&t, o, 0)
		}
	}()
	if settle {
		b.settle()
	}
	o = failure
	if t.script != nil {
		return t.script
	}
	err = f(ctx)
	counted := err
	if judge != nil {
		counted = judge(err)
	}
	o = b.classify(ctx, counted)
	openFor := b.openFor(o, counted)
	finished = true
	b.finish(&t, o, openFor)
	return err
}

// classify says what a result counts as.
func (b *Breaker) classify(ctx context.Context, err error) outcome {
	c := &b.cfg
	if err == nil && c.IsFailure == nil {
		return success
	}
	if err != nil {
		if !c.CountCanceled && canceled(ctx, err) {
			return ignored
		}
		if c.Ignore != nil && c.Ignore(err) {
			return ignored
		}
	}
	if c.IsFailure == nil || c.IsFailure(err) {
		return failure
	}
	return success
}

// openFor asks Config.OpenFor about a failure.
func (b *Breaker) openFor(o outcome, err error) time.Duration {
	if o != failure || b.cfg.OpenFor == nil {
		return 0
	}
	return b.cfg.OpenFor(err)
}

// canceled reports whether err says that the caller gave up. A deadline does
// not: the caller waited as long as it could, and the call did not come back.
func canceled(ctx context.Context, err error) bool {
	return errors.Is(ctx.Err(), context.Canceled) &&
		(errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx)))
}
