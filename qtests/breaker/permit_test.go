package breaker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
)

func TestPermitFinishedTwicePanics(t *testing.T) {
	const twice = "breaker: payments: a Permit was finished twice"
	for name, again := range map[string]func(breaker.Permit){
		"done":   func(p breaker.Permit) { p.Done(nil) },
		"cancel": func(p breaker.Permit) { p.Cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := newBreaker(t, breaker.Config{Name: "payments"})
			p := allow(t, b)
			p.Done(errDown)
			require.PanicsWithValue(t, twice, func() { again(p) })
			// The slot behind the permit serves others by now; it must not
			// take their permit for this one.
			others := make([]breaker.Permit, 100)
			for i := range others {
				others[i] = allow(t, b)
			}
			require.PanicsWithValue(t, twice, func() { again(p) })
			for _, o := range others {
				o.Done(nil)
			}
			s := b.Stats()
			require.EqualValues(t, 1, s.Failures, "counted once")
			require.EqualValues(t, 100, s.Successes)
			require.Zero(t, s.InFlight)
		})
	}
}

func TestZeroPermitPanics(t *testing.T) {
	require.PanicsWithValue(t, "breaker: the zero Permit was finished", func() { breaker.Permit{}.Done(nil) })
	require.PanicsWithValue(t, "breaker: the zero Permit was finished", func() { breaker.Permit{}.Cancel() })
}

func TestPermitCancelCountsAsNothing(t *testing.T) {
	b, _ := halfOpened(t, breaker.Config{})
	allow(t, b).Cancel()
	b.RequireState(t, breaker.HalfOpen)
	allow(t, b).Done(nil)
	b.RequireState(t, breaker.Closed)
	require.EqualValues(t, 1, b.Stats().Ignored)
}

// Whatever begins a new generation makes the earlier results stale.
func TestStaleResults(t *testing.T) {
	for name, change := range map[string]func(*breaker.Breaker, *hand){
		"trip":          func(b *breaker.Breaker, _ *hand) { b.Trip() },
		"reset":         func(b *breaker.Breaker, _ *hand) { b.Reset() },
		"open":          func(b *breaker.Breaker, _ *hand) { results(b, "ffffff") },
		"half-open":     func(b *breaker.Breaker, c *hand) { b.Trip(); c.Add(time.Minute) },
		"closed again":  func(b *breaker.Breaker, c *hand) { b.Trip(); c.Add(time.Minute); results(b, "s") },
		"forced open":   func(b *breaker.Breaker, _ *hand) { b.SetMode(breaker.ForcedOpen) },
		"forced closed": func(b *breaker.Breaker, _ *hand) { b.SetMode(breaker.ForcedClosed) },
		"observing":     func(b *breaker.Breaker, _ *hand) { b.SetMode(breaker.Observing) },
	} {
		t.Run(name, func(t *testing.T) {
			b, clk := newBreaker(t, breaker.Config{})
			good, bad, gone := allow(t, b), allow(t, b), allow(t, b)
			change(b, clk)
			before, log := b.Stats(), b.Transitions()
			good.Done(nil)
			bad.Done(errDown)
			gone.Cancel()
			want := before
			want.Stale += 3
			want.InFlight -= 3
			require.Equal(t, want, b.Stats())
			require.Equal(t, log, b.Transitions())
		})
	}
}
