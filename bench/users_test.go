package bench

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

const memoryPerUser = "memory per user"

func users() compare.Group {
	g := compare.Group{
		Name: "users at once",
		About: `The live heap and the stacks for each user of a closed model while all of them are within a request, that is, sleep, in
a process of their own. The floor is as many goroutines of a bubble that only sleep.`,
	}
	for _, n := range []int{1000, 10_000, 100_000} {
		c := compare.Comparison{
			Name:        compare.Number(float64(n)),
			Rounds:      3,
			Contestants: []compare.Contestant{compare.Ours(perUser("users", n)), compare.Floor("sleeping goroutines", perUser("goroutines", n))},
			Figures:     []compare.Figure{{Name: memoryPerUser, Unit: compare.Bytes, Targets: []compare.Target{compare.Bound(4096), compare.Times(1.15, "sleeping goroutines")}}},
			Why:         whyMemory,
		}
		g.Comparisons = append(g.Comparisons, c)
	}
	return g
}

const whyMemory = "Most of it is the goroutine, as the floor shows: the stack with which one starts, whose size the runtime chooses, " +
	"and what it keeps of a timer. On top come the User and the context that the step is given, and a share of what the run has once: " +
	"histograms and timeline."

// minStack is the smallest stack that the runtime gives a goroutine.
const minStack = 2048

// perUser does a job that returns the bytes of so many users. A smoke run has fewer
// of them.
func perUser(kind string, n int) compare.Work {
	return compare.Measured(func(testing.TB) func(compare.Size) (compare.Readings, error) {
		return func(size compare.Size) (compare.Readings, error) {
			n := size.Pick(min(n, 5000), n)
			out, _, err := job{Kind: kind, Users: n}.outside()
			each := float64(out.Bytes) / float64(n)
			if err == nil && each < minStack {
				err = fmt.Errorf("%v bytes for each of %d goroutines is less than its stack", each, n)
			}
			return compare.Readings{memoryPerUser: each}, err
		}
	})
}

func usersWithin(j job) (out outcome, err error) {
	err = inRun(func(q *qtests.T) {
		before := footprint()
		q.Clock().AfterFunc(30*time.Second, func() {
			out.Bytes = footprint() - before
		})
		res, err := load.Do(context.Background(), load.Scenario{
			Clock: q.Clock(), Traffic: traffic.Users(j.Users).For(40 * time.Second),
			Do: func(context.Context, *load.User) error { q.Clock().Sleep(40 * time.Second); return nil },
		})
		if err != nil || res.Finished != int64(j.Users) {
			q.Fatal(res, err)
		}
	})
	return out, err
}

func goroutinesAsleep(j job) (out outcome, err error) {
	err = inBubble(func() {
		before := footprint()
		var wg sync.WaitGroup
		for range j.Users {
			wg.Go(func() { time.Sleep(40 * time.Second) })
		}
		synctest.Wait()
		out.Bytes = footprint() - before
		wg.Wait()
	})
	return out, err
}
