package qtests

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/tb"
)

// TestEveryMethodOfTheClock waits for one instant in every way there is, twice,
// and wants each woken in the order of the calls, at exactly that instant.
func TestEveryMethodOfTheClock(t *testing.T) {
	Run(t, func(q *T) {
		c := q.Clock()
		begin := c.Now()
		var mu sync.Mutex
		var order []string
		woken := func(name string) {
			mu.Lock()
			defer mu.Unlock()
			require.Equal(q, time.Second, c.Since(begin), name)
			order = append(order, name)
		}
		receive := func(name string, ch <-chan time.Time) {
			q.Go(func() { <-ch; woken(name) })
		}
		var want []string
		for i := range 2 {
			next := func(name string) string {
				want = append(want, fmt.Sprint(name, i))
				return want[len(want)-1]
			}
			after := next("After")
			receive(after, c.After(time.Second))
			timer := next("Timer")
			receive(timer, c.Timer(time.Second).C)
			f := next("AfterFunc")
			c.AfterFunc(time.Second, func() { woken(f) })
			sleep := next("Sleep")
			q.Go(func() { c.Sleep(time.Second); woken(sleep) })
			q.Wait()
			timeout := next("WithTimeout")
			ctx, cancel := c.WithTimeout(q.Context(), time.Second)
			defer cancel()
			q.Go(func() { <-ctx.Done(); woken(timeout) })
			deadline := next("WithDeadline")
			ctx2, cancel2 := c.WithDeadline(q.Context(), begin.Add(time.Second))
			defer cancel2()
			q.Go(func() { <-ctx2.Done(); woken(deadline) })
			require.ErrorIs(q, func() error {
				ctx, cancel := c.WithTimeout(ctx, time.Hour) // the parent ends first
				defer cancel()
				d, _ := ctx.Deadline()
				require.Equal(q, time.Second, tb.Round(c.Until(d)))
				cancel()
				return ctx.Err()
			}(), context.Canceled)
		}
		ticker := c.Ticker(time.Second)
		defer ticker.Stop()
		q.Sleep(999 * time.Millisecond)
		require.Empty(q, order)
		q.Sleep(time.Millisecond)
		require.Equal(q, want, order)
		require.Len(q, ticker.C, 0, "a channel of a ticker shows no length since go1.23")
		require.Equal(q, time.Second, tb.Round((<-ticker.C).Sub(begin)), "a tick shows raw time")
		require.Equal(q, 2*time.Second, tb.Round((<-c.Tick(time.Second)).Sub(begin)))
	})
}

func TestNonPositiveWaits(t *testing.T) {
	Run(t, func(q *T) {
		c := q.Clock()
		c.Sleep(0)
		c.Sleep(-time.Second)
		<-c.After(0)
		<-c.Timer(-time.Second).C
		done := make(chan struct{})
		c.AfterFunc(-1, func() { close(done) })
		<-done
		ctx, cancel := c.WithTimeout(q.Context(), -time.Second)
		defer cancel()
		<-ctx.Done()
		require.ErrorIs(q, ctx.Err(), context.DeadlineExceeded)
		require.Zero(q, q.Elapsed())
	})
}

// TestResetTimersKeepTheirOrder covers what no wrapper sees: AfterFuncs that are
// Reset to one instant still run in the order in which they were made.
func TestResetTimersKeepTheirOrder(t *testing.T) {
	Run(t, func(q *T) {
		var mu sync.Mutex
		var order []int
		for i := range 50 {
			timer := q.Clock().AfterFunc(time.Duration(50-i)*time.Hour, func() {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			timer.Reset(time.Second)
		}
		stopped := q.Clock().AfterFunc(time.Second, func() { q.Errorf("a stopped timer fired") })
		require.True(q, stopped.Stop())
		q.Sleep(time.Second)
		require.Len(q, order, 50)
		require.True(q, slices.IsSorted(order), "%v", order)
	})
}

// TestPackageTimeDoesNotTie arms timers of package time and of the clock in one
// event, for one instant: the clock's must not meet the others, whose place
// among themselves nobody can give.
func TestPackageTimeDoesNotTie(t *testing.T) {
	Run(t, func(q *T) {
		q.Clock().Sleep(time.Second)
		raw := time.Now()
		time.AfterFunc(time.Second, func() {})
		fired := make(chan time.Time, 1)
		q.Clock().AfterFunc(time.Second, func() { fired <- time.Now() })
		at := <-fired
		if !ordered.Available() { // there the order of ties is known
			require.NotEqual(q, raw.Add(time.Second), at)
		}
		require.Equal(q, 2*time.Second, q.Elapsed())
	})
}

func TestNowNeverGoesBack(t *testing.T) {
	Run(t, func(q *T) {
		r := q.Rand("steps")
		var mu sync.Mutex
		last := q.Clock().Now()
		for range 2000 {
			// Instants a nanosecond apart: displaced ones run past later ones.
			q.Clock().AfterFunc(time.Duration(r.IntN(100)), func() {
				mu.Lock()
				defer mu.Unlock()
				now := q.Clock().Now()
				require.False(q, now.Before(last))
				last = now
			})
		}
		q.Sleep(time.Second)
	})
}

func TestConcurrentSleepsAndWaits(t *testing.T) {
	Run(t, func(q *T) {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 20 {
					q.Sleep(time.Second)
					q.Wait()
				}
			})
		}
		wg.Wait()
		require.Equal(q, 20*time.Second, tb.Round(q.Elapsed()))
	})
}

func TestClockStats(t *testing.T) {
	Run(t, func(q *T) {
		for range 100 {
			q.Clock().AfterFunc(time.Second, func() {})
		}
		s := q.ClockStats()
		displaced := time.Duration(100)
		if ordered.Available() {
			displaced = 0
		}
		require.Equal(q, ClockStats{Waits: 100, Pending: 100, MaxDisplacement: displaced}, s)
		q.Clock().Sleep(2 * time.Second)
		s = q.ClockStats()
		require.EqualValues(q, 101, s.Waits)
		require.Zero(q, s.Pending)
	})
}

func TestCancelBehindItsTimeoutMovesNothing(t *testing.T) {
	Run(t, func(q *T) {
		for range 1000 {
			q.Clock().Timer(time.Second)
		}
		ctx, cancel := q.Clock().WithTimeout(q.Context(), time.Second)
		<-ctx.Done()
		cancel()
		require.Equal(q, time.Second, q.Elapsed())
		q.Sleep(time.Second)
		require.Equal(q, 2*time.Second, q.Elapsed())
	})
}

func TestWaitsBeyondTheEndOfTime(t *testing.T) {
	Run(t, func(q *T) {
		c := q.Clock()
		far := c.AfterFunc(1<<63-1, func() {})
		defer far.Stop()
		ctx, cancel := c.WithDeadline(q.Context(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
		defer cancel()
		require.NoError(q, ctx.Err())
		c.Sleep(1<<63 - 1)
		require.Equal(q, 2262, c.Now().Year())
	})
}
