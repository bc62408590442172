package breaker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/cause"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestRecording(t *testing.T) {
	h := newByHand(t)
	var rec recorder
	r := breaker.NewT(h, breaker.Config{Name: "theirs", Mode: breaker.Recording, OnTransition: rec.hook})
	r.RequireTransitions(t)
	r.Record(breaker.Closed) // no change
	h.clk.Add(time.Second)
	r.Record(breaker.Open)
	r.Record(breaker.Open)
	r.Record(breaker.State(3)) // there is no such state
	h.clk.Add(time.Minute)
	r.Record(breaker.HalfOpen)
	r.RequireState(t, breaker.HalfOpen)
	r.RequireTransitions(t, breaker.Open.At(time.Second), breaker.HalfOpen.At(61*time.Second))
	r.RequireTransitionsInclude(t, breaker.HalfOpen)
	require.Equal(t, r.Transitions(), rec.got)
	require.Equal(t, cause.Recorded, last(r).Cause)

	marks, _ := h.log.Marks()
	require.Len(t, marks, 2)
	require.Equal(t, "breaker theirs", marks[0].Source)
	require.Equal(t, "closed → open: recorded", marks[0].Text)

}

// Record alone makes the breaker record. Then neither time, nor results, nor Trip, nor Reset
// change the state, and every call passes.
func TestARecordingBreakerDecidesNothing(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{FailureThreshold: 1, ProbeTimeout: time.Second})
	require.NoError(t, b.Script(breaker.OpenAt(time.Minute)))
	b.Record(breaker.Open)
	require.Equal(t, breaker.Recording, b.Stats().Mode)
	require.Zero(t, b.Stats().RetryAfter)
	clk.Add(time.Hour)
	require.NoError(t, b.Do(ctx, succeeds))
	b.Reset()
	b.RequireState(t, breaker.Open)
	b.Record(breaker.HalfOpen)
	p := allow(t, b)
	results(b, "sf")
	clk.Add(time.Hour)
	p.Done(errDown)
	b.Trip()
	b.RequireState(t, breaker.HalfOpen)
	b.Record(breaker.Closed)
	results(b, "fff")
	b.Trip()
	b.RequireTransitions(t, breaker.Open.At(0), breaker.HalfOpen.At(time.Hour), breaker.Closed.At(2*time.Hour))

	b.SetMode(breaker.Automatic)
	results(b, "f")
	b.RequireState(t, breaker.Open)
}

// What was recorded leaves no back-off behind.
func TestRecordedReopeningsDoNotBackOff(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{FailureThreshold: 1, BackoffFactor: 2})
	for _, s := range []breaker.State{breaker.Open, breaker.HalfOpen, breaker.Open, breaker.Closed} {
		b.Record(s)
	}
	b.SetMode(breaker.Automatic)
	results(b, "f")
	require.Equal(t, 30*time.Second, b.Stats().RetryAfter)
}

func TestRecordingFails(t *testing.T) {
	r := breaker.NewT(newByHand(t), breaker.Config{Name: "theirs"})
	r.Record(breaker.Open)
	const table = `at   from    to    successes  failures  cause
0s   closed  open  0          0         recorded
now  open          0          0         0 rejected, 0 stale, 0 in flight
`
	for want, f := range map[string]func(*tbtest.TB){
		"state is open, want closed":                   func(t *tbtest.TB) { r.RequireState(t, breaker.Closed) },
		"1 transitions, want 0: none":                  func(t *tbtest.TB) { r.RequireTransitions(t) },
		"no closed after the first 1 of: open, closed": func(t *tbtest.TB) { r.RequireTransitionsInclude(t, breaker.Open, breaker.Closed) },
	} {
		rec := tbtest.Run("failing", f)
		require.Equal(t, "breaker theirs: "+want+"\n"+table, rec.Errors())
	}
}
