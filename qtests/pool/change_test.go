package pool

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestResizeWhileInUse(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		cfg.Max = 6
		p := NewT(q, cfg)
		leases := acquireN(q, p, 6)
		releaseAll(leases[4:])
		require.NoError(q, p.Resize(0, 3))
		q.Wait()
		require.EqualValues(q, 2, f.destroyed.Load(), "idle ones go first")
		require.Equal(q, 4, p.Stats().Total())
		order, _ := queueUp(q, p, 3, time.Second)
		leases[0].Release()
		q.Wait()
		require.EqualValues(q, 3, f.destroyed.Load(), "the surplus goes as it is released")
		require.Empty(q, *order)
		leases[1].Release()
		q.Wait()
		require.Equal(q, []int{0}, *order, "then leases are handed on")
		require.NoError(q, p.Resize(0, 5))
		q.Wait()
		require.Equal(q, []int{0, 1, 2}, *order, "a larger Max serves those who wait")
		q.Sleep(time.Second)
		releaseAll(leases[2:4])
		require.EqualValues(q, 3, p.Stats().DestroyedSurplus)
	})
}

func TestResizeGivesUpConstructions(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Max, cfg.ConstructTimeout = 4, time.Hour
		var mu sync.Mutex
		var ended []int
		started := 0
		cfg.New = func(ctx context.Context) (*item, error) {
			mu.Lock()
			started++
			id := started
			mu.Unlock()
			done := make(chan struct{})
			timer := q.Clock().AfterFunc(time.Minute, func() { close(done) })
			defer timer.Stop()
			select {
			case <-done:
				return &item{id: id}, nil
			case <-ctx.Done():
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, id)
				return nil, ctx.Err()
			}
		}
		p := NewT(q, cfg)
		order, errs := queueUp(q, p, 4, 0)
		require.NoError(q, p.Resize(0, 2))
		q.Wait()
		require.Equal(q, []int{4, 3}, ended, "the youngest first")
		q.Sleep(time.Minute)
		require.Equal(q, []int{0, 1, 2, 3}, *order)
		require.Equal(q, make([]error, 4), errs, "nobody gets the error of a construction that was given up")
		require.Equal(q, 4, started)
	})
}

func TestResizeErrors(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		p := NewT(q, cfg)
		require.EqualError(q, p.Resize(-1, 5), "pool: Resize.min: -1 is negative")
		require.EqualError(q, p.Resize(0, 0), "pool: Resize.max: 0 is not positive")
		require.EqualError(q, p.Resize(6, 5), "pool: Resize.min: 6 is more than max, 5")
		require.NoError(q, p.Close(bg))
		require.ErrorIs(q, p.Resize(0, 5), ErrClosed)
	})
}

func TestResetRetiresWhatIsMadeMeanwhile(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, time.Second) // it ignores its context
		cfg.Max = 3
		p := NewT(q, cfg)
		leases := acquireN(q, p, 2)
		leases[0].Release()
		order, _ := queueUp(q, p, 2, time.Minute)
		require.Equal(q, [3]int{0, 2, 1}, stateOf(p))
		p.Reset()
		require.Equal(q, [3]int{0, 2, 0}, stateOf(p))
		q.Sleep(time.Second)
		require.EqualValues(q, 1, f.destroyed.Load(), "the one in construction is not kept")
		q.Sleep(time.Second)
		require.Equal(q, []int{0, 1}, *order, "the caller keeps its place")
		leases[1].Release()
		q.Wait()
		require.EqualValues(q, 2, f.destroyed.Load(), "and what was leased goes as it comes back")
		q.Sleep(time.Minute)
		s := p.Stats()
		require.Equal(q, [2]uint64{2, 1}, [2]uint64{s.DestroyedReset, s.DestroyedOrphan})
	})
}

func stateOf(p *Pool[*item]) [3]int {
	s := p.Stats()
	return [3]int{s.Idle, s.InUse, s.Constructing}
}

func TestSuspendAndResume(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Max = 2
		p := NewT(q, cfg)
		mustAcquire(q, p).Release()
		p.Suspend()
		p.Suspend()
		order, _ := queueUp(q, p, 3, time.Second)
		require.Empty(q, *order)
		require.Equal(q, [2]int{3, 1}, [2]int{p.Stats().Waiters, p.Stats().Idle})
		_, err := p.TryAcquire()
		require.ErrorIs(q, err, ErrNoneIdle)
		idle := p.AcquireAllIdle()
		require.Len(q, idle, 1, "maintenance works")
		releaseAll(idle)
		p.Resume()
		p.Resume()
		q.Wait()
		require.Equal(q, []int{0, 1}, *order)
		q.Sleep(time.Second)
		require.Equal(q, []int{0, 1, 2}, *order)
	})
}

func TestSuspendedPoolWithoutQueueSheds(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.NoQueue = true
		p := NewT(q, cfg)
		mustAcquire(q, p).Release()
		p.Suspend()
		_, err := p.Acquire(bg)
		require.ErrorIs(q, err, ErrOverloaded)
	})
}

