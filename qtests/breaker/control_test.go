package breaker_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/cause"
)

func TestForcedOpenStaysUntilReleased(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{Name: "x"})
	results(b, "s")
	b.SetMode(breaker.ForcedOpen)
	b.SetMode(breaker.ForcedOpen)
	require.Equal(t, breaker.ForcedOpen, b.Stats().Mode)
	require.Equal(t, time.Duration(math.MaxInt64), b.Stats().RetryAfter)
	clk.Add(24 * time.Hour)
	b.Reset()
	b.Trip()
	require.NoError(t, b.Script(breaker.OpenAt(0).For(time.Second)))
	clk.Add(time.Hour)
	b.RequireState(t, breaker.Open)
	var rejected *breaker.RejectedError
	require.ErrorAs(t, b.Do(ctx, succeeds), &rejected)
	require.Equal(t, breaker.RejectedError{Breaker: "x", State: breaker.Open, Reason: "forced open"}, *rejected)

	b.SetMode(breaker.Automatic)
	require.Equal(t, breaker.Automatic, b.Stats().Mode)
	require.Equal(t, 30*time.Second, b.Stats().RetryAfter, "released, it waits its full time")
	clk.Add(30 * time.Second)
	results(b, "s")
	b.RequireTransitions(t, breaker.Open.At(0), breaker.HalfOpen.At(25*time.Hour+30*time.Second), breaker.Closed)
	require.Equal(t, cause.Forced, b.Transitions()[0].Cause)
}

func TestForcedClosedCountsAndStays(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{FailureRate: 0.5, WindowCalls: 10, FailureThreshold: 5})
	b.Trip()
	b.SetMode(breaker.ForcedClosed)
	results(b, "ffffffffffff")
	b.Trip()
	b.Reset()
	c := b.Stats().Counts
	require.EqualValues(t, 12, c.ConsecutiveFailures)
	require.Equal(t, breaker.Window{Calls: 10, Failures: 10}, c.ByCalls)
	b.RequireTransitions(t, breaker.Open, breaker.Closed)
	b.SetMode(breaker.Automatic)
	require.Zero(t, b.Stats().Counts)
	results(b, "ffff")
	b.RequireState(t, breaker.Closed)
	results(b, "f")
	b.RequireState(t, breaker.Open)
}

func TestObserveNeverRejectsAndReports(t *testing.T) {
	h := newByHand(t)
	b := breaker.NewT(h, breaker.Config{Name: "x", FailureThreshold: 2})
	b.SetMode(breaker.Observing)
	results(b, "ff")
	b.RequireState(t, breaker.Open)
	results(b, "fs") // they would have been rejected, so they decide nothing
	h.clk.Add(30 * time.Second)
	probe := allow(t, b)
	results(b, "f") // beyond the probe
	probe.Done(nil)
	b.RequireTransitions(t, breaker.Open.At(0), breaker.HalfOpen.At(30*time.Second), breaker.Closed.At(30*time.Second))
	for _, tr := range b.Transitions() {
		require.True(t, tr.Observed)
	}
	s := b.Stats()
	require.Zero(t, s.Rejected)
	require.EqualValues(t, 3, s.WouldReject)
	require.EqualValues(t, 4, s.Failures)
	require.EqualValues(t, 2, s.Successes)
	require.Zero(t, s.Stale)
	marks, _ := h.log.Marks()
	require.Equal(t, "closed → open: 2 consecutive failures (observed)", marks[0].Text)
}

// What passed only because the breaker observes belongs to no generation, so its result is never stale.
func TestObservedCallMayEndInAnotherState(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{})
	b.SetMode(breaker.Observing)
	b.Trip()
	good, bad := allow(t, b), allow(t, b)
	clk.Add(30 * time.Second)
	b.RequireState(t, breaker.HalfOpen)
	good.Done(nil)
	bad.Done(errDown)
	b.RequireState(t, breaker.HalfOpen)
	require.Equal(t, "success 1 failure 1 ignored 0 in flight 0", tally(b))
	require.Zero(t, b.Stats().Stale)
}

func TestObserveToAutoRejectsFromThere(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{FailureThreshold: 1})
	b.SetMode(breaker.Observing)
	results(b, "f")
	clk.Add(20 * time.Second)
	b.SetMode(breaker.Automatic)
	require.ErrorIs(t, b.Do(ctx, succeeds), breaker.ErrOpen)
	require.Equal(t, 30*time.Second, b.Stats().RetryAfter)
}

