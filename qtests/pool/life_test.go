package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/tb"
)

// acquireN takes n leases at once.
func acquireN(q *qtests.T, p *Pool[*item], n int) (out []Lease[*item]) {
	for range n {
		out = append(out, mustAcquire(q, p))
	}
	return out
}

func releaseAll(leases []Lease[*item]) {
	for _, l := range leases {
		l.Release()
	}
}

func TestMinIsFilledAndKept(t *testing.T) {
	for _, lazy := range []bool{false, true} {
		qtests.Run(t, func(q *qtests.T) {
			f, cfg := newItems(q, time.Second)
			cfg.Min, cfg.Max, cfg.Lazy = 3, 5, lazy
			p := NewT(q, cfg)
			q.Sleep(time.Minute)
			if lazy {
				require.Zero(q, f.made.Load())
				mustAcquire(q, p).Release()
				q.Sleep(time.Second)
			}
			require.EqualValues(q, 3, f.made.Load())
			mustAcquire(q, p).Discard(nil)
			q.Sleep(time.Second)
			require.Equal(q, 3, p.Stats().Idle)
		})
	}
}

func TestMaxIdleTimeShrinksToMin(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		cfg.Min, cfg.MaxIdleTime = 2, time.Minute
		p := NewT(q, cfg)
		releaseAll(acquireN(q, p, 5))
		q.Sleep(time.Minute - time.Microsecond)
		require.Equal(q, 5, p.Stats().Idle)
		q.Sleep(time.Microsecond)
		require.Equal(q, 2, p.Stats().Idle)
		q.Sleep(time.Hour)
		require.Equal(q, 2, p.Stats().Idle)
		require.EqualValues(q, 3, p.Stats().DestroyedIdle)
		require.EqualValues(q, 5, f.made.Load())
	})
}

func TestReleaseUnusedDoesNotTouch(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.MaxIdleTime, cfg.MaxUses = time.Minute, 2
		p := NewT(q, cfg)
		mustAcquire(q, p).Release()
		q.Sleep(30 * time.Second)
		for range 5 {
			mustAcquire(q, p).ReleaseUnused()
		}
		q.Sleep(30 * time.Second)
		s := p.Stats()
		require.Equal(q, [3]uint64{1, 0, 0}, [3]uint64{s.DestroyedIdle, s.DestroyedUses, uint64(s.Idle)})
	})
}

func TestMaxUses(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		cfg.MaxUses = 3
		p := NewT(q, cfg)
		for range 7 {
			mustAcquire(q, p).Release()
		}
		q.Wait()
		require.EqualValues(q, 3, f.made.Load())
		require.EqualValues(q, 2, p.Stats().DestroyedUses)
		require.EqualValues(q, 2, f.destroyed.Load())
	})
}

func TestMaxLifetime(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		cfg.MaxLifetime, cfg.NoJitter, cfg.Min = time.Minute, true, 1
		p := NewT(q, cfg)
		q.Wait()
		l := mustAcquire(q, p)
		q.Sleep(2 * time.Minute)
		require.Zero(q, l.Value().destroyed.Load(), "not while it is in use")
		l.Release()
		q.Wait()
		require.EqualValues(q, 1, f.destroyed.Load())
		require.EqualValues(q, 2, f.made.Load(), "Min is kept")
		q.Sleep(time.Minute)
		require.EqualValues(q, 2, f.destroyed.Load(), "an idle one ends without anybody's call")
		require.EqualValues(q, 2, p.Stats().DestroyedLifetime)
	})
}

func TestLifetimeJitterIsSeeded(t *testing.T) {
	ends := func(stream tb.Stream) (out []time.Duration) {
		qtests.Run(t, func(q *qtests.T) {
			_, cfg := newItems(q, 0)
			cfg.MaxLifetime, cfg.LifetimeJitter, cfg.Stream = 10*time.Minute, 0.5, stream
			var mu sync.Mutex
			cfg.Destroy = func(*item) {
				mu.Lock()
				defer mu.Unlock()
				out = append(out, q.Elapsed())
			}
			p := NewT(q, cfg)
			releaseAll(acquireN(q, p, 8))
			q.Sleep(10 * time.Minute)
			require.Equal(q, 8, len(out))
		})
		return out
	}
	one := ends(tb.NewStream(1, "x"))
	require.Equal(t, one, ends(tb.NewStream(1, "x")))
	require.NotEqual(t, one, ends(tb.NewStream(2, "x")))
	for i, d := range one {
		require.True(t, d > 5*time.Minute && d <= 10*time.Minute, "%v", d)
		require.True(t, i == 0 || d != one[i-1], "they do not end together")
	}
}

func TestBackgroundCheck(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		cfg.Min, cfg.CheckInterval = 2, 10*time.Second
		var checks atomic.Int32
		var reports []Report
		cfg.OnReport = func(r Report) { reports = append(reports, r) }
		cfg.Check = func(_ context.Context, x *item) error {
			q.Clock().Sleep(time.Second)
			if checks.Add(1); x.id == 1 {
				return errors.New("gone away")
			}
			return nil
		}
		p := NewT(q, cfg)
		q.Sleep(10 * time.Second)
		require.Equal(q, [2]int{0, 2}, [2]int{p.Stats().Idle, p.Stats().Constructing}, "a check takes the resource away")
		q.Sleep(time.Second)
		require.EqualValues(q, 2, checks.Load())
		require.EqualValues(q, 3, f.made.Load(), "the bad one is replaced")
		require.Len(q, reports, 1)
		require.Equal(q, CheckFailed, reports[0].Kind)
		require.Equal(q, "check failed: gone away", reports[0].String())
		q.Sleep(11 * time.Second) // 10 s from the end of the first check, or from construction
		require.EqualValues(q, 4, checks.Load())
		require.EqualValues(q, 1, p.Stats().DestroyedCheck)
	})
}

