package breaker_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/cause"
)

func TestTripWhen(t *testing.T) {
	var seen []breaker.Counts
	b, _ := newBreaker(t, breaker.Config{SlowCall: time.Second, TripWhen: func(c breaker.Counts) bool {
		seen = append(seen, c)
		return c.Failures >= 3 && c.Failures > c.Successes
	}})
	results(b, "sfsffsi")
	b.RequireTransitions(t, breaker.Open)
	require.Equal(t, cause.TripWhen, last(b).Cause)
	require.Equal(t, "TripWhen holds, with 3 failures of 5", last(b).Detail)
	require.Equal(t, breaker.Counts{Successes: 2, Failures: 3, Slow: 0, ConsecutiveFailures: 2}, seen[4], "asked about the fifth result")
	require.Len(t, seen, 5, "asked once for each result, and no more since the breaker is open")
}

// There is no other condition where nothing else is configured, and TripWhen comes last
// where something is.
func TestTripWhenBesideOtherConditions(t *testing.T) {
	asked := 0
	never := func(breaker.Counts) bool { asked++; return false }
	b, _ := newBreaker(t, breaker.Config{TripWhen: never})
	results(b, "ffffffffff")
	b.RequireTransitions(t)
	require.Equal(t, 10, asked)

	b, _ = newBreaker(t, breaker.Config{TripWhen: never, FailureThreshold: 3})
	results(b, "fff")
	require.Equal(t, cause.ConsecutiveFailures, last(b).Cause)
	require.Equal(t, 12, asked, "not about the result that opened it")

	b, _ = newBreaker(t, breaker.Config{TripWhen: func(c breaker.Counts) bool { return c.ByTime.Failures == 2 && c.ByCalls.Calls == 3 }, Window: time.Minute, WindowCalls: 3})
	results(b, "ssff")
	require.Equal(t, cause.TripWhen, last(b).Cause)
	require.Equal(t, "TripWhen holds, with 2 failures of 4", last(b).Detail)
	require.Equal(t, breaker.Window{Calls: 3, Failures: 2}, last(b).Counts.ByCalls)
}

// Only a closed breaker that decides by itself, or that observes, is asked about.
func TestTripWhenIsNotAsked(t *testing.T) {
	asked := 0
	b, clk := newBreaker(t, breaker.Config{Probes: 3, TripWhen: func(breaker.Counts) bool { asked++; return true }})
	b.Trip()
	clk.Add(30 * time.Second)
	results(b, "s") // a probe
	b.SetMode(breaker.ForcedClosed)
	results(b, "ff")
	b.SetMode(breaker.Recording)
	results(b, "ff")
	require.Zero(t, asked)
	b.SetMode(breaker.Observing)
	results(b, "i")
	old := allow(t, b)
	b.Reset()
	old.Done(errDown)
	require.EqualValues(t, 1, b.Stats().Stale)
	require.Zero(t, asked)
	results(b, "s")
	require.Equal(t, 1, asked)
	require.Equal(t, cause.TripWhen, last(b).Cause)
	require.True(t, last(b).Observed)
	results(b, "f") // which passes only because the breaker observes
	require.Equal(t, 1, asked)
}

// It runs without a lock, so it may use the breaker. Its answer is about counts that may
// have gone.
func TestTripWhenMayCallTheBreaker(t *testing.T) {
	var b *breaker.Breaker
	b, _ = newBreaker(t, breaker.Config{TripWhen: func(breaker.Counts) bool {
		b.Reset()
		return true
	}})
	results(b, "f")
	b.RequireTransitions(t)

	b, _ = newBreaker(t, breaker.Config{TripWhen: func(breaker.Counts) bool {
		b.SetMode(breaker.ForcedClosed)
		return true
	}})
	results(b, "f")
	b.RequireTransitions(t)
}

func TestTripWhenThatPanics(t *testing.T) {
	var r recorder
	b, clk := newBreaker(t, breaker.Config{ResetTimeout: time.Second, OnTransition: r.hook, TripWhen: func(breaker.Counts) bool { panic("mine") }})
	require.PanicsWithValue(t, "mine", func() { results(b, "f") })
	require.Equal(t, oneFailure, tally(b))
	require.PanicsWithValue(t, "mine", func() { allow(t, b).Done(nil) })
	require.Equal(t, "success 1 failure 1 ignored 0 in flight 0", tally(b))

	// The look that comes with the result finds transitions; their hooks are called all the same.
	p := allow(t, b)
	require.NoError(t, b.Script(breaker.OpenAt(time.Second).For(time.Second)))
	clk.Add(time.Minute)
	p.Done(nil) // stale
	require.Len(t, r.got, 2)
	b.Reset()
	require.PanicsWithValue(t, "mine", func() { results(b, "f") })
	require.Equal(t, b.Transitions(), r.got)
}

func TestTripWhenUnderConcurrency(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{TripWhen: func(c breaker.Counts) bool { return c.Failures >= 5 }})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				results(b, "fs")
				b.Reset()
			}
		})
	}
	wg.Wait()
	for _, tr := range b.Transitions() {
		if tr.To == breaker.Open {
			require.Equal(t, cause.TripWhen, tr.Cause)
			require.GreaterOrEqual(t, tr.Counts.Failures, uint64(5), "counts of another generation opened it")
		}
	}
}

func TestWindowFailures(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{WindowFailures: 3, Window: time.Minute})
	for range 3 { // never three in a minute
		results(b, "ffs")
		clk.Add(time.Minute)
	}
	b.RequireTransitions(t)
	results(b, "fsssf")
	clk.Add(54*time.Second - 1) // the last instant with the bucket of the first two
	results(b, "f")
	b.RequireState(t, breaker.Open)
	require.Equal(t, cause.WindowFailures, last(b).Cause)
	require.Equal(t, "3 of 6 calls in 1m0s failed", last(b).Detail)

	b, _ = newBreaker(t, breaker.Config{WindowFailures: 2, WindowCalls: 3})
	results(b, "fssfssf")
	b.RequireTransitions(t)
	results(b, "f")
	require.Equal(t, "2 of the last 3 calls failed", last(b).Detail)

	b, _ = newBreaker(t, breaker.Config{WindowFailures: 100}) // in the last 100
	results(b, "s")
	_ = times(99, b, fails)
	b.RequireTransitions(t)
	results(b, "f")
	require.Equal(t, "100 of the last 100 calls failed", last(b).Detail)
}

// The rates go first, and MinCalls is for them alone.
func TestWindowFailuresBesideARate(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{WindowFailures: 2, FailureRate: 0.5, MinCalls: 4})
	results(b, "ff")
	require.Equal(t, cause.WindowFailures, last(b).Cause)
	b, _ = newBreaker(t, breaker.Config{WindowFailures: 2, FailureRate: 0.5, MinCalls: 2})
	results(b, "ff")
	require.Equal(t, cause.FailureRate, last(b).Cause)
}
