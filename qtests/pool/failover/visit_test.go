package failover

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/internal/faulttest"
)

// hanging makes the New of a backend hang until its context ends, while hangs says so.
func hanging(hangs *bool, cfg pool.Config[*item]) pool.Config[*item] {
	make := cfg.New
	cfg.New = func(ctx context.Context) (*item, error) {
		if *hangs {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return make(ctx)
	}
	return cfg
}

// Callers that wait at a backend when traffic moves away from it move along, in their
// order, and do not wait for its New.
func TestWaitersMoveWithTheTraffic(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		hangs := true
		f, _, _ := newPair(q, func(cfg *Config[*item]) {
			cfg.Backends[0] = hanging(&hangs, cfg.Backends[0])
			cfg.Backends[0].Max, cfg.Backends[1].Max = 2, 1
			cfg.HealthInterval, cfg.HealthTimeout = time.Second, 500*time.Millisecond
		})
		var mu sync.Mutex
		var served []string
		for i := range 6 {
			faulttest.At(q, time.Duration(i)*time.Millisecond, func() {
				l, err := f.Acquire(bg)
				if err != nil {
					q.Errorf("caller %d: %v", i, err)
					return
				}
				mu.Lock()
				served = append(served, fmt.Sprint(i, " ", l.Pool(), " ", q.Elapsed()))
				mu.Unlock()
				q.Sleep(time.Second)
				l.Release()
			})
		}
		q.Sleep(20 * time.Second)
		require.Equal(q, []string{"0 replica 2.5s", "1 replica 3.5s", "2 replica 4.5s", "3 replica 5.5s", "4 replica 6.5s", "5 replica 7.5s"}, served)
		require.EqualValues(q, 6, f.Stats().Backends[0].Pool.Canceled)
		require.Zero(q, f.Stats().Backends[0].Pool.Waiters)
		require.Empty(q, f.mu.visits.now)
	})
}

// A caller that has waited for a resource in use moves along as well; one whose context
// ends gets the error of that.
func TestWaitersForALeaseMoveToo(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, primary, _ := newPair(q, func(cfg *Config[*item]) {
			cfg.Backends[0].Max = 1
			cfg.HealthInterval = time.Second
		})
		held, err := f.Acquire(bg)
		require.NoError(q, err)
		primary.down = true
		ctx, cancel := q.Clock().WithTimeout(bg, 1500*time.Millisecond)
		defer cancel()
		gaveUp := make(chan error)
		go func() {
			_, err := f.Acquire(ctx)
			gaveUp <- err
		}()
		moved := make(chan string)
		go func() { moved <- servedBy(q, f) + " " + q.Elapsed().String() }()
		require.Equal(q, context.DeadlineExceeded, <-gaveUp)
		require.Equal(q, "replica 2s", <-moved)
		held.Release()
	})
}

// Those who wait at a backend that is well stay there when traffic moves back to the
// preferred one.
func TestWaitersStayWhereAllIsWell(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, primary, _ := newPair(q, func(cfg *Config[*item]) {
			cfg.Backends[1].Max = 1
			cfg.HealthInterval, cfg.HealthyFor = time.Second, 5*time.Second
		})
		primary.down = true
		q.Sleep(3 * time.Second)
		held, err := f.Acquire(bg)
		require.NoError(q, err)
		require.Equal(q, "replica", held.Pool())
		primary.down = false
		waited := make(chan string)
		go func() { waited <- servedBy(q, f) }()
		q.Sleep(20 * time.Second)
		require.Equal(q, "primary", f.Active())
		held.Release()
		require.Equal(q, "replica", <-waited)
	})
}

// With no other backend to go to they wait on.
func TestWaitersStayWhereNoOtherIsHealthy(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		hangs := true
		f, _, replica := newPair(q, func(cfg *Config[*item]) {
			cfg.Backends[0] = hanging(&hangs, cfg.Backends[0])
			cfg.HealthInterval, cfg.HealthTimeout = time.Second, 500*time.Millisecond
			cfg.Backends[0].ConstructTimeout = 10 * time.Second
		})
		replica.down = true
		q.Sleep(5 * time.Second)
		_, err := f.Acquire(bg)
		require.ErrorIs(q, err, context.DeadlineExceeded)
		require.Equal(q, 15*time.Second, q.Elapsed())
	})
}

func TestVisitsLeaveInOrder(t *testing.T) {
	c := core{backends: []backendHealth{{healthy: false}, {healthy: true}, {healthy: false}}, active: 1}
	var v visits
	var left []int
	for i := range 9 {
		v.begin(i%3, func(cause error) {
			require.Equal(t, errMoved, cause)
			left = append(left, i)
		})
	}
	for range 2 {
		for _, leave := range v.leaving(&c) {
			leave()
		}
	}
	require.Equal(t, []int{0, 2, 3, 5, 6, 8}, left)
	require.Len(t, v.now, 3)
	c.active = 0
	require.False(t, c.left(0), "traffic stays where no backend is healthy")
	require.True(t, slices.IsSorted(left))
}
