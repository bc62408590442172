package breaker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
)

// tally is what a breaker's totals say about one call.
func tally(b *breaker.Breaker) string {
	s := b.Stats()
	return fmt.Sprintf("success %d failure %d ignored %d in flight %d", s.Successes, s.Failures, s.Ignored, s.InFlight)
}

const (
	oneSuccess = "success 1 failure 0 ignored 0 in flight 0"
	oneFailure = "success 0 failure 1 ignored 0 in flight 0"
	oneIgnored = "success 0 failure 0 ignored 1 in flight 0"
)

func TestCancellationByTheCallerIsIgnored(t *testing.T) {
	errGone := errors.New("the user closed the tab")
	canceled := func() context.Context { c, cancel := context.WithCancel(ctx); cancel(); return c }
	because := func() context.Context { c, cancel := context.WithCancelCause(ctx); cancel(errGone); return c }
	late := func() context.Context {
		c, cancel := context.WithDeadline(ctx, time.Unix(0, 0))
		cancel()
		return c
	}
	for _, tc := range []struct {
		name string
		ctx  context.Context
		err  error
		cfg  breaker.Config
		want string
	}{
		{"by the caller", canceled(), fmt.Errorf("get: %w", context.Canceled), breaker.Config{}, oneIgnored},
		{"by the caller with a cause", because(), errGone, breaker.Config{}, oneIgnored},
		{"somewhere inside", ctx, context.Canceled, breaker.Config{}, oneFailure},
		{"by the caller, but it failed first", canceled(), errDown, breaker.Config{}, oneFailure},
		{"by the caller, but it succeeded", canceled(), nil, breaker.Config{}, oneSuccess},
		{"a deadline", late(), context.DeadlineExceeded, breaker.Config{}, oneFailure},
		{"counted when asked for", canceled(), context.Canceled, breaker.Config{CountCanceled: true}, oneFailure},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, _ := newBreaker(t, tc.cfg)
			err := b.Do(tc.ctx, func(got context.Context) error {
				require.Equal(t, tc.ctx, got)
				return tc.err
			})
			require.Equal(t, tc.err, err)
			require.Equal(t, tc.want, tally(b))
		})
	}
}

// A permit does not know its caller, so the error decides.
func TestPermitIgnoresCancellation(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	allow(t, b).Done(fmt.Errorf("get: %w", context.Canceled))
	require.Equal(t, oneIgnored, tally(b))

	b, _ = newBreaker(t, breaker.Config{})
	allow(t, b).Done(context.DeadlineExceeded)
	require.Equal(t, oneFailure, tally(b))

	b, _ = newBreaker(t, breaker.Config{CountCanceled: true})
	allow(t, b).Done(context.Canceled)
	require.Equal(t, oneFailure, tally(b))
}

func TestIsFailureAndIgnore(t *testing.T) {
	errNotFound := errors.New("not found")
	errBusy := errors.New("busy")
	cfg := breaker.Config{
		IsFailure: func(err error) bool { return !errors.Is(err, errNotFound) && err != nil },
		Ignore:    func(err error) bool { return errors.Is(err, errBusy) },
	}
	for err, want := range map[error]string{
		nil: oneSuccess, errNotFound: oneSuccess, errDown: oneFailure, errBusy: oneIgnored,
	} {
		b, _ := newBreaker(t, cfg)
		require.Equal(t, err, b.Do(ctx, func(context.Context) error { return err }))
		require.Equal(t, want, tally(b), "%v", err)
	}
	b, _ := newBreaker(t, breaker.Config{IsFailure: func(err error) bool { return err == nil }})
	require.NoError(t, b.Do(ctx, succeeds))
	require.Equal(t, oneFailure, tally(b), "IsFailure is asked about nil, too")
}

