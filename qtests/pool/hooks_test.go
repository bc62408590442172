package pool

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
)

type hookKey struct{}

// OnAcquire prepares each lease on behalf of its caller, and may fail it.
func TestOnAcquireCanFailTheCaller(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		var fails error
		var seen []any
		cfg.Max, cfg.MaxUses = 1, 3
		cfg.Breaker = breaker.NewT(q, breaker.Config{FailureThreshold: 3})
		cfg.OnAcquire = func(ctx context.Context, x *item) error {
			seen = append(seen, ctx.Value(hookKey{}))
			q.Sleep(time.Second)
			return fails
		}
		p := NewT(q, cfg)
		l, err := p.Acquire(context.WithValue(bg, hookKey{}, "mine"))
		require.NoError(q, err)
		require.Equal(q, time.Second, q.Elapsed(), "the caller waits")
		l.Release()
		fails = errors.New("no tenant")
		for range 2 {
			_, err = p.Acquire(bg)
			require.True(q, err == fails, "as it is: %v", err)
		}
		s := p.Stats()
		require.Equal(q, []uint64{1, 2, 0}, []uint64{s.Acquired, s.Errors, s.Destroyed})
		require.Equal(q, 1, s.Idle, "the resource goes back, unused")
		fails = nil
		for range 2 {
			l, err = p.TryAcquire()
			require.NoError(q, err)
			l.Release()
		}
		require.EqualValues(q, 1, p.Stats().DestroyedUses, "after three uses")
		require.Equal(q, []any{"mine", nil, nil, nil, nil}, seen)

		mustAcquire(q, p).Release()
		fails = errors.Join(ErrBroken, errors.New("gone"))
		err = p.Do(bg, func(context.Context, *item) error { panic("never") })
		require.ErrorIs(q, err, ErrBroken)
		require.EqualValues(q, 1, p.Stats().DestroyedDiscarded)
		require.EqualValues(q, 2, f.made.Load())
		fails = errors.New("down")
		for range 2 {
			_, err = p.Acquire(bg)
			require.ErrorIs(q, err, fails)
		}
		_, err = p.Acquire(bg)
		require.ErrorIs(q, err, breaker.ErrOpen, "the breaker is told")
	})
}

// A hook that panics or exits loses its resource, not the pool's place for it.
func TestHooksThatPanicOrExit(t *testing.T) {
	for name, c := range map[string]struct {
		misbehave func()
		panics    bool
	}{"panic": {func() { panic("oops") }, true}, "Goexit": {runtime.Goexit, false}} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				_, cfg := newItems(q, 0)
				bad := false
				hook := func() error {
					if bad {
						c.misbehave()
					}
					return nil
				}
				cfg.Max = 1
				cfg.OnAcquire = func(context.Context, *item) error { return hook() }
				cfg.OnRelease = func(*item) error { return hook() }
				var reports []Report
				cfg.OnReport = func(r Report) { reports = append(reports, r) }
				p := NewT(q, cfg)
				do := func(f func()) {
					done := make(chan any)
					go func() {
						defer func() { done <- recover() }()
						f()
					}()
					require.Equal(q, c.panics, <-done != nil)
				}
				bad = true
				do(func() { _, _ = p.Acquire(bg) })
				require.EqualValues(q, 1, p.Stats().DestroyedDiscarded)
				bad = false
				l := mustAcquire(q, p)
				bad = true
				do(l.Release)
				require.EqualValues(q, 2, p.Stats().DestroyedDiscarded)
				require.Zero(q, p.Stats().InUse)
				require.Len(q, reports, 1)
				require.Equal(q, ReleaseFailed, reports[0].Kind)
				bad = false
				mustAcquire(q, p).Release()
			})
		})
	}
}

