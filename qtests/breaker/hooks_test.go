package breaker_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
)

// recorder is a hook that remembers what it was called with.
type recorder struct {
	mu  sync.Mutex
	got []breaker.Transition
}

func (r *recorder) hook(t breaker.Transition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, t)
}

func TestHookMayCallTheBreaker(t *testing.T) {
	var b *breaker.Breaker
	var r recorder
	b, clk := newBreaker(t, breaker.Config{FailureThreshold: 1, OnTransition: func(tr breaker.Transition) {
		r.hook(tr)
		// Everything that a gobreaker hook deadlocks on.
		_ = b.State()
		_ = b.Stats()
		_ = b.Do(ctx, succeeds)
		if len(b.Transitions()) == 1 {
			b.Reset() // delivered after this call returns, in order
			require.Len(t, r.got, 1)
		}
	}})
	results(b, "f")
	require.Equal(t, b.Transitions(), r.got)
	b.RequireTransitions(t, breaker.Open, breaker.Closed)
	b.Trip()
	clk.Add(time.Minute)
	b.RequireState(t, breaker.HalfOpen) // the hook that this delivers makes the probe
	b.RequireTransitions(t, breaker.Open, breaker.Closed, breaker.Open, breaker.HalfOpen, breaker.Closed)
	require.Equal(t, b.Transitions(), r.got)
}

func TestHookThatPanicsWedgesNothing(t *testing.T) {
	for name, leave := range map[string]func(){
		"panic":  func() { panic("hook") },
		"goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			var r recorder
			b, clk := newBreaker(t, breaker.Config{FailureThreshold: 1, OnTransition: func(tr breaker.Transition) {
				r.hook(tr)
				leave()
			}})
			ends := func(f func()) {
				returned := false
				value := inGoroutine(func() { f(); returned = true })
				require.False(t, returned, "the hook's end was hidden from the caller that delivered")
				if name == "panic" {
					require.Equal(t, "hook", value)
				}
			}
			ends(func() { results(b, "f") })
			clk.Add(30 * time.Second)
			ends(func() { _ = b.Do(ctx, notReached(t)) }) // the probe whose admission delivers half-open
			ends(func() { results(b, "f") })
			clk.Add(30 * time.Second)
			ends(func() { _, _ = b.Allow() })
			require.Zero(t, b.Stats().InFlight, "a permit was lost")
			ends(func() { allow(t, b).Done(nil) })
			b.RequireState(t, breaker.Closed)
			require.Equal(t, b.Transitions(), r.got, "in order and once each")
			require.Equal(t, uint64(2), b.Stats().Ignored, "the calls that the hook kept from being made")
		})
	}
}

// One look may find several transitions; a hook that panics at the first of
// them still gets the others, before the panic reaches the caller.
func TestRemainingDeliveriesSurviveAPanic(t *testing.T) {
	var r recorder
	b, clk := newBreaker(t, breaker.Config{OnTransition: func(tr breaker.Transition) {
		r.hook(tr)
		panic(tr.To.String())
	}})
	require.NoError(t, b.Script(breaker.OpenAt(time.Second).For(time.Second), breaker.OpenAt(time.Minute).For(time.Second)))
	clk.Add(time.Hour)
	require.PanicsWithValue(t, "half-open", func() { b.State() })
	require.Equal(t, b.Transitions(), r.got)
	require.Len(t, r.got, 4)
}

// A rejection may be what finds a transition, too.
func TestRejectedCallDelivers(t *testing.T) {
	for name, call := range map[string]func(*breaker.Breaker) error{
		"Do":    func(b *breaker.Breaker) error { return b.Do(ctx, succeeds) },
		"Allow": func(b *breaker.Breaker) error { _, err := b.Allow(); return err },
	} {
		var r recorder
		b, clk := newBreaker(t, breaker.Config{OnTransition: r.hook})
		require.NoError(t, b.Script(breaker.OpenAt(time.Second)))
		clk.Add(time.Second)
		require.ErrorIs(t, call(b), breaker.ErrOpen)
		require.Len(t, r.got, 1, name)
	}
}

func TestHooksAreDeliveredInOrderOnceByOneGoroutine(t *testing.T) {
	const goroutines, rounds = 16, 200
	var r recorder
	var inside, overlaps int // unsynchronized: the race detector sees two at once
	b, _ := newBreaker(t, breaker.Config{LogSize: 100_000, OnTransition: func(tr breaker.Transition) {
		inside++
		runtime.Gosched()
		if inside != 1 {
			overlaps++
		}
		r.hook(tr)
		inside--
	}})
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range rounds {
				b.Trip()
				b.Reset()
			}
		})
	}
	wg.Wait()
	require.Zero(t, overlaps)
	require.NotEmpty(t, r.got)
	require.Equal(t, b.Transitions(), r.got)
	for i, tr := range r.got {
		require.Equal(t, breaker.State(1-i%2), tr.To, "open and closed in turn")
	}
}

func TestBlockedHookBlocksNobodyAndIsBounded(t *testing.T) {
	var r recorder
	entered, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(entered); <-release })
	b, _ := newBreaker(t, breaker.Config{LogSize: 10, OnTransition: func(tr breaker.Transition) {
		first()
		r.hook(tr)
	}})
	go func() { defer close(done); b.Trip() }()
	<-entered
	for range 20 {
		b.Reset()
		b.Trip()
	}
	require.EqualValues(t, 30, b.Stats().HooksDropped)
	close(release)
	<-done
	require.Len(t, r.got, 11)
	for i, tr := range r.got {
		require.Equal(t, breaker.State(1-i%2), tr.To)
	}
}
