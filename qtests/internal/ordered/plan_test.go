package ordered_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// explored runs body in a bubble with a plan.
func explored(t *testing.T, seed uint64, plan *ordered.Plan, body func(t *testing.T)) {
	t.Helper()
	require.NoError(t, ordered.Arm(seed, false, nil))
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, ordered.Explore(plan))
		body(t)
	})
}

// letters starts a goroutine for each letter and returns the order in which they wrote it.
func letters(n int) string {
	var mu sync.Mutex
	var b strings.Builder
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(&b, "%c", 'a'+i)
		})
	}
	wg.Wait()
	return b.String()
}

// TestStrategiesRepeat: each strategy gives one order for a seed, several for several
// seeds, and its record makes that order again.
func TestStrategiesRepeat(t *testing.T) {
	needsOrdered(t)
	for _, s := range []ordered.Strategy{ordered.Random, ordered.PCT, ordered.POS} {
		outcomes := map[string]bool{}
		for seed := uint64(2); seed < 22; seed++ {
			plan := ordered.NewPlan(0)
			var first, again, replayed string
			plan.Reset(s, seed, []uint64{3})
			explored(t, seed, plan, func(*testing.T) { first = letters(5) })
			choices, whole := plan.Choices()
			require.True(t, whole)
			require.NotZero(t, plan.Steps())
			require.Equal(t, 7, plan.Goroutines(), "five, the body and the root of the bubble")
			plan.Reset(s, seed, []uint64{3})
			explored(t, seed, plan, func(*testing.T) { again = letters(5) })
			require.Equal(t, first, again)
			plan.Reset(ordered.Replay, seed, nil)
			plan.Replay(choices)
			explored(t, seed, plan, func(*testing.T) { replayed = letters(5) })
			require.Equal(t, first, replayed)
			require.Equal(t, len(choices), plan.Applied())
			outcomes[first] = true
		}
		require.Greater(t, len(outcomes), 10, "strategy %d", s)
	}
	plan := ordered.NewPlan(0)
	plan.Reset(ordered.FIFO, 1, nil)
	explored(t, 1, plan, func(t *testing.T) { require.Equal(t, "abcde", letters(5)) })
	choices, _ := plan.Choices()
	require.Empty(t, choices)
}
