package pool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/tb"
)

// item is the resource of most tests.
type item struct {
	id        int
	destroyed atomic.Int32
}

// items makes and destroys them.
type items struct {
	made, destroyed atomic.Int32
	delay           time.Duration
	clk             interface{ Sleep(time.Duration) }
}

func (f *items) new(context.Context) (*item, error) {
	if f.delay > 0 {
		f.clk.Sleep(f.delay)
	}
	return &item{id: int(f.made.Add(1))}, nil
}

func (f *items) destroy(x *item) {
	if x.destroyed.Add(1) != 1 {
		panic("destroyed twice")
	}
	f.destroyed.Add(1)
}

func (f *items) config() Config[*item] { return Config[*item]{New: f.new, Destroy: f.destroy} }

// newItems returns a factory whose constructor takes delay, and its Config.
func newItems(q *qtests.T, delay time.Duration) (*items, Config[*item]) {
	f := &items{delay: delay, clk: q.Clock()}
	return f, f.config()
}

var bg = context.Background()

func mustAcquire(t tb.TB, p *Pool[*item]) Lease[*item] {
	t.Helper()
	l, err := p.Acquire(bg)
	require.NoError(t, err)
	return l
}

func TestReleasedResourceIsUsedAgain(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, time.Second)
		p := NewT(q, cfg)
		l := mustAcquire(q, p)
		require.Equal(q, 1, l.Value().id)
		require.Equal(q, time.Second, q.Elapsed())
		l.Release()
		mustAcquire(q, p).Release()
		require.Equal(q, time.Second, q.Elapsed(), "no second construction")
		require.EqualValues(q, 1, f.made.Load())
		s := p.Stats()
		require.Equal(q, Stats{Name: "pool", Max: 10, Idle: 1, Acquired: 2, Waited: 1, WaitTime: time.Second, Constructed: 1}, s)
	})
}

func TestIdleOrder(t *testing.T) {
	for _, fifo := range []bool{false, true} {
		t.Run(fmt.Sprint(fifo), func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				_, cfg := newItems(q, 0)
				cfg.IdleFIFO = fifo
				p := NewT(q, cfg)
				a, b := mustAcquire(q, p), mustAcquire(q, p)
				first, last := a.Value(), b.Value()
				a.Release()
				q.Sleep(time.Second)
				b.Release()
				l := mustAcquire(q, p)
				defer l.Release()
				if fifo {
					require.Same(q, first, l.Value())
				} else {
					require.Same(q, last, l.Value())
				}
			})
		})
	}
}

// queueUp has n callers wait one after the other, and returns where each of them
// puts its number once it is served.
func queueUp(q *qtests.T, p *Pool[*item], n int, hold time.Duration) (order *[]int, errs []error) {
	order, errs = new([]int), make([]error, n)
	var mu sync.Mutex // the bubble runs one at a time, which the race detector cannot know
	for i := range n {
		q.Go(func() {
			l, err := p.Acquire(bg)
			mu.Lock()
			*order = append(*order, i)
			errs[i] = err
			mu.Unlock()
			if err == nil {
				q.Clock().Sleep(hold)
				l.Release()
			}
		})
		q.Wait()
	}
	return order, errs
}

func TestWaitersAreServedInOrder(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Max = 1
		p := NewT(q, cfg)
		l := mustAcquire(q, p)
		order, _ := queueUp(q, p, 10, time.Second)
		require.Equal(q, 10, p.Stats().Waiters)
		l.Release()
		q.Sleep(10 * time.Second)
		require.Equal(q, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, *order)
		require.Equal(q, 45*time.Second, p.Stats().WaitTime)
	})
}

func TestAcquireTimeoutAndContext(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Max, cfg.AcquireTimeout = 1, 3*time.Second
		p := NewT(q, cfg)
		l := mustAcquire(q, p)
		defer l.Release()

		_, err := p.Acquire(bg)
		require.ErrorIs(q, err, ErrAcquireTimeout)
		require.Equal(q, 3*time.Second, q.Elapsed())

		ctx, cancel := q.Clock().WithTimeout(bg, time.Second)
		defer cancel()
		_, err = p.Acquire(ctx)
		require.ErrorIs(q, err, context.DeadlineExceeded)
		require.Equal(q, 4*time.Second, q.Elapsed())

		_, err = p.Acquire(ctx)
		require.ErrorIs(q, err, context.DeadlineExceeded, "a context that has ended is not tried")

		ctx, cancel = context.WithCancel(bg)
		q.Go(func() { q.Clock().Sleep(time.Second); cancel() })
		_, err = p.Acquire(ctx)
		require.ErrorIs(q, err, context.Canceled)

		s := p.Stats()
		require.Equal(q, [4]uint64{1, 3, 1, 0}, [4]uint64{s.Acquired, s.Timeouts, s.Canceled, s.Errors})
		require.Zero(q, s.Waiters)
		require.Equal(q, 5*time.Second, s.WaitTime)
	})
}

