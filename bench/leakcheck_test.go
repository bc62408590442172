package bench

import (
	"errors"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func leakChecks() compare.Group {
	g := compare.Group{
		Name: "leak check",
		About: "One operation is one leak check beside so many other goroutines that wait: `CheckLeaks` of a test that leaves nothing\n" +
			"behind, and goleak's `Find`, to which all of them are allowed, so that neither waits for anything.",
	}
	for _, n := range []int{10, 1000, 10_000} {
		check := compare.TimeOf()
		if n == 10_000 {
			check = compare.TimeOf(compare.Times(0.25, "goleak"))
		}
		g.Comparisons = append(g.Comparisons, compare.Comparison{
			Name:  compare.Number(float64(n)) + " goroutines",
			Setup: func(t testing.TB) { crowd(t, n) },
			Contestants: []compare.Contestant{
				compare.Ours(compare.Timed(func(testing.TB) func(n int) error { return checkLeaks })),
				compare.Peer("goleak", compare.Timed(findLeaks)),
			},
			Figures: []compare.Figure{check, compare.AllocationsOf()},
			Why: "Ours reads the goroutine profile, whose labels say to which test a goroutine belongs; goleak reads the stacks of all. " +
				"The profile has a price of its own, and then costs less for each goroutine.",
		})
	}
	return g
}

// crowd keeps n goroutines waiting, at the end of a call of some depth, until t
// ends.
func crowd(t testing.TB, n int) {
	gate := make(chan struct{})
	var ready, all sync.WaitGroup
	var wait func(depth int)
	wait = func(depth int) {
		if depth == 0 {
			ready.Done()
			<-gate
			return
		}
		wait(depth - 1)
	}
	ready.Add(n)
	for range n {
		all.Go(func() { wait(5) })
	}
	ready.Wait()
	t.Cleanup(func() {
		close(gate)
		all.Wait()
	})
}

func checkLeaks(n int) error {
	for range n {
		if found := tbtest.Run("test", func(t *tbtest.TB) { qtests.CheckLeaks(t) }).Errors(); found != "" {
			return errors.New(found)
		}
	}
	return nil
}

func findLeaks(testing.TB) func(n int) error {
	present := goleak.IgnoreCurrent()
	return func(n int) error {
		for range n {
			if err := goleak.Find(present); err != nil {
				return err
			}
		}
		return nil
	}
}
