package search

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Clopper and Pearson (1934), 95 %: 0 of 10 is up to 0.3085, 1 of 10 is 0.0025 to 0.4450, 10 of 10 from 0.6915.
func TestClopperPearsonOfTheTables(t *testing.T) {
	for k, want := range map[int][2]float64{0: {0, 0.3085}, 1: {0.0025, 0.4450}, 5: {0.1871, 0.8129}, 10: {0.6915, 1}} {
		low, high := clopperPearson(k, 10, 0.95)
		require.InDelta(t, want[0], low, 5e-5)
		require.InDelta(t, want[1], high, 5e-5)
	}
	require.Equal(t, []float64{1, 0}, []float64{binomialUpTo(1, 2, 0), binomialUpTo(1, 2, 1)})
}

// A table has twenty runs that did not hold, and says how many more there are.
func TestTableOfAChance(t *testing.T) {
	for broken, more := range map[int]string{0: "", 1: "", 20: "", 21: "  … and 1 more\n", 30: "  … and 10 more\n"} {
		c := Chance{Runs: 50, Held: 50 - broken}
		for i := range broken {
			trial := Trial{Seed: uint64(i), Reason: "slow"}
			trial.Rate, trial.P50, trial.P99, trial.ErrorRate = 10, time.Millisecond, time.Second, 0.25
			c.Broken = append(c.Broken, trial)
		}
		text := c.String()
		require.Contains(t, text, fmt.Sprintf("held with %d of 50 seeds", 50-broken))
		require.Equal(t, min(broken, 20), strings.Count(text, "slow"))
		require.Equal(t, min(broken, 20), strings.Count(text, "25%"))
		require.Equal(t, more != "", strings.Contains(text, " more\n"))
		require.True(t, strings.HasSuffix(text, more))
	}
}