func TestLimitsOfTheQueue(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Max, cfg.MaxWaiters = 1, 2
		p := NewT(q, cfg)
		l := mustAcquire(q, p)
		order, _ := queueUp(q, p, 2, 0)
		_, err := p.Acquire(bg)
		require.ErrorIs(q, err, ErrOverloaded)
		require.Zero(q, q.Elapsed())
		l.Release()
		q.Wait()
		require.Equal(q, []int{0, 1}, *order)
		require.EqualValues(q, 1, p.Stats().Shed)
	})
}

func TestNoQueueWaitsForConstructionOnly(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, time.Second)
		cfg.Max, cfg.NoQueue = 2, true
		p := NewT(q, cfg)
		order, errs := queueUp(q, p, 3, time.Second)
		require.Equal(q, []int{2}, *order, "two constructions, two callers")
		require.ErrorIs(q, errs[2], ErrOverloaded)
		q.Sleep(time.Second)
		_, err := p.Acquire(bg)
		require.ErrorIs(q, err, ErrOverloaded, "both are in use")
		q.Sleep(time.Second)
		mustAcquire(q, p).Release()
	})
}

func TestCallerThatGivesUpLeavesTheResource(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 10*time.Second)
		p := NewT(q, cfg)
		ctx, cancel := q.Clock().WithTimeout(bg, time.Second)
		defer cancel()
		_, err := p.Acquire(ctx)
		require.ErrorIs(q, err, context.DeadlineExceeded)
		require.Equal(q, time.Second, q.Elapsed(), "the construction does not hold the caller up")
		mustAcquire(q, p).Release()
		require.Equal(q, 10*time.Second, q.Elapsed())
		require.EqualValues(q, 1, f.made.Load())
	})
}

func TestTryAcquire(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, time.Second)
		cfg.Max = 1
		p := NewT(q, cfg)
		for range 3 {
			_, err := p.TryAcquire()
			require.ErrorIs(q, err, ErrNoneIdle)
		}
		q.Sleep(time.Second)
		l, err := p.TryAcquire()
		require.NoError(q, err)
		_, err = p.TryAcquire()
		require.ErrorIs(q, err, ErrNoneIdle)
		l.Release()
		require.EqualValues(q, 1, f.made.Load())
		require.NoError(q, p.Close(bg))
		_, err = p.TryAcquire()
		require.ErrorIs(q, err, ErrClosed)
	})
}

func TestDo(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		p := NewT(q, cfg)
		failed := errors.New("failed")
		ids := func(want int, fn func() error) (err error) {
			return p.Do(bg, func(_ context.Context, x *item) error {
				require.Equal(q, want, x.id)
				return fn()
			})
		}
		require.NoError(q, ids(1, func() error { return nil }))
		require.Equal(q, failed, ids(1, func() error { return failed }))
		require.ErrorIs(q, ids(1, func() error { return fmt.Errorf("reset: %w", ErrBroken) }), ErrBroken)
		require.PanicsWithValue(q, "oops", func() { _ = ids(2, func() error { panic("oops") }) })
		require.NoError(q, ids(3, func() error { return nil }))
		s := p.Stats()
		require.Equal(q, [4]int{1, 0, 2, 3}, [4]int{s.Idle, s.InUse, int(s.DestroyedDiscarded), int(s.Constructed)})
	})
}

func TestAcquireAllIdleAndHijack(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		cfg.Min, cfg.Max = 3, 3
		p := NewT(q, cfg)
		q.Wait()
		out := mustAcquire(q, p)
		idle := p.AcquireAllIdle()
		require.Len(q, idle, 2)
		require.Empty(q, p.AcquireAllIdle())
		x := idle[0].Hijack()
		require.Zero(q, x.destroyed.Load())
		q.Wait()
		require.EqualValues(q, 4, f.made.Load(), "Min is kept")
		idle[1].Release()
		out.Release()
		s := p.Stats()
		require.Equal(q, [3]int{3, 0, 1}, [3]int{s.Idle, s.InUse, int(s.Hijacked)})
	})
}

func TestEndingTwicePanics(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		p := NewT(q, cfg)
		const twice = "pool: lease ended twice"
		l := mustAcquire(q, p)
		stale := l
		l.Release()
		require.PanicsWithValue(q, twice, l.Release)
		require.PanicsWithValue(q, twice, func() { stale.Discard(nil) })
		require.PanicsWithValue(q, "pool: Value of a lease that has ended", func() { l.Value() })
		again := mustAcquire(q, p)
		require.PanicsWithValue(q, twice, stale.Release, "also when the resource is leased again")
		require.Equal(q, 1, again.Value().id, "and the new lease is untouched")
		again.Discard(errors.New("x"))
		require.PanicsWithValue(q, twice, again.ReleaseUnused)
		require.Panics(q, func() { again.Hijack() })
		require.PanicsWithValue(q, "pool: end of a zero Lease", Lease[*item]{}.Release)
		require.PanicsWithValue(q, "pool: Value of a zero Lease", func() { Lease[*item]{}.Value() })
	})
}
