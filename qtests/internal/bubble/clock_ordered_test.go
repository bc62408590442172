package bubble

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/trace"
)

// withTurns calls f in an ordered bubble with its clock, and when its time began.
func withTurns(t *testing.T, f func(t *testing.T, c *turnClock, begin time.Time)) {
	t.Helper()
	if !ordered.Available() {
		t.Skip("on the stock runtime; to run it: go tool qtests test ./qtests/internal/bubble")
	}
	require.NoError(t, ordered.Arm(1, false, nil))
	synctest.Test(t, func(t *testing.T) { f(t, newTurnClock(), time.Now()) })
}

// TestTurnClockWaits: each wait ends at its instant; one for nothing is none, or over when all has come to rest, at the same instant.
func TestTurnClockWaits(t *testing.T) {
	withTurns(t, func(t *testing.T, c *turnClock, begin time.Time) {
		c.Sleep(0)
		c.Sleep(-time.Second)
		require.Zero(t, c.Stats())
		c.Sleep(time.Second)
		require.Equal(t, time.Second, c.Since(begin))
		require.Equal(t, Stats{Waits: 1}, c.Stats())

		at := make(chan time.Duration, 1)
		for _, d := range []time.Duration{-time.Second, 0, time.Minute} {
			before := time.Now()
			c.AfterFunc(d, func() { at <- c.Since(before) })
			require.Empty(t, at, "before all has come to rest")
			require.Equal(t, max(d, 0), <-at, "a function after %v", d)
			timer := c.Timer(d)
			select { // a look, which sets off a timer of package time that is due
			case <-timer.C:
				t.Errorf("a timer of %v fires before all has come to rest", d)
				continue
			default:
			}
			require.Equal(t, before.Add(2*max(d, 0)), <-timer.C)
		}
		c.Sleep(time.Second)
		require.Zero(t, c.Pending())
	})
}

// TestTurnClockContexts: a context that is cancelled gives its wait back, once, and one that has ended has none.
func TestTurnClockContexts(t *testing.T) {
	withTurns(t, func(t *testing.T, c *turnClock, begin time.Time) {
		ctx, cancel := c.WithTimeout(context.Background(), time.Minute)
		require.Equal(t, 1, c.Pending())
		inner, cancelInner := c.WithTimeout(ctx, time.Hour)
		require.Equal(t, 1, c.Pending(), "the parent ends first")
		cancelInner()
		require.Equal(t, context.Canceled, inner.Err())
		for range 2 {
			cancel()
			require.Zero(t, c.Pending())
		}
		ctx, cancel = c.WithTimeout(context.Background(), time.Second)
		<-ctx.Done()
		require.Equal(t, context.DeadlineExceeded, ctx.Err())
		require.Equal(t, time.Second, c.Since(begin))
		c.Sleep(time.Second)
		cancel()
		require.Zero(t, c.Pending())
	})
}

// TestTurnClockReservations: who has reserved an instant waits for it, and for nothing where it has passed.
func TestTurnClockReservations(t *testing.T) {
	withTurns(t, func(t *testing.T, c *turnClock, begin time.Time) {
		place := Reserve(c, 2*time.Second)
		require.Equal(t, 1, c.Pending())
		c.Sleep(time.Second)
		done := make(chan time.Time)
		go func() { done <- place.Sleep() }()
		synctest.Wait()
		require.EqualValues(t, 1, c.Standing())
		require.Equal(t, begin.Add(2*time.Second), <-done)
		require.Zero(t, c.Standing())
		require.Zero(t, c.Pending())

		place = Reserve(c, time.Second)
		c.Sleep(time.Minute)
		require.Equal(t, time.Now(), place.Sleep(), "it has passed")
		require.Equal(t, begin.Add(62*time.Second), time.Now())

		place = Reserve(c, time.Second)
		place.AfterFunc(func() { done <- time.Now() })
		require.Equal(t, begin.Add(63*time.Second), <-done)
		Reserve(c, time.Hour).Release()
		require.Zero(t, c.Pending())
	})
}

// TestTurnClockTellsTheTrace of every wait, and of a timer that fires when nobody has asked for it: one that was Reset.
func TestTurnClockTellsTheTrace(t *testing.T) {
	run := func(told *trace.Trace, reset time.Duration) *trace.Trace {
		withTurns(t, func(_ *testing.T, c *turnClock, _ time.Time) {
			c.Trace = told
			done := make(chan bool)
			timer := c.AfterFunc(time.Second, func() { close(done) })
			if reset > 0 {
				timer.Reset(reset)
			}
			<-done
		})
		return told
	}
	first := run(trace.New(), 0)
	require.Empty(t, run(first.Follow(), 0).End())
	require.Contains(t, run(first.Follow(), 2*time.Second).End(), "event 2: the first run had ended")
}