func TestTripOfAHalfOpenBreakerBacksOff(t *testing.T) {
	b, clk := halfOpened(t, breaker.Config{ResetTimeout: time.Second, BackoffFactor: 3})
	b.Trip()
	require.Equal(t, 3*time.Second, b.Stats().RetryAfter)
	clk.Add(3 * time.Second)
	b.RequireState(t, breaker.HalfOpen)
}

func TestResetOfAClosedBreakerForgetsItsCounts(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	results(b, "ffff")
	b.Reset()
	results(b, "ffff")
	b.RequireTransitions(t)
}

func TestScriptedOpening(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{})
	clk.Add(time.Minute)
	require.NoError(t, b.Script(
		breaker.OpenAt(10*time.Minute).For(90*time.Second),
		breaker.OpenAt(time.Minute).For(time.Second),
	))
	clk.Add(time.Minute - 1)
	require.NoError(t, b.Do(ctx, succeeds))
	clk.Add(1)
	err := b.Do(ctx, succeeds)
	require.ErrorIs(t, err, breaker.ErrOpen)
	require.Equal(t, time.Second, b.Stats().RetryAfter)
	clk.Add(time.Second)
	require.NoError(t, b.Do(ctx, succeeds))

	clk.Add(time.Hour) // the next look comes long after
	results(b, "s")
	b.RequireTransitions(t,
		breaker.Open.At(2*time.Minute), breaker.HalfOpen.At(2*time.Minute+time.Second), breaker.Closed,
		breaker.Open.At(11*time.Minute), breaker.HalfOpen.At(12*time.Minute+30*time.Second), breaker.Closed)
	require.Equal(t, cause.Script, b.Transitions()[3].Cause)
	require.Equal(t, "scripted for 1m30s", b.Transitions()[3].Detail)
}

func TestScriptedOpeningOfAnOpenBreakerProlongsIt(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{})
	require.NoError(t, b.Script(breaker.OpenAt(30*time.Second).For(time.Minute))) // in the instant in which it would end
	b.Trip()
	var rejected *breaker.RejectedError
	require.ErrorAs(t, b.Do(ctx, succeeds), &rejected)
	require.Equal(t, epoch.Add(30*time.Second), rejected.RetryAt)
	clk.Add(31 * time.Second)
	require.ErrorAs(t, b.Do(ctx, succeeds), &rejected)
	require.Equal(t, epoch.Add(90*time.Second), rejected.RetryAt)
	clk.Add(time.Hour)
	b.RequireTransitions(t, breaker.Open.At(0), breaker.HalfOpen.At(90*time.Second))

	require.NoError(t, b.Script(breaker.OpenAt(0)))
	b.RequireState(t, breaker.Open)
	require.Equal(t, 30*time.Second, b.Stats().RetryAfter, "without For it lasts ResetTimeout")
}

func TestShorterScriptedOpeningEndsNothingEarly(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{})
	b.Trip()
	require.NoError(t, b.Script(breaker.OpenAt(time.Second).For(time.Second)))
	clk.Add(10 * time.Second)
	b.RequireState(t, breaker.Open)
	require.Equal(t, 20*time.Second, b.Stats().RetryAfter)
}

func TestForcedBreakerTakesNoNoticeOfAScriptedOpening(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{})
	b.SetMode(breaker.ForcedClosed)
	require.NoError(t, b.Script(breaker.OpenAt(time.Second)))
	clk.Add(time.Second)
	require.NoError(t, b.Do(ctx, succeeds))
	b.SetMode(breaker.Automatic)
	b.RequireTransitions(t)
}

func TestScriptRejectsAndFailsTheNext(t *testing.T) {
	errMine := errors.New("mine")
	b, _ := newBreaker(t, breaker.Config{Name: "x", FailureThreshold: 4})
	require.NoError(t, b.Script(breaker.RejectNext(2), breaker.FailNext(1, nil), breaker.FailNext(2, errMine)))
	for range 2 {
		err := b.Do(ctx, succeeds)
		require.EqualError(t, err, `breaker: open: "x": scripted rejection`)
		require.ErrorIs(t, err, breaker.ErrOpen)
	}
	ran := b.Stats()
	require.EqualError(t, b.Do(ctx, notReached(t)), "breaker: scripted failure")
	require.ErrorIs(t, b.Do(ctx, notReached(t)), errMine)
	p := allow(t, b)
	p.Done(nil) // whatever it is finished with
	require.NoError(t, b.Do(ctx, succeeds))
	require.Zero(t, ran.Failures)
	require.Equal(t, "success 1 failure 3 ignored 0 in flight 0", tally(b))
	b.RequireRejected(t, 2)
	b.RequireTransitions(t)
}