func TestCloseFailsWaitersAndReportsLeases(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		cfg.Max, cfg.Name = 2, "orders"
		p := NewT(q, cfg)
		idle, l := mustAcquire(q, p), mustAcquire(q, p)
		idle.Release()
		q.Sleep(time.Second)
		leak := mustAcquire(q, p)
		_, errs := queueUp(q, p, 3, 0)
		ctx, cancel := q.Clock().WithTimeout(bg, 5*time.Second)
		defer cancel()
		err := p.Close(ctx)
		require.Equal(q, []error{ErrClosed, ErrClosed, ErrClosed}, errs)
		require.ErrorIs(q, err, context.DeadlineExceeded)
		var out *CloseError
		require.ErrorAs(q, err, &out)
		require.Len(q, out.Leases, 2)
		require.Equal(q, 6*time.Second, out.Leases[0].Held)
		require.Contains(q, err.Error(), "pool orders: close: context deadline exceeded: leases out: 2")
		require.Contains(q, out.Leases[1].Stack[0].Function, "Acquire")
		require.Contains(q, err.Error(), "TestCloseFailsWaitersAndReportsLeases")

		_, err = p.Acquire(bg)
		require.ErrorIs(q, err, ErrClosed)
		q.Go(func() {
			q.Clock().Sleep(time.Second)
			l.Release()
			q.Clock().Sleep(time.Second)
			leak.Release()
		})
		require.NoError(q, p.Close(bg), "Close again waits again")
		require.Equal(q, 8*time.Second, q.Elapsed())
		require.EqualValues(q, 2, f.destroyed.Load(), "what comes back late is destroyed")
		ctx, cancel = context.WithCancel(bg)
		cancel()
		require.NoError(q, p.Close(ctx), "there is nothing to wait for")
		p.Suspend()
		p.Resume()
		p.Reset()
		require.Empty(q, p.AcquireAllIdle())
	})
}

func TestCloseWaitsForUserFunctions(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 3*time.Second)
		p := NewT(q, cfg)
		_, err := p.TryAcquire()
		require.ErrorIs(q, err, ErrNoneIdle)
		ctx, cancel := q.Clock().WithTimeout(bg, time.Second)
		defer cancel()
		require.ErrorContains(q, p.Close(ctx), "leases out: 0, calls of New, Check or Destroy running: 1")
		require.NoError(q, p.Close(bg))
		require.Equal(q, 3*time.Second, q.Elapsed())
		require.EqualValues(q, 1, f.destroyed.Load(), "what New returns after Close does not stay")
	})
}

func TestLeakThreshold(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.LeakThreshold = time.Minute
		var reports []string
		cfg.OnReport = func(r Report) {
			reports = append(reports, fmt.Sprintf("%v %s %v", q.Elapsed(), r.Kind, r.Lease.Held))
			require.True(q, strings.Contains(r.String(), "TestLeakThreshold"), r)
		}
		p := NewT(q, cfg)
		short, long := mustAcquire(q, p), mustAcquire(q, p)
		q.Sleep(59 * time.Second)
		short.Release()
		later := mustAcquire(q, p)
		q.Sleep(31 * time.Second)
		long.Release()
		q.Sleep(time.Hour)
		later.Release()
		require.Equal(q, []string{
			"1m0s lease overdue 1m0s", "1m30s overdue lease returned 1m30s",
			"1m59s lease overdue 1m0s", "1h1m30s overdue lease returned 1h0m31s",
		}, reports)
		require.EqualValues(q, 2, p.Stats().Overdue)
	})
}

func TestReportsComeInOrderAndMayCallBack(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.NoBackoff = true
		cfg.New = func(context.Context) (*item, error) { return nil, errRefused }
		var kinds []ReportKind
		var p *Pool[*item]
		cfg.OnReport = func(r Report) {
			kinds = append(kinds, r.Kind)
			switch len(kinds) {
			case 1:
				_, err := p.Acquire(bg) // a report within a report
				require.ErrorIs(q, err, errRefused)
				require.Len(q, kinds, 1, "is delivered after it")
			case 2:
				panic("swallowed")
			case 3:
				runtime.Goexit()
			}
		}
		p = NewT(q, cfg)
		for range 3 {
			_, err := p.Acquire(bg)
			require.ErrorIs(q, err, errRefused)
			q.Wait()
		}
		require.Len(q, kinds, 4)
		require.EqualValues(q, 1, p.Stats().Panics)
	})
}

