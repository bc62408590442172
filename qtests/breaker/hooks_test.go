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

func TestTransitionsCarryTheName(t *testing.T) {
	var r recorder
	b, _ := newBreaker(t, breaker.Config{Name: "payments", OnTransition: r.hook})
	b.Trip()
	b.Reset()
	require.Equal(t, "payments", r.got[0].Breaker)
	require.Equal(t, "payments", r.got[1].Breaker)
}

// Breakers that share their Hooks call one function one at a time, in the order in which
// their transitions happened, also where a hook moves another breaker.
func TestSharedHooks(t *testing.T) {
	var hooks breaker.Hooks
	var b *breaker.Breaker
	var got []string
	hook := func(tr breaker.Transition) {
		got = append(got, tr.Breaker+" "+tr.To.String())
		if tr.Breaker == "a" {
			b.Trip() // delivered after this
			got = append(got, "a done")
		}
	}
	h := newByHand(t)
	a := breaker.NewT(h, breaker.Config{Name: "a", OnTransition: hook, Hooks: &hooks})
	b = breaker.NewT(h, breaker.Config{Name: "b", OnTransition: hook, Hooks: &hooks})
	a.Trip()
	require.Equal(t, []string{"a open", "a done", "b open"}, got)
}

func TestSharedHooksUnderConcurrency(t *testing.T) {
	var hooks breaker.Hooks
	var inside, overlaps int // unsynchronized: the race detector sees two at once
	last := map[string]breaker.State{}
	hook := func(tr breaker.Transition) {
		inside++
		runtime.Gosched()
		if inside != 1 || last[tr.Breaker] != tr.From {
			overlaps++
		}
		last[tr.Breaker] = tr.To
		inside--
	}
	h := newByHand(t)
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		b := breaker.NewT(h, breaker.Config{Name: name, OnTransition: hook, Hooks: &hooks, LogSize: 100_000})
		for range 2 {
			wg.Go(func() {
				for range 200 {
					b.Trip()
					b.Reset()
				}
			})
		}
	}
	wg.Wait()
	require.Zero(t, overlaps)
	require.Equal(t, map[string]breaker.State{"a": 0, "b": 0, "c": 0, "d": 0}, last)
}

// Each breaker has room for LogSize deliveries of its own, whatever the others wait for.
func TestSharedHooksAreBoundedByBreaker(t *testing.T) {
	var hooks breaker.Hooks
	entered, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(entered); <-release })
	calls := map[string]int{}
	hook := func(tr breaker.Transition) { first(); calls[tr.Breaker]++ }
	h := newByHand(t)
	a := breaker.NewT(h, breaker.Config{Name: "a", OnTransition: hook, Hooks: &hooks, LogSize: 10})
	b := breaker.NewT(h, breaker.Config{Name: "b", OnTransition: hook, Hooks: &hooks, LogSize: 20})
	go func() { defer close(done); a.Trip() }()
	<-entered
	for range 20 {
		a.Reset()
		a.Trip()
		b.Trip()
		b.Reset()
	}
	require.EqualValues(t, 30, a.Stats().HooksDropped)
	require.EqualValues(t, 20, b.Stats().HooksDropped)
	close(release)
	<-done
	require.Equal(t, map[string]int{"a": 11, "b": 20}, calls)
}

// A breaker that begins forced open says so, in the log and to the hook.
func TestBeginsInItsMode(t *testing.T) {
	var r recorder
	b, clk := newBreaker(t, breaker.Config{Mode: breaker.ForcedOpen, OnTransition: r.hook})
	require.Len(t, r.got, 1, "before anybody looks")
	clk.Add(time.Hour)
	b.RequireTransitions(t, breaker.Open.At(0))
	require.Equal(t, b.Transitions(), r.got)
	require.Equal(t, breaker.ForcedOpen, b.Stats().Mode)
	require.ErrorIs(t, b.Do(ctx, succeeds), breaker.ErrOpen)

	b, _ = newBreaker(t, breaker.Config{Mode: breaker.Observing, FailureThreshold: 1})
	results(b, "f")
	require.NoError(t, b.Do(ctx, succeeds))
	require.Zero(t, b.Stats().RetryAfter, "a breaker that observes rejects nothing")
	b.RequireTransitions(t, breaker.Open)

	require.PanicsWithValue(t, "breaker: SetMode: Mode(5) is no mode", func() { b.SetMode(5) })
}