func TestScriptedFailuresOpen(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	require.NoError(t, b.Script(breaker.FailNext(5, nil)))
	_ = times(5, b, notReached(t))
	b.RequireTransitions(t, breaker.Open)
}

func TestClearScript(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{})
	require.NoError(t, b.Script(breaker.RejectNext(1), breaker.FailNext(1, nil), breaker.OpenAt(time.Second)))
	b.ClearScript()
	clk.Add(time.Minute)
	require.NoError(t, b.Do(ctx, succeeds))
	b.RequireTransitions(t)
}

func TestScriptRejectsNonsense(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	for want, step := range map[string]breaker.Step{
		"breaker: Step: the zero Step does nothing (step 1)":                 {},
		"breaker: OpenAt: -1s is negative (step 1)":                          breaker.OpenAt(-time.Second),
		"breaker: Step.For: -1s is not positive (step 1)":                    breaker.OpenAt(0).For(-time.Second),
		"breaker: Step.For: 0s is not positive (step 1)":                     breaker.OpenAt(0).For(0),
		"breaker: Step.For: 0s is set on a step that has no length (step 1)": breaker.FailNext(1, nil).For(0),
		"breaker: Step.For: 1s is set on a step that has no length (step 1)": breaker.RejectNext(1).For(time.Second),
		"breaker: RejectNext: 0 is not positive (step 1)":                    breaker.RejectNext(0),
		"breaker: FailNext: -3 is not positive (step 1)":                     breaker.FailNext(-3, nil),
		"breaker: FailNext: 0 is not positive (step 1)":                      breaker.FailNext(0, nil),
	} {
		require.EqualError(t, b.Script(breaker.RejectNext(1), step), want)
	}
	require.NoError(t, b.Do(ctx, succeeds), "none of the steps was added")
	require.NoError(t, b.Script(make10k()...))
	const full = "breaker: Script: 10001 steps would wait, the limit is 10000"
	require.EqualError(t, b.Script(breaker.OpenAt(1)), full)
	require.EqualError(t, b.Script(breaker.FailNext(1, nil)), full)
	b.ClearScript()
	require.NoError(t, b.Script(slices.Repeat([]breaker.Step{breaker.FailNext(1, nil)}, 10_000)...))
	require.EqualError(t, b.Script(breaker.OpenAt(1)), full)
}

func TestStatsCountTheScript(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{})
	scripted := func(steps ...breaker.Step) int {
		require.NoError(t, b.Script(steps...))
		return b.Stats().Scripted
	}
	require.Zero(t, scripted())
	require.Equal(t, 8, scripted(breaker.RejectNext(2), breaker.FailNext(3, nil), breaker.FailNext(1, nil), breaker.OpenAt(1), breaker.OpenAt(2).For(1)))
	_ = times(4, b, succeeds) // two are rejected and two fail
	require.Equal(t, 4, b.Stats().Scripted)
	clk.Add(1)
	require.Equal(t, 3, b.Stats().Scripted)
	for _, endless := range []breaker.Step{breaker.RejectNext(math.MaxInt), breaker.FailNext(math.MaxInt, nil), breaker.RejectNext(math.MaxInt), breaker.FailNext(math.MaxInt, nil)} {
		require.Equal(t, math.MaxInt, scripted(endless))
	}
	b.ClearScript()
	require.Zero(t, b.Stats().Scripted)
	require.NoError(t, b.Script(breaker.OpenAt(10).For(1)))
	clk.Add(10)
	require.EqualValues(t, 29_999_999_990, b.Stats().RetryAfter, "the shortest opening does not end an earlier one")
}

func make10k() (steps []breaker.Step) {
	for range 10_000 {
		steps = append(steps, breaker.OpenAt(time.Hour))
	}
	return steps
}
