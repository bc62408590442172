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
		About: "One operation is one leak check beside so many other goroutines that wait, of a test that leaves nothing behind. The two\n" +
			"answer different questions. `CheckLeaks` looks for goroutines with the label of the test, whatever else there is: the others\n" +
			"may be those of parallel tests. goleak's `Find` judges all goroutines of the process, so that here every one of them is on\n" +
			"its list of those that were there before (`IgnoreCurrent`); with that, neither waits for anything. The usual case of goleak is\n" +
			"a process with few goroutines, as in the first row: there what ours pays for the label and the profile weighs most.",
	}
	for _, row := range []struct {
		goroutines int
		target     float64
	}{{10, 1}, {10_000, 0.25}} {
		n := row.goroutines
		g.Comparisons = append(g.Comparisons, compare.Comparison{
			Name:  compare.Number(float64(n)) + " goroutines",
			Setup: func(t testing.TB) { crowd(t, n) },
			Contestants: []compare.Contestant{
				compare.Ours(compare.Timed(func(testing.TB) func(n int) error { return checkLeaks })),
				compare.Peer("goleak", compare.Timed(findLeaks)),
			},
			Figures: []compare.Figure{compare.TimeOf(compare.Times(row.target, "goleak")), compare.AllocationsOf()},
			Why: "Ours labels the test's goroutine and reads the goroutine profile, whose labels say to which test a goroutine belongs; " +
				"goleak reads the stacks of all. The runtime stops the world, and names every function, for the profile; and then it counts " +
				"goroutines that stand at the same place once.",
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
