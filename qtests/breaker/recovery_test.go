package breaker_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/cause"
	"github.com/go-qtests/qtests/qtests/tb"
)

// halfOpened returns a breaker that has just become half-open.
func halfOpened(t *testing.T, cfg breaker.Config) (*breaker.Breaker, *hand) {
	b, clk := newBreaker(t, cfg)
	b.Trip()
	clk.Add(b.Stats().RetryAfter)
	b.RequireState(t, breaker.HalfOpen)
	return b, clk
}

func TestHalfOpenAtExactlyResetTimeout(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{ResetTimeout: time.Second})
	b.Trip()
	clk.Add(time.Second - 1)
	require.Equal(t, time.Duration(1), b.Stats().RetryAfter)
	require.ErrorIs(t, b.Do(ctx, succeeds), breaker.ErrOpen)
	clk.Add(1)
	require.Zero(t, b.Stats().RetryAfter)
	require.NoError(t, b.Do(ctx, succeeds))
	b.RequireState(t, breaker.Closed)
}

// The log has the instant of the change, not of the look.
func TestHalfOpenIsDatedWhenItHappened(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{})
	b.Trip()
	clk.Add(24 * time.Hour)
	b.RequireTransitions(t, breaker.Open.At(0), breaker.HalfOpen.At(30*time.Second))
	require.Equal(t, epoch.Add(30*time.Second), b.Stats().Since)
}

func TestHalfOpenAdmitsProbesOnly(t *testing.T) {
	b, _ := halfOpened(t, breaker.Config{Probes: 2})
	p, q := allow(t, b), allow(t, b)
	err := b.Do(ctx, succeeds)
	require.EqualError(t, err, `breaker: open: "breaker": half-open and all probes given out`)
	var rejected *breaker.RejectedError
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, breaker.RejectedError{Breaker: "breaker", State: breaker.HalfOpen}, *rejected)
	p.Done(nil)
	require.ErrorIs(t, b.Do(ctx, succeeds), breaker.ErrOpen, "a probe that has reported gives no permit back")
	q.Done(nil)
	b.RequireState(t, breaker.Closed)
	require.Equal(t, "2 consecutive successful probes", last(b).Detail)
}

func TestFirstFailedProbeOpensAgain(t *testing.T) {
	b, _ := halfOpened(t, breaker.Config{Probes: 3, SuccessThreshold: 2})
	p, q := allow(t, b), allow(t, b)
	p.Done(nil)
	q.Done(errDown)
	b.RequireTransitions(t, breaker.Open, breaker.HalfOpen, breaker.Open)
	require.Equal(t, cause.ProbesFailed, last(b).Cause)
}

func TestIgnoredProbeGivesItsPermitBack(t *testing.T) {
	b, _ := halfOpened(t, breaker.Config{})
	for range 100 {
		results(b, "i")
		b.RequireState(t, breaker.HalfOpen)
	}
	results(b, "s")
	b.RequireState(t, breaker.Closed)
	require.Zero(t, b.Stats().Rejected)
}

func TestProbeFailureRateWaitsForAllProbes(t *testing.T) {
	for _, tc := range []struct {
		results string
		want    breaker.State
		detail  string
	}{
		{"fsss", breaker.Closed, "1 of 4 probes failed, 0.25 < 0.5"},
		{"ffss", breaker.Open, "2 of 4 probes failed, 0.5 >= 0.5"},
		{"sfif" + "s", breaker.Open, "2 of 4 probes failed, 0.5 >= 0.5"},
	} {
		b, _ := halfOpened(t, breaker.Config{Probes: 4, ProbeFailureRate: 0.5})
		n := len(tc.results) - 1
		results(b, tc.results[:n])
		b.RequireState(t, breaker.HalfOpen)
		results(b, tc.results[n:])
		b.RequireState(t, tc.want)
		require.Equal(t, tc.detail, last(b).Detail)
	}
}

func TestProbeFailureRateWaitsForTheLastOfThemToReport(t *testing.T) {
	b, _ := halfOpened(t, breaker.Config{Probes: 2, ProbeFailureRate: 1})
	p, q := allow(t, b), allow(t, b)
	p.Done(nil)
	b.RequireState(t, breaker.HalfOpen)
	q.Done(errDown)
	b.RequireState(t, breaker.Closed)
}

func TestSlowProbeIsAFailedProbe(t *testing.T) {
	b, clk := halfOpened(t, breaker.Config{SlowCall: time.Second, SlowCallRate: 0.5})
	require.NoError(t, b.Do(ctx, takes(clk, 2*time.Second, nil)))
	b.RequireState(t, breaker.Open)
	require.Equal(t, "a probe took longer than 1s", last(b).Detail)

	b, clk = halfOpened(t, breaker.Config{SlowCall: time.Second}) // slow calls are only counted
	require.NoError(t, b.Do(ctx, takes(clk, 2*time.Second, nil)))
	b.RequireState(t, breaker.Closed)
}