func TestCheckAfterIdle(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		cfg.CheckAfterIdle = 10 * time.Second
		healthy, checks := true, 0
		cfg.Check = func(context.Context, *item) error {
			q.Clock().Sleep(time.Second)
			if checks++; !healthy {
				return errors.New("gone away")
			}
			return nil
		}
		p := NewT(q, cfg)
		mustAcquire(q, p).Release()
		q.Sleep(9 * time.Second)
		mustAcquire(q, p).Release()
		require.Zero(q, checks)
		q.Sleep(10 * time.Second)
		mustAcquire(q, p).Release()
		require.Equal(q, 1, checks)
		require.Equal(q, 20*time.Second, q.Elapsed(), "the caller waited for the check")

		healthy = false
		q.Sleep(10 * time.Second)
		_, err := p.TryAcquire()
		require.ErrorIs(q, err, ErrNoneIdle, "it is not handed out unchecked")
		l := mustAcquire(q, p)
		require.Equal(q, 2, l.Value().id, "a failed check means a new resource, not an error")
		l.Release()
		require.Equal(q, 2, checks)
		require.EqualValues(q, 2, f.made.Load())
	})
}

func TestCheckThatBlocksCostsOneResource(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		cfg.Max, cfg.CheckAfterIdle, cfg.CheckTimeout = 2, time.Second, 3*time.Second
		unblock := make(chan struct{})
		var ended time.Duration
		cfg.Check = func(ctx context.Context, _ *item) error {
			<-ctx.Done()
			ended = q.Elapsed()
			<-unblock // and now it ignores that
			return nil
		}
		p := NewT(q, cfg)
		mustAcquire(q, p).Release()
		q.Sleep(time.Second)
		ctx, cancel := q.Clock().WithTimeout(bg, time.Second)
		defer cancel()
		_, err := p.Acquire(ctx)
		require.ErrorIs(q, err, context.DeadlineExceeded, "the caller is not held up")
		_, err = p.TryAcquire()
		require.ErrorIs(q, err, ErrNoneIdle)
		q.Sleep(2 * time.Second)
		require.Equal(q, 4*time.Second, ended, "its context has ended")
		l := mustAcquire(q, p)
		require.Equal(q, 2, l.Value().id, "others get another resource")
		close(unblock)
		q.Wait()
		require.EqualValues(q, 1, f.destroyed.Load(), "an answer that comes too late is a bad one")
		l.Release()
	})
}

func TestConstructBackoff(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Backoff, cfg.MaxBackoff, cfg.Max = time.Second, 3*time.Second, 1
		down, tries := true, []time.Duration{}
		cfg.New = func(context.Context) (*item, error) {
			if tries = append(tries, q.Elapsed()); down {
				return nil, errRefused
			}
			return &item{}, nil
		}
		p := NewT(q, cfg)
		for range 80 { // one caller every 100 ms
			_, err := p.Acquire(bg)
			require.ErrorIs(q, err, errRefused)
			require.ErrorContains(q, err, "pool pool: constructing a resource: connection refused")
			q.Sleep(100 * time.Millisecond)
		}
		s := time.Second
		require.Equal(q, []time.Duration{0, s, 3 * s, 6 * s}, tries)
		down = false
		q.Sleep(s)
		mustAcquire(q, p).Discard(nil)
		down = true
		_, err := p.Acquire(bg)
		var failed *ConstructError
		require.ErrorAs(q, err, &failed)
		require.Equal(q, 1, failed.Failures, "a success forgets the failures")
		require.Equal(q, s, failed.RetryAt.Sub(q.Clock().Now()))
		require.EqualValues(q, 81, p.Stats().Errors)
		require.EqualValues(q, 5, p.Stats().ConstructErrors)
	})
}

func TestBackoffLeavesHopeToThoseWhoCanBeServed(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Max, cfg.Backoff = 2, 10*time.Second
		made := 0
		cfg.New = func(context.Context) (*item, error) {
			if made++; made == 2 {
				return nil, errRefused
			}
			return &item{id: made}, nil
		}
		p := NewT(q, cfg)
		l := mustAcquire(q, p)
		_, err := p.Acquire(bg)
		require.ErrorIs(q, err, errRefused)
		order, errs := queueUp(q, p, 2, time.Minute)
		require.Equal(q, 2, p.Stats().Waiters, "a lease is out: they wait")
		q.Sleep(time.Second)
		l.Release()
		q.Wait()
		require.Equal(q, []int{0}, *order)
		q.Sleep(9 * time.Second)
		require.Equal(q, []int{0, 1}, *order, "the back-off has ended")
		require.Equal(q, []error{nil, nil}, errs)
		q.Sleep(2 * time.Minute)
	})
}

func TestOneRoundOfFailuresIsOneBackoff(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Max = 8
		cfg.New = func(context.Context) (*item, error) { q.Clock().Sleep(time.Second); return nil, errRefused }
		p := NewT(q, cfg)
		_, errs := queueUp(q, p, 8, 0)
		q.Sleep(time.Second)
		for _, err := range errs {
			var failed *ConstructError
			require.ErrorAs(q, err, &failed)
			require.Equal(q, 1, failed.Failures)
		}
	})
}

func TestOneCallerHasOneResourceChecked(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.CheckAfterIdle = time.Second
		var checks atomic.Int32
		cfg.Check = func(context.Context, *item) error { checks.Add(1); q.Clock().Sleep(time.Second); return nil }
		p := NewT(q, cfg)
		releaseAll(acquireN(q, p, 3))
		q.Sleep(time.Second)
		mustAcquire(q, p).Release()
		require.EqualValues(q, 1, checks.Load())
	})
}
