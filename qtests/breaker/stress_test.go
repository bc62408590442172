package breaker_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/internal/stress"
)

func TestManyGoroutinesNeverExceedProbes(t *testing.T) {
	const goroutines, probes = 10_000, 7
	for range stress.Factor(t) {
		b, _ := halfOpened(t, breaker.Config{Probes: probes})
		var inside, most, admitted atomic.Int64
		start, release := make(chan struct{}), make(chan struct{})
		var asked, wg sync.WaitGroup
		asked.Add(goroutines)
		for range goroutines {
			wg.Go(func() {
				<-start
				ran := false
				err := b.Do(ctx, func(context.Context) error {
					ran = true
					admitted.Add(1)
					for now := inside.Add(1); ; {
						m := most.Load()
						if now <= m || most.CompareAndSwap(m, now) {
							break
						}
					}
					asked.Done()
					<-release // until everybody has asked
					inside.Add(-1)
					return nil
				})
				if !ran {
					asked.Done()
					if err == nil {
						t.Error("rejected without an error")
					}
				}
			})
		}
		close(start)
		asked.Wait()
		close(release)
		wg.Wait()
		require.EqualValues(t, probes, most.Load(), "at once")
		require.EqualValues(t, probes, admitted.Load(), "in all")
		b.RequireState(t, breaker.Closed)
		b.RequireRejected(t, goroutines-probes)
	}
}

// Whatever races with whatever, every admitted call ends in exactly one total,
// and a result that began in another generation in none but the stale ones.
func TestConservationUnderConcurrency(t *testing.T) {
	for name, cfg := range map[string]breaker.Config{
		"consecutive": {FailureThreshold: 3},
		"timed":       {FailureThreshold: 3, SlowCall: time.Hour},
		"calls":       {FailureRate: 0.5, WindowCalls: 8, MinCalls: 4},
		"time":        {FailureRate: 0.5, Window: time.Second, MinCalls: 4},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.ResetTimeout = time.Millisecond
			b, clk := newBreaker(t, cfg)
			var admitted, rejected atomic.Uint64
			var wg sync.WaitGroup
			for g := range 8 {
				wg.Go(func() {
					for i := range 3000 * stress.Factor(t) {
						if p, err := b.Allow(); err != nil {
							rejected.Add(1)
						} else {
							admitted.Add(1)
							finish(p, (g*7+i*13)%17)
						}
						disturb(b, clk, g, i)
					}
				})
			}
			wg.Wait()
			s := b.Stats()
			require.Equal(t, admitted.Load(), s.Successes+s.Failures+s.Ignored+s.Stale)
			require.Equal(t, rejected.Load(), s.Rejected)
			require.Zero(t, s.InFlight)
			c := s.Counts
			require.LessOrEqual(t, c.Successes+c.Failures, s.Successes+s.Failures)
			for i, tr := range b.Transitions() {
				require.NotEqual(t, tr.From, tr.To, i)
				if i > 0 {
					require.Equal(t, b.Transitions()[i-1].To, tr.From)
					require.False(t, tr.At.Before(b.Transitions()[i-1].At))
				}
			}
		})
	}
}

func finish(p breaker.Permit, how int) {
	switch {
	case how < 3:
		p.Done(errDown)
	case how == 3:
		p.Cancel()
	default:
		p.Done(nil)
	}
}

func disturb(b *breaker.Breaker, clk *hand, g, i int) {
	switch (g + i) % 101 {
	case 0:
		clk.Add(time.Millisecond)
	case 1:
		b.Reset()
	case 2:
		_ = b.Stats()
	case 3:
		b.Trip()
	}
}

// A success is never lost between the word and the machine, nor counted in the
// next generation: with one goroutine succeeding and one resetting, the counts
// read right after a reset can only hold what came after it.
func TestSuccessesBelongToTheirGeneration(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	stop := make(chan struct{})
	var calls uint64
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = b.Do(ctx, succeeds)
				calls++
			}
		}
	})
	var last uint64
	for range 20_000 * stress.Factor(t) {
		b.Reset()
		s := b.Stats()
		require.GreaterOrEqual(t, s.Successes, last)
		require.LessOrEqual(t, s.Counts.Successes, s.Successes-last)
		last = s.Successes - s.Counts.Successes
	}
	close(stop)
	wg.Wait()
	s := b.Stats()
	require.Equal(t, calls, s.Successes+s.Stale)
}

// The word holds 14 bits of successes and of calls in flight; both must carry
// over.
func TestWordOverflowsIntoTheMachine(t *testing.T) {
	const n = 40_000
	b, _ := newBreaker(t, breaker.Config{})
	_ = times(n, b, succeeds)
	require.EqualValues(t, n, b.Stats().Counts.ConsecutiveSuccesses)
	permits := make([]breaker.Permit, n)
	for i := range permits {
		permits[i] = allow(t, b)
	}
	require.Equal(t, n, b.Stats().InFlight)
	for i, p := range permits {
		p.Done(nil)
		if i%10_000 == 0 {
			require.Equal(t, n-1-i, b.Stats().InFlight)
		}
	}
	s := b.Stats()
	require.Zero(t, s.InFlight)
	require.EqualValues(t, 2*n, s.Successes)
}

func TestNothingAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, cfg := range map[string]breaker.Config{
		"consecutive": {},
		"timed":       {SlowCall: time.Second},
		"calls":       {FailureRate: 0.5},
		"time":        {FailureRate: 0.5, Window: time.Second},
	} {
		b, err := breaker.New(cfg)
		require.NoError(t, err)
		call := func() { _ = b.Do(ctx, succeeds) }
		generic := func() {
			_, _ = breaker.Call(ctx, b, func(context.Context) (int, error) { return 1, nil })
		}
		permit := func() {
			if p, err := b.Allow(); err == nil {
				p.Done(nil)
			}
		}
		for i, f := range []func(){call, generic, permit} {
			require.Zero(t, testing.AllocsPerRun(1000, f), "closed, %s, %d", name, i)
		}
		b.Trip()
		for i, f := range []func(){call, generic, permit} {
			require.Zero(t, testing.AllocsPerRun(1000, f), "open, %s, %d", name, i)
		}
	}
}

// countingClock counts how often it is read.
type countingClock struct {
	*hand
	reads atomic.Int64
}

func (c *countingClock) Since(t time.Time) time.Duration {
	c.reads.Add(1)
	return c.hand.Since(t)
}

func TestClosedConsecutivePathReadsNoClock(t *testing.T) {
	clk := &countingClock{hand: &hand{now: epoch}}
	b, err := breaker.New(breaker.Config{Clock: clk})
	require.NoError(t, err)
	_ = times(1000, b, succeeds)
	require.Zero(t, clk.reads.Load())

	// The same after a recovery, and after the failures of a closed breaker.
	b.Trip()
	b.Reset()
	results(b, "sfss")
	read := clk.reads.Load()
	_ = times(1000, b, succeeds)
	require.Equal(t, read, clk.reads.Load())
}