func TestBreakerGuardsLeases(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		br := breaker.NewT(q, breaker.Config{FailureThreshold: 2, ResetTimeout: 10 * time.Second})
		cfg.Breaker, cfg.Max = br, 1
		p := NewT(q, cfg)
		failed := errors.New("broken pipe")
		l := mustAcquire(q, p)
		ctx, cancel := q.Clock().WithTimeout(bg, time.Second)
		defer cancel()
		_, err := p.Acquire(ctx)
		require.ErrorIs(q, err, context.DeadlineExceeded)
		l.Discard(failed)
		require.Equal(q, failed, p.Do(bg, func(context.Context, *item) error { return failed }))
		require.Equal(q, breaker.Open, br.State())
		_, err = p.Acquire(bg)
		require.ErrorIs(q, err, breaker.ErrOpen)
		_, err = p.TryAcquire()
		require.ErrorIs(q, err, breaker.ErrOpen)
		require.EqualValues(q, 2, p.Stats().Errors)
		releaseAll(p.AcquireAllIdle())
		q.Sleep(10 * time.Second)
		mustAcquire(q, p).Release()
		require.Equal(q, breaker.Closed, br.State(), "the lease was the probe")
		s := br.Stats()
		require.EqualValues(q, 2, s.Failures)
		require.EqualValues(q, 1, s.Ignored, "a caller whose context ends says nothing about the backend")
	})
}

func TestBreakerCountsConstructErrors(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		br := breaker.NewT(q, breaker.Config{FailureThreshold: 2})
		_, cfg := newItems(q, 0)
		cfg.Breaker = br
		cfg.New = func(context.Context) (*item, error) { return nil, errRefused }
		p := NewT(q, cfg)
		for range 2 {
			_, err := p.Acquire(bg)
			require.ErrorIs(q, err, errRefused)
		}
		_, err := p.Acquire(bg)
		require.ErrorIs(q, err, breaker.ErrOpen)
	})
}

func TestEventLogTellsOfOperators(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Name = "db"
		p := NewT(q, cfg)
		p.Suspend()
		p.Resume()
		p.Reset()
		require.NoError(q, p.Resize(1, 2))
		q.Wait()
		require.NoError(q, p.Close(bg))
		var got []string
		marks, _ := q.EventLog().Marks()
		for _, m := range marks {
			require.Equal(q, "pool db", m.Source)
			got = append(got, m.Text)
		}
		require.Equal(q, []string{"suspended", "resumed", "reset", "resized from 0–10 to 1–2", "closed"}, got)
	})
}

func TestMetrics(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Max = 1
		p := NewT(q, cfg)
		cfg.Name = "other"
		reg := prometheus.NewPedanticRegistry()
		require.NoError(q, reg.Register(p))
		require.NoError(q, reg.Register(NewT(q, cfg)), "two pools in one registry")
		problems, err := testutil.CollectAndLint(p)
		require.NoError(q, err)
		require.Empty(q, problems)
		l := mustAcquire(q, p)
		queueUp(q, p, 2, 0)
		q.Sleep(1500 * time.Millisecond)
		l.Release()
		q.Wait()
		require.NoError(q, testutil.CollectAndCompare(p, strings.NewReader(`
# HELP pool_acquires_total Acquires that have ended, by result.
# TYPE pool_acquires_total counter
pool_acquires_total{pool="pool",result="canceled"} 0
pool_acquires_total{pool="pool",result="closed"} 0
pool_acquires_total{pool="pool",result="error"} 0
pool_acquires_total{pool="pool",result="ok"} 3
pool_acquires_total{pool="pool",result="shed"} 0
pool_acquires_total{pool="pool",result="timeout"} 0
# HELP pool_max_resources How many resources there may be.
# TYPE pool_max_resources gauge
pool_max_resources{pool="pool"} 1
# HELP pool_resources Resources by state; one that is being checked counts as constructing.
# TYPE pool_resources gauge
pool_resources{pool="pool",state="constructing"} 0
pool_resources{pool="pool",state="idle"} 1
pool_resources{pool="pool",state="in_use"} 0
# HELP pool_wait_seconds_total Time that callers have waited, together.
# TYPE pool_wait_seconds_total counter
pool_wait_seconds_total{pool="pool"} 3
# HELP pool_waiters Callers that wait for a resource.
# TYPE pool_waiters gauge
pool_waiters{pool="pool"} 0
`)))
	})
}

func TestNewTFailsItsTest(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		tb := tbtest.Run("leaky", func(t *tbtest.TB) {
			mustAcquire(q, NewT(t, Config[*item]{New: (&items{}).new, Clock: q.Clock()}))
		})
		require.True(q, tb.Failed())
		require.Equal(q, CleanupTimeout, q.Elapsed())
		require.Contains(q, tb.Errors(), "pool pool: close: context deadline exceeded: leases out: 1")
		require.Contains(q, tb.Errors(), "TestNewTFailsItsTest")
	})
	tb := tbtest.Run("bad", func(t *tbtest.TB) {
		NewT(t, Config[*item]{Max: -1})
		t.Errorf("not reached")
	})
	require.Equal(t, "pool: Config.New: nil is required\npool: Config.Max: -1 is negative", tb.Errors())
}

func TestMockClock(t *testing.T) {
	clk := clock.NewMock()
	p := NewT(t, Config[*item]{New: (&items{}).new, Clock: clk, MaxIdleTime: time.Minute, LeakThreshold: time.Hour,
		OnReport: func(Report) {}})
	l := mustAcquire(t, p)
	clk.Add(time.Hour)
	require.EqualValues(t, 1, p.Stats().Overdue)
	l.Release()
	clk.Add(time.Minute)
	require.EqualValues(t, 1, p.Stats().DestroyedIdle)
}