// OnRelease restores what goes back, before the next caller gets it, and can reject it.
func TestOnReleaseRestoresTheResource(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		var restored []*item
		var rejects error
		var reports []Report
		cfg.Max = 1
		cfg.OnRelease = func(x *item) error {
			q.Sleep(time.Second)
			restored = append(restored, x)
			return rejects
		}
		cfg.OnReport = func(r Report) { reports = append(reports, r) }
		p := NewT(q, cfg)
		l := mustAcquire(q, p)
		x := l.Value()
		next := make(chan time.Duration)
		go func() {
			mustAcquire(q, p).Discard(nil)
			next <- q.Elapsed()
		}()
		q.Wait()
		l.Release()
		require.Equal(q, time.Second, <-next, "the next caller waits until it is restored")
		require.Equal(q, []*item{x}, restored, "not what is discarded")
		require.Panics(q, l.Release)
		require.Len(q, restored, 1, "nor what has been released before")

		rejects = errors.New("in a transaction")
		require.NoError(q, p.Do(bg, func(context.Context, *item) error { return nil }))
		require.EqualValues(q, 2, p.Stats().DestroyedDiscarded)
		require.Equal(q, "release failed: in a transaction", reports[0].String())
		rejects = nil
		mustAcquire(q, p).ReleaseUnused()
		require.Len(q, restored, 3)
		mustAcquire(q, p).Hijack()
		require.Len(q, restored, 3)
		require.EqualValues(q, 3, f.made.Load())
	})
}

func TestMinIdleIsKeptBeyondThoseInUse(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, time.Second)
		cfg.MinIdle, cfg.Max, cfg.MaxIdleTime = 2, 4, time.Minute
		p := NewT(q, cfg)
		numbers := func() []int { s := p.Stats(); return []int{s.Idle, s.InUse, s.Constructing} }
		q.Sleep(time.Second)
		require.Equal(q, []int{2, 0, 0}, numbers())
		var all []Lease[*item]
		for i, want := range [][]int{{2, 1, 0}, {2, 2, 0}, {1, 3, 0}, {0, 4, 0}} {
			start := q.Elapsed()
			all = append(all, mustAcquire(q, p))
			require.Equal(q, start, q.Elapsed(), "one is idle")
			q.Sleep(time.Second)
			require.Equal(q, want, numbers(), "%d in use, within Max", i+1)
		}
		releaseAll(all)
		require.Equal(q, []int{4, 0, 0}, numbers())
		q.Sleep(time.Minute)
		require.Equal(q, []int{2, 0, 0}, numbers(), "the others have been idle for too long")
		l, err := p.TryAcquire()
		require.NoError(q, err)
		q.Sleep(time.Second)
		require.Equal(q, []int{2, 1, 0}, numbers())
		l.Discard(nil)
		q.Sleep(time.Hour)
		require.Equal(q, []int{2, 0, 0}, numbers())
		require.EqualValues(q, 5, p.Stats().Constructed, "none is made and destroyed for nothing")
	})
}

// A check of an idle resource is no reason to make another one.
func TestMinIdleCountsWhatIsChecked(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.MinIdle, cfg.CheckInterval = 2, 10*time.Second
		cfg.Check = func(context.Context, *item) error { q.Sleep(time.Second); return nil }
		p := NewT(q, cfg)
		q.Sleep(time.Minute)
		require.EqualValues(q, 2, p.Stats().Constructed)
	})
}

func TestMaxIdleDestroysTheLongestIdle(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		cfg.MaxIdle, cfg.Max = 2, 4
		p := NewT(q, cfg)
		all := acquireN(q, p, 4)
		last := []*item{all[2].Value(), all[3].Value()}
		for _, l := range all {
			l.Release()
			q.Sleep(time.Second)
		}
		s := p.Stats()
		require.Equal(q, []int{2, 0}, []int{s.Idle, s.InUse})
		require.EqualValues(q, 2, s.DestroyedSurplus)
		require.Zero(q, last[0].destroyed.Load()+last[1].destroyed.Load(), "those that were used last stay")
		require.EqualValues(q, 4, f.made.Load())
		require.NoError(q, p.Resize(3, 4))
		q.Sleep(time.Second)
		require.Equal(q, 3, p.Stats().Idle, "Min is kept, whatever MaxIdle is")
		q.Sleep(time.Hour)
		require.EqualValues(q, 5, f.made.Load())
	})
}
