package breaker_test

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// heard is a hook that remembers when it was called.
type heard struct {
	q   *qtests.T
	at  time.Time
	log []string
}

func (h *heard) hook(t breaker.Transition) {
	h.log = append(h.log, h.q.Clock().Since(h.at).Round(time.Microsecond).String()+" "+t.To.String())
}

// Without traffic, the hooks of a punctual breaker come at the instant of the transition.
func TestPunctual(t *testing.T) {
	for name, want := range map[string][]string{
		"punctual": {"5s open", "35s half-open", "1m40s open", "2m10s half-open", "10m0s open", "10m1s half-open"},
		"lazy":     {"5s open", "40s half-open", "1h0m40s open", "1h0m40s half-open", "1h0m40s open", "1h0m40s half-open"},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				h := &heard{q: q, at: q.Clock().Now()}
				b := breaker.NewT(q, breaker.Config{OnTransition: h.hook, Punctual: name == "punctual"})
				require.NoError(q, b.Script(breaker.OpenAt(10*time.Minute).For(time.Second)))
				q.Sleep(5 * time.Second)
				b.Trip()
				q.Sleep(35 * time.Second)
				p, err := b.Allow() // it never reports
				require.NoError(q, err)
				q.Sleep(time.Hour)
				p.Cancel()
				require.Equal(q, want, h.log)
			})
		})
	}
}

// The alarm follows what is due next, and rings for nothing that was taken back.
func TestPunctualFollowsTheBreaker(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h := &heard{q: q, at: q.Clock().Now()}
		b := breaker.NewT(q, breaker.Config{OnTransition: h.hook, Punctual: true})
		b.Trip()
		q.Sleep(10 * time.Second)
		require.NoError(q, b.Script(breaker.OpenAt(time.Second).For(time.Minute))) // now until 71 s
		q.Sleep(5 * time.Second)
		b.Reset()
		b.Trip() // until 45 s
		q.Sleep(5 * time.Second)
		b.SetMode(breaker.ForcedOpen)
		q.Sleep(time.Hour)
		b.SetMode(breaker.Automatic)
		q.Sleep(time.Hour)
		require.Equal(q, []string{"0s open", "15s closed", "15s open", "1h0m50s half-open"}, h.log)
	})
}

// alarmClock notes the alarms that are set, and rings none of them by itself.
type alarmClock struct {
	*hand
	timers *clock.Mock
	after  []time.Duration
	ring   []func()
	rung   int    // timers that were not stopped
	during func() // what others do while the first timer is made
}

func (c *alarmClock) AfterFunc(d time.Duration, f func()) *clock.Timer {
	c.after, c.ring = append(c.after, d), append(c.ring, f)
	if during := c.during; during != nil {
		c.during = nil
		during()
	}
	return c.timers.AfterFunc(d, func() { c.rung++ })
}

// An alarm that rings too early, as where the clock was set back meanwhile, is set again, to
// the same instant; and one that rings for nothing changes nothing.
func TestPunctualAlarms(t *testing.T) {
	clk := &alarmClock{hand: &hand{now: epoch}, timers: clock.NewMock()}
	b, err := breaker.New(breaker.Config{Clock: clk, Punctual: true})
	require.NoError(t, err)
	results(b, "sff")
	require.Empty(t, clk.after, "a closed breaker waits for nothing")
	b.Trip()
	clk.Add(10 * time.Second)
	_ = times(10, b, succeeds)
	require.Equal(t, []time.Duration{30 * time.Second}, clk.after, "set once")
	clk.ring[0]()
	require.Equal(t, []time.Duration{30 * time.Second, 20 * time.Second}, clk.after)
	clk.Add(-time.Minute)
	clk.ring[1]()
	require.Equal(t, 80*time.Second, clk.after[2])
	clk.Add(80 * time.Second)
	clk.ring[2]()
	require.Len(t, clk.after, 3)
	b.RequireTransitions(t, breaker.Open, breaker.HalfOpen.At(30*time.Second))
	p := allow(t, b)
	require.Equal(t, time.Minute, clk.after[3], "the probe's")
	p.Done(nil)
	for _, ring := range clk.ring {
		ring()
	}
	require.Len(t, clk.after, 4)
	b.RequireTransitions(t, breaker.Open, breaker.HalfOpen, breaker.Closed)
}

// What an alarm was set for may be taken back at any time, also while it is being set. Then
// its timer is stopped.
func TestPunctualStopsItsTimers(t *testing.T) {
	for name, change := range map[string]func(*breaker.Breaker, *alarmClock){
		"before": func(b *breaker.Breaker, clk *alarmClock) { clk.during = b.Reset; b.Trip() },
		"after":  func(b *breaker.Breaker, _ *alarmClock) { b.Trip(); b.Reset() },
		"moved":  func(b *breaker.Breaker, _ *alarmClock) { b.Trip(); b.SetMode(breaker.ForcedOpen) },
	} {
		t.Run(name, func(t *testing.T) {
			clk := &alarmClock{hand: &hand{now: epoch}, timers: clock.NewMock()}
			b, err := breaker.New(breaker.Config{Clock: clk, Punctual: true})
			require.NoError(t, err)
			change(b, clk)
			clk.timers.Add(time.Hour)
			require.Zero(t, clk.rung)
			require.Len(t, clk.after, 1)
		})
	}
}

// The alarm of a test ends with it, also where a hook would still write to its log.
func TestPunctualEndsWithItsTest(t *testing.T) {
	for _, open := range []bool{true, false} {
		clk, calls := clock.NewMock(), 0
		var b *breaker.Breaker
		rec := tbtest.Run("ends", func(t *tbtest.TB) {
			b = breaker.NewT(t, breaker.Config{Clock: clk, Punctual: true, OnTransition: func(breaker.Transition) { calls++ }})
			if open {
				b.Trip()
			}
		})
		require.False(t, rec.Failed())
		if !open {
			b.Trip()
		}
		clk.Add(time.Hour) // a mock waits until its timers' functions have run
		require.Equal(t, 1, calls)
		require.Equal(t, breaker.HalfOpen, b.State())
		require.Equal(t, 2, calls)
	}
}

// In production there is no test, and a breaker that is given up keeps no timer for long.
func TestPunctualOnAMockClockWithoutATest(t *testing.T) {
	clk := clock.NewMock()
	got := make(chan breaker.Transition, 10)
	b, err := breaker.New(breaker.Config{Clock: clk, ResetTimeout: time.Minute, Punctual: true, OnTransition: func(tr breaker.Transition) { got <- tr }})
	require.NoError(t, err)
	b.Trip()
	<-got
	clk.Add(time.Minute)
	tr := <-got
	require.Equal(t, breaker.HalfOpen, tr.To)
	require.True(t, clk.Now().Equal(tr.At))
}
