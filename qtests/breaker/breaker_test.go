package breaker_test

import (
	"context"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/cause"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOpensProbesAndCloses(t *testing.T) {
	h := newByHand(t)
	b := breaker.NewT(h, breaker.Config{Name: "payments"})
	b.RequireTransitions(t)

	require.ErrorIs(t, times(4, b, fails), errDown)
	require.NoError(t, b.Do(ctx, succeeds))
	require.ErrorIs(t, times(4, b, fails), errDown)
	b.RequireState(t, breaker.Closed)
	require.ErrorIs(t, b.Do(ctx, fails), errDown)
	b.RequireState(t, breaker.Open)

	err := b.Do(ctx, succeeds)
	require.ErrorIs(t, err, breaker.ErrOpen)
	require.EqualError(t, err, `breaker: open: "payments": 5 consecutive failures`)
	b.RequireRejected(t, 1)
	require.Equal(t, 30*time.Second, b.Stats().RetryAfter)

	h.clk.Add(30*time.Second - 1)
	b.RequireState(t, breaker.Open)
	require.ErrorIs(t, b.Do(ctx, succeeds), breaker.ErrOpen)
	h.clk.Add(1)
	b.RequireState(t, breaker.HalfOpen)
	require.ErrorIs(t, b.Do(ctx, fails), errDown)
	h.clk.Add(30 * time.Second)
	require.NoError(t, b.Do(ctx, succeeds))

	b.RequireTransitions(t, breaker.Open.At(0), breaker.HalfOpen.At(30*time.Second), breaker.Open,
		breaker.HalfOpen.At(time.Minute), breaker.Closed.At(time.Minute))
	marks, _ := h.EventLog().Marks()
	require.Len(t, marks, 5)
	require.Equal(t, "breaker payments", marks[0].Source)
	require.Equal(t, "closed → open: 5 consecutive failures", marks[0].Text)
	require.Equal(t, "open → half-open: open for 30s", marks[1].Text)
}

func TestTripAndReset(t *testing.T) {
	h := newByHand(t)
	b := breaker.NewT(h, breaker.Config{ResetTimeout: time.Minute})
	b.Trip()
	b.Trip()
	b.RequireState(t, breaker.Open)
	b.Reset()
	require.NoError(t, b.Do(ctx, succeeds))
	b.RequireTransitions(t, breaker.Open, breaker.Closed)
	require.Equal(t, []cause.Cause{cause.Trip, cause.Reset}, causes(b))
}

func TestCallReturnsTheValue(t *testing.T) {
	b := breaker.NewT(newByHand(t), breaker.Config{})
	v, err := breaker.Call(ctx, b, func(context.Context) (int, error) { return 7, nil })
	require.NoError(t, err)
	require.Equal(t, 7, v)
	b.Trip()
	v, err = breaker.Call(ctx, b, func(context.Context) (int, error) { return 7, nil })
	require.ErrorIs(t, err, breaker.ErrOpen)
	require.Zero(t, v)
}

func TestAllowCountsWhatDoneSays(t *testing.T) {
	b := breaker.NewT(newByHand(t), breaker.Config{FailureThreshold: 2})
	for range 2 {
		p, err := b.Allow()
		require.NoError(t, err)
		require.Equal(t, 1, b.Stats().InFlight)
		p.Done(errDown)
	}
	_, err := b.Allow()
	require.ErrorIs(t, err, breaker.ErrOpen)
	b.RequireTransitions(t, breaker.Open)
	require.Zero(t, b.Stats().InFlight)
}

func TestOnAMockClock(t *testing.T) {
	clk := clock.NewMock()
	b := breaker.NewT(t, breaker.Config{Clock: clk, ResetTimeout: time.Second})
	b.Trip()
	clk.Add(time.Second - 1)
	b.RequireState(t, breaker.Open)
	clk.Add(1)
	b.RequireState(t, breaker.HalfOpen)
	clk.Set(clk.Now().Add(-time.Hour)) // time that goes back is no time
	b.RequireTransitions(t, breaker.Open.At(0), breaker.HalfOpen.At(time.Second))
	require.NoError(t, b.Do(ctx, succeeds))
	b.RequireTransitions(t, breaker.Open, breaker.HalfOpen, breaker.Closed.At(time.Second))
}
