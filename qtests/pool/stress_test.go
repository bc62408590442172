package pool

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/tb"
)

// chaos runs callers and an operator against a pool with everything switched on,
// and then wants the books to balance.
func chaos(t tb.TB, p *Pool[*item], f *items, callers, rounds int, stream tb.Stream, pause func(time.Duration)) {
	var held atomic.Int64
	var wg sync.WaitGroup
	use := func(x *item) {
		if held.Add(1) < 0 || x.destroyed.Load() != 0 {
			t.Errorf("resource %d is in use and destroyed", x.id)
		}
		held.Add(-1)
	}
	for c := range callers {
		r := stream.At(uint64(c))
		wg.Go(func() {
			for range rounds {
				ctx, cancel := context.WithCancel(bg)
				if r.IntN(4) == 0 {
					wg.Go(func() { pause(time.Millisecond); cancel() })
				}
				l, err := p.Acquire(ctx)
				checkInvariants(t, p)
				if err == nil {
					use(l.Value())
					pause(time.Duration(r.IntN(1000)) * time.Microsecond)
					endSomehow(r, l)
					checkInvariants(t, p)
				}
				cancel()
			}
		})
	}
	wg.Go(func() {
		r := stream.Sub("operator").Rand()
		for range rounds {
			operate(r, p)
			checkInvariants(t, p)
			pause(time.Millisecond)
		}
	})
	wg.Wait()
	p.Resume()
	require.NoError(t, p.Close(bg))
	s := p.Stats()
	require.Equal(t, [4]int{}, [4]int{s.Idle, s.InUse, s.Constructing, s.Waiters})
	require.EqualValues(t, f.made.Load(), int(s.Hijacked)+int(f.destroyed.Load()), "made = hijacked + destroyed")
	require.EqualValues(t, f.destroyed.Load(), s.Destroyed)
	require.NotZero(t, s.Acquired)
}

func endSomehow(r *rand.Rand, l Lease[*item]) {
	switch r.IntN(10) {
	case 0:
		l.Discard(errRefused)
	case 1:
		l.Hijack()
	case 2:
		l.ReleaseUnused()
	default:
		l.Release()
	}
}

func operate(r *rand.Rand, p *Pool[*item]) {
	switch r.IntN(6) {
	case 0:
		_ = p.Resize(r.IntN(2), 2+r.IntN(6))
	case 1:
		p.Reset()
	case 2:
		p.Suspend()
		p.Resume()
	case 3:
		releaseAll(p.AcquireAllIdle())
	case 4:
		if l, err := p.TryAcquire(); err == nil {
			endSomehow(r, l)
		}
	case 5:
		_ = p.Stats()
	}
}

// chaosConfig switches everything on.
func chaosConfig(f *items, pause func(time.Duration)) Config[*item] {
	cfg := f.config()
	var n atomic.Int64
	cfg.New = func(ctx context.Context) (*item, error) {
		pause(100 * time.Microsecond)
		if n.Add(1)%7 == 0 {
			return nil, errRefused
		}
		return f.new(ctx)
	}
	cfg.Check = func(context.Context, *item) error {
		pause(50 * time.Microsecond)
		if n.Add(1)%5 == 0 {
			return errors.New("gone away")
		}
		return nil
	}
	fails := func() error {
		if n.Add(1)%11 == 0 {
			return errors.New("a hook fails")
		}
		return nil
	}
	cfg.OnAcquire = func(context.Context, *item) error { return fails() }
	cfg.OnRelease = func(*item) error { return fails() }
	cfg.Min, cfg.Max, cfg.MaxWaiters, cfg.MaxUses = 1, 4, 20, 9
	cfg.MinIdle, cfg.MaxIdle = 1, 2
	cfg.Backoff, cfg.MaxBackoff = 200*time.Microsecond, time.Millisecond
	cfg.MaxLifetime, cfg.MaxIdleTime = 20*time.Millisecond, 3*time.Millisecond
	cfg.CheckInterval, cfg.CheckAfterIdle = 2*time.Millisecond, time.Millisecond
	cfg.AcquireTimeout, cfg.LeakThreshold = 5*time.Millisecond, 700*time.Microsecond
	cfg.OnReport = func(Report) {}
	return cfg
}

// TestChaosInFakeTime is repeatable: a failure comes back with its seed.
func TestChaosInFakeTime(t *testing.T) {
	for round := range 5 * stress.Factor(t) {
		qtests.Run(t, func(q *qtests.T) {
			f, pause := &items{}, q.Clock().Sleep
			cfg := chaosConfig(f, pause)
			chaos(q, NewT(q, cfg), f, 16, 40, q.Stream("chaos").Sub(string(rune('a'+round%26))), pause)
		})
	}
}

// TestStress has real parallelism instead, for the race detector: nothing waits
// for real time, callers only yield.
func TestStress(t *testing.T) {
	f := &items{}
	pause := func(time.Duration) {}
	chaos(t, NewT(t, chaosConfig(f, pause)), f, 16, 150*stress.Factor(t), tb.StreamOf(t, "stress"), pause)
}
