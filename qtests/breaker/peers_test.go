package breaker_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
)

// Faults that were found in other breakers, each with the test that would catch
// it here.

// A half-open call that panics or exits its goroutine keeps its permit for ever
// (failsafe-go, and gobreaker with Goexit).
func TestPeerFaultLostProbe(t *testing.T) {
	for name, leave := range map[string]func(){"panic": func() { panic("boom") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			b, clk := halfOpened(t, breaker.Config{})
			inGoroutine(func() {
				_, _ = breaker.Call(ctx, b, func(context.Context) (int, error) { leave(); return 0, nil })
			})
			b.RequireState(t, breaker.Open)
			require.Zero(t, b.Stats().InFlight)
			clk.Add(30 * time.Second)
			require.NoError(t, b.Do(ctx, succeeds))
			b.RequireState(t, breaker.Closed)
		})
	}
}

// State called in a hook deadlocks (gobreaker).
func TestPeerFaultStateInHook(t *testing.T) {
	var b *breaker.Breaker
	var seen []breaker.State
	b, _ = newBreaker(t, breaker.Config{OnTransition: func(breaker.Transition) { seen = append(seen, b.State()) }})
	b.Trip()
	b.Reset()
	require.Equal(t, []breaker.State{breaker.Open, breaker.Closed}, seen)
}

// Calls that were made while the breaker was closed, and succeed while it is
// half-open, close it (failsafe-go).
func TestPeerFaultStaleResultsClose(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{FailureThreshold: 1, SuccessThreshold: 2})
	old := []breaker.Permit{allow(t, b), allow(t, b), allow(t, b)}
	results(b, "f")
	clk.Add(30 * time.Second)
	b.RequireState(t, breaker.HalfOpen)
	for _, p := range old {
		p.Done(nil)
	}
	b.RequireState(t, breaker.HalfOpen)
	require.EqualValues(t, 3, b.Stats().Stale)
	b.RequireTransitions(t, breaker.Open, breaker.HalfOpen)
}

// A call that takes longer than the window is never counted (gobreaker).
func TestPeerFaultCallLongerThanTheWindow(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{FailureRate: 0.5, Window: time.Second, MinCalls: 3})
	permits := []breaker.Permit{allow(t, b), allow(t, b), allow(t, b)}
	clk.Add(time.Minute)
	for _, p := range permits {
		p.Done(errDown)
	}
	b.RequireTransitions(t, breaker.Open.At(time.Minute))
}

// Events arrive in another order than they happened in (failsafe-go, 10 of 10
// runs).
func TestPeerFaultEventsOutOfOrder(t *testing.T) {
	var r recorder
	b, clk := newBreaker(t, breaker.Config{FailureThreshold: 1, LogSize: 100_000, ResetTimeout: 1, OnTransition: r.hook})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				results(b, "fs")
				clk.Add(1)
			}
		})
	}
	wg.Wait()
	require.NotEmpty(t, r.got)
	require.Equal(t, b.Transitions(), r.got)
}

// done called twice is counted twice (gobreaker).
func TestPeerFaultDoneTwice(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	p := allow(t, b)
	p.Done(errDown)
	require.Panics(t, func() { p.Done(errDown) })
	require.EqualValues(t, 1, b.Stats().Counts.Failures)
}
