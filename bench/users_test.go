package bench

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
)

const memoryPerUser = "memory per user"

func users() compare.Group {
	g := compare.Group{
		Name: "users at once",
		About: `The live heap and the stacks for each user of a closed model while all of them are within a request, that is, sleep. The
floor is as many goroutines of a bubble that only sleep. For k6 it is resident memory, with all users less with one.`,
	}
	for _, n := range []int{1000, 10_000, 100_000} {
		c := compare.Comparison{
			Name:   compare.Number(float64(n)),
			Rounds: 5,
			Contestants: []compare.Contestant{
				compare.Ours(perUser(n, usersWithin)),
				compare.Floor("sleeping goroutines", perUser(n, goroutinesAsleep)),
			},
			Figures: []compare.Figure{{Name: memoryPerUser, Unit: compare.Bytes, Targets: []compare.Target{compare.Bound(4096)}}},
		}
		if n == 1000 {
			c.Contestants = append(c.Contestants, k6Users(n))
		}
		g.Comparisons = append(g.Comparisons, c)
	}
	return g
}

// perUser measures a function that returns the bytes that n users have. A smoke
// run has fewer of them.
func perUser(n int, measure func(n int) (int64, error)) compare.Work {
	return compare.Measured(func(testing.TB) func(compare.Size) (compare.Readings, error) {
		return func(size compare.Size) (compare.Readings, error) {
			n := size.Pick(min(n, 5000), n)
			all, err := measure(n)
			return compare.Readings{memoryPerUser: float64(all) / float64(n)}, err
		}
	})
}

func usersWithin(n int) (grown int64, err error) {
	err = inRun(func(q *qtests.T) {
		before := footprint()
		q.Clock().AfterFunc(30*time.Second, func() { grown = footprint() - before })
		res, err := load.Do(context.Background(), load.Scenario{
			Clock: q.Clock(), Profile: load.Users(n).For(40 * time.Second),
			Do: func(context.Context, *load.User) error { q.Clock().Sleep(40 * time.Second); return nil },
		})
		if err != nil || res.Finished != int64(n) {
			q.Fatal(res, err)
		}
	})
	return grown, err
}

func goroutinesAsleep(n int) (grown int64, err error) {
	err = inBubble(func() {
		before := footprint()
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() { time.Sleep(40 * time.Second) })
		}
		synctest.Wait()
		grown = footprint() - before
		wg.Wait()
	})
	return grown, err
}

// footprint is the live heap and the stacks in use.
func footprint() int64 {
	heap := liveHeap()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return heap + int64(m.StackInuse)
}

func k6Users(n int) compare.Contestant {
	k6 := compare.Peer("k6", compare.Measured(func(t testing.TB) func(compare.Size) (compare.Readings, error) {
		return func(size compare.Size) (compare.Readings, error) {
			each, err := k6PerUser(t.TempDir(), size.Pick(10, n))
			if err != nil {
				return nil, fmt.Errorf("k6: %w", err)
			}
			return compare.Readings{memoryPerUser: each}, nil
		}
	}))
	k6.Absent = k6Absent()
	return k6
}
