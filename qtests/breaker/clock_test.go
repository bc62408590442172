package breaker_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
)

// set moves a clock to where it could not have come by itself.
func (h *hand) set(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = at
}

// Each of these is a clock that somebody set by hand. 292 years are the longest
// time.Duration.
func TestClockSetFarAhead(t *testing.T) {
	for name, cfg := range map[string]breaker.Config{
		"consecutive": {FailureThreshold: 1},
		"timed":       {FailureThreshold: 1, SlowCall: time.Second, SlowCallRate: 1},
		"window":      {FailureThreshold: 1, FailureRate: 1, Window: time.Minute},
		"longest":     {FailureThreshold: 1, ResetTimeout: math.MaxInt64, ProbeTimeout: math.MaxInt64, Window: math.MaxInt64, FailureRate: 1},
	} {
		t.Run(name, func(t *testing.T) {
			b, clk := newBreaker(t, cfg)
			require.NoError(t, b.Script(breaker.OpenAt(math.MaxInt64)))
			results(b, "s")
			for _, at := range []time.Time{
				epoch.AddDate(293, 0, 0), epoch.AddDate(100_000, 0, 0), epoch, epoch.AddDate(-293, 0, 0), epoch.AddDate(293, 0, 0), epoch.AddDate(5000, 0, 0),
			} {
				clk.set(at)
				b.RequireState(t, breaker.Closed)
				results(b, "sfs")
				require.Equal(t, breaker.Open, b.State())
				require.Positive(t, b.Stats().RetryAfter)
				b.Reset()
				b.RequireState(t, breaker.Closed)
				require.Zero(t, b.Stats().InFlight)
			}
		})
	}
}

func TestProbeAcrossAClockSetFarAhead(t *testing.T) {
	b, clk := halfOpened(t, breaker.Config{Probes: 2})
	p := allow(t, b)
	clk.set(epoch.AddDate(300, 0, 0))
	p.Done(nil)
	b.RequireTransitions(t, breaker.Open, breaker.HalfOpen.At(30*time.Second),
		breaker.Open.At(90*time.Second), breaker.HalfOpen.At(2*time.Minute))
	require.EqualValues(t, 1, b.Stats().Stale)
}

// A clock that was set back, before or while a call runs, makes no call slow.
func TestClockSetBackMakesNoCallSlow(t *testing.T) {
	const ms = time.Millisecond
	b, clk := newBreaker(t, breaker.Config{SlowCall: time.Second, FailureThreshold: 1})
	results(b, "s")
	require.NoError(t, b.Script(breaker.FailNext(1, nil))) // so that the next call takes the lock
	clk.Add(time.Hour)
	_ = b.Do(ctx, notReached(t))
	b.Reset()
	clk.Add(-time.Hour)
	for range 3 {
		require.NoError(t, b.Do(ctx, takes(clk, ms, nil)))
		allow(t, b).Done(nil)
	}
	require.Zero(t, b.Stats().Counts.Slow)
	require.NoError(t, b.Do(ctx, takes(clk, -24*time.Hour, nil)))
	require.NoError(t, b.Do(ctx, takes(clk, 999*ms, nil)))
	require.Zero(t, b.Stats().Counts.Slow)
	require.NoError(t, b.Do(ctx, takes(clk, 1001*ms, nil)))
	require.EqualValues(t, 1, b.Stats().Counts.Slow)

	// The same through the lock: an open breaker that observes, and probes.
	b, clk = halfOpened(t, breaker.Config{SlowCall: time.Second, SlowCallRate: 1, Probes: 2})
	clk.Add(-time.Hour)
	require.NoError(t, b.Do(ctx, takes(clk, ms, nil)))
	require.NoError(t, b.Do(ctx, takes(clk, ms, nil)))
	b.RequireState(t, breaker.Closed)
}