func TestPanicIsAFailureAndGoesOn(t *testing.T) {
	type own struct{ n int }
	for _, value := range []any{"text", own{7}, errDown} {
		b, _ := newBreaker(t, breaker.Config{FailureThreshold: 1})
		require.PanicsWithValue(t, value, func() {
			_ = b.Do(ctx, func(context.Context) error { panic(value) })
		})
		require.Equal(t, oneFailure, tally(b))
		b.RequireState(t, breaker.Open)
	}
	b, _ := newBreaker(t, breaker.Config{})
	require.Panics(t, func() {
		_, _ = breaker.Call(ctx, b, func(context.Context) (int, error) { panic(nil) })
	})
	require.Equal(t, oneFailure, tally(b))
}

// The stack of the panic must still show where it came from, which a breaker
// that recovers and panics again would hide.
func TestPanicKeepsItsStack(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	defer func() {
		_ = recover()
		buf := make([]byte, 1<<16)
		require.Contains(t, string(buf[:runtime.Stack(buf, false)]), "explodes")
	}()
	_ = b.Do(ctx, explodes)
}

//go:noinline
func explodes(context.Context) error { panic("boom") }

func TestGoexitIsAFailure(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{FailureThreshold: 1})
	inGoroutine(func() {
		_ = b.Do(ctx, func(context.Context) error { runtime.Goexit(); return nil })
		t.Error("Goexit was stopped")
	})
	require.Equal(t, oneFailure, tally(b))
	b.RequireState(t, breaker.Open)
}

// inGoroutine runs f in a goroutine of its own, to its end, whichever it is, and
// returns what it panicked with.
func inGoroutine(f func()) (value any) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { value = recover() }()
		f()
	}()
	<-done
	return value
}

func TestClassifierThatPanicsCountsAsFailure(t *testing.T) {
	for name, cfg := range map[string]breaker.Config{
		"IsFailure":        {IsFailure: func(error) bool { panic("classifier") }},
		"Ignore":           {Ignore: func(error) bool { panic("classifier") }},
		"IsFailure Goexit": {IsFailure: func(error) bool { runtime.Goexit(); return false }},
	} {
		t.Run(name, func(t *testing.T) {
			for _, call := range []func(*breaker.Breaker){
				func(b *breaker.Breaker) { _ = b.Do(ctx, fails) },
				func(b *breaker.Breaker) { p, _ := b.Allow(); p.Done(errDown) },
			} {
				b, _ := newBreaker(t, cfg)
				value := inGoroutine(func() { call(b) })
				if name != "IsFailure Goexit" {
					require.Equal(t, "classifier", value)
				}
				require.Equal(t, oneFailure, tally(b))
			}
		})
	}
}

// The classifiers and the function may use the breaker they belong to.
func TestUserCodeMayCallBack(t *testing.T) {
	var b *breaker.Breaker
	b, _ = newBreaker(t, breaker.Config{
		FailureThreshold: 2,
		IsFailure:        func(err error) bool { _ = b.Stats(); return err != nil },
		Ignore:           func(error) bool { _ = b.Do(ctx, succeeds); return false },
	})
	err := b.Do(ctx, func(ctx context.Context) error {
		require.Equal(t, 1, b.Stats().InFlight)
		return b.Do(ctx, fails)
	})
	require.ErrorIs(t, err, errDown)
	require.Equal(t, "success 2 failure 2 ignored 0 in flight 0", tally(b))

	err = b.Do(ctx, func(context.Context) error { b.Trip(); return nil })
	require.NoError(t, err)
	require.EqualValues(t, 1, b.Stats().Stale, "the call began before the trip")
}

// A function that ignores its context and never returns is a call in flight; the
// breaker goes on.
func TestBlockedCallBlocksNobodyElse(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	release, done := make(chan struct{}), make(chan struct{})
	started := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.Do(ctx, func(context.Context) error { close(started); <-release; return nil })
	}()
	<-started
	require.NoError(t, b.Do(ctx, succeeds))
	require.Equal(t, 1, b.Stats().InFlight)
	b.Trip()
	b.Reset()
	close(release)
	<-done
	require.EqualValues(t, 1, b.Stats().Stale)
}