func TestProbeThatNeverReturnsDoesNotWedge(t *testing.T) {
	b, clk := halfOpened(t, breaker.Config{ProbeTimeout: 5 * time.Second})
	stuck := allow(t, b)
	clk.Add(5*time.Second - 1)
	b.RequireState(t, breaker.HalfOpen)
	require.ErrorIs(t, b.Do(ctx, succeeds), breaker.ErrOpen)
	clk.Add(1)
	b.RequireState(t, breaker.Open)
	require.Equal(t, cause.ProbeTimeout, last(b).Cause)

	clk.Add(30 * time.Second)
	stuck.Done(errDown) // a day late: it says nothing about this generation
	require.EqualValues(t, 1, b.Stats().Stale)
	require.NoError(t, b.Do(ctx, succeeds))
	b.RequireTransitions(t, breaker.Open.At(0), breaker.HalfOpen.At(30*time.Second),
		breaker.Open.At(35*time.Second), breaker.HalfOpen.At(65*time.Second), breaker.Closed.At(65*time.Second))
}

// ProbeTimeout bounds each probe, and not how long probes are in flight one over the other.
func TestOverlappingProbesDoNotTimeOut(t *testing.T) {
	b, clk := halfOpened(t, breaker.Config{Probes: 100, ProbeTimeout: 5 * time.Second})
	var flying []breaker.Permit
	for range 100 { // one a second, each takes 4.999 s
		flying = append(flying, allow(t, b))
		clk.Add(time.Second)
		if len(flying) == 5 {
			clk.Add(-time.Millisecond)
			flying[0].Done(nil)
			flying = flying[1:]
			clk.Add(time.Millisecond)
		}
	}
	b.RequireState(t, breaker.HalfOpen)
	for _, p := range flying {
		p.Done(nil)
	}
	b.RequireTransitions(t, breaker.Open, breaker.HalfOpen, breaker.Closed)
}

func TestTheOldestProbeTimesOut(t *testing.T) {
	b, clk := halfOpened(t, breaker.Config{Probes: 9, ProbeTimeout: 10 * time.Second}) // at 30 s
	first, second, twin := allow(t, b), func() breaker.Permit { clk.Add(time.Second); return allow(t, b) }(), allow(t, b)
	clk.Add(time.Second)
	last := allow(t, b)
	twin.Cancel()
	first.Done(nil)
	last.Done(nil) // the second is left, since 31 s
	clk.Add(9*time.Second - 1)
	b.RequireState(t, breaker.HalfOpen)
	clk.Add(1)
	b.RequireTransitions(t, breaker.Open, breaker.HalfOpen.At(30*time.Second), breaker.Open.At(41*time.Second))
	second.Done(nil)
	require.EqualValues(t, 1, b.Stats().Stale)
}

// A half-open breaker without traffic has nothing to time out.
func TestProbeTimeoutNeedsAProbe(t *testing.T) {
	b, clk := halfOpened(t, breaker.Config{Probes: 2})
	clk.Add(time.Hour)
	results(b, "i")
	clk.Add(time.Hour)
	results(b, "s")
	clk.Add(time.Hour)
	b.RequireState(t, breaker.HalfOpen)
	results(b, "s")
	b.RequireState(t, breaker.Closed)
}

func TestBackoff(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{
		FailureThreshold: 1, ResetTimeout: time.Second, BackoffFactor: 2, MaxResetTimeout: 5 * time.Second,
	})
	waits := func(n int) (ds []time.Duration) {
		for range n {
			results(b, "f")
			ds = append(ds, b.Stats().RetryAfter)
			clk.Add(b.Stats().RetryAfter)
		}
		return ds
	}
	const s = time.Second
	require.Equal(t, []time.Duration{s, 2 * s, 4 * s, 5 * s, 5 * s}, waits(5))
	results(b, "s")
	require.Equal(t, []time.Duration{s, 2 * s}, waits(2), "a close resets the back-off")
	b.Reset()
	require.Equal(t, []time.Duration{s, 2 * s}, waits(2), "and so does Reset")
}

func TestBackoffWithoutMaximumDoesNotOverflow(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{FailureThreshold: 1, ResetTimeout: time.Hour, BackoffFactor: math.MaxFloat64})
	results(b, "f")
	clk.Add(time.Hour)
	results(b, "f")
	b.RequireState(t, breaker.Open)
	require.Greater(t, b.Stats().RetryAfter, 200*365*24*time.Hour)
}

func TestJitterComesFromTheStream(t *testing.T) {
	waits := func(seed uint64) (ds []time.Duration) {
		b, clk := newBreaker(t, breaker.Config{
			FailureThreshold: 1, ResetTimeout: time.Minute, Jitter: 0.5, Stream: tb.NewStream(seed, "jitter"),
		})
		for range 100 {
			results(b, "f")
			ds = append(ds, b.Stats().RetryAfter)
			clk.Add(b.Stats().RetryAfter)
		}
		return ds
	}
	first := waits(1)
	require.Equal(t, first, waits(1))
	require.NotEqual(t, first, waits(2))
	require.NotEqual(t, time.Minute, first[0], "the first opening is spread, too")
	low, high := first[0], first[0]
	for _, d := range first {
		low, high = min(low, d), max(high, d)
		require.Equal(t, tb.Round(d), d)
	}
	require.GreaterOrEqual(t, low, 30*time.Second)
	require.LessOrEqual(t, high, 90*time.Second)
	require.Less(t, low, 40*time.Second)
	require.Greater(t, high, 80*time.Second)
}
