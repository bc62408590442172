package search

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// Values of R's binom.test(k, n)$conf.int; of 0 and n in n there is a closed form, 1 - (0.05/2)^(1/n).
func TestClopperPearson(t *testing.T) {
	for _, tc := range []struct {
		k, n      int
		low, high float64
	}{
		{0, 10, 0, 0.3084971}, {10, 10, 0.6915029, 1}, {5, 10, 0.1870860, 0.8129140}, {1, 1, 0.025, 1}, {95, 100, 0.8871651, 0.9835681},
	} {
		low, high := clopperPearson(tc.k, tc.n, 0.95)
		require.InDelta(t, tc.low, low, 1e-6, "%+v", tc)
		require.InDelta(t, tc.high, high, 1e-6, "%+v", tc)
	}
	// Many runs: the interval is the normal distribution's, near enough.
	low, high := clopperPearson(9000, 10_000, 0.95)
	require.InDelta(t, 0.9-1.96*0.003, low, 3e-4)
	require.InDelta(t, 0.9+1.96*0.003, high, 3e-4)
}

// oddSeeds has thresholds that hold for seeds which are no multiple of four.
func oddSeeds(seed uint64) load.Scenario {
	return load.Scenario{Traffic: traffic.Rate(1).For(2 * time.Second), Thresholds: []string{"errors==0"}, Do: func(context.Context, *load.User) error {
		if seed%4 == 0 {
			return errors.New("unlucky")
		}
		return nil
	}}
}

func TestSweep(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		c := Sweep(q, 40, oddSeeds)
		require.Equal(q, []int{30, 40, 10}, []int{c.Held, c.Runs, len(c.Broken)})
		require.Equal(q, 0.75, c.Share())
		require.True(q, c.Low < 0.6 && c.Low > 0.55 && c.High < 0.9, "%v", c)
		require.Contains(q, c.String(), "chance: held with 30 of 40 seeds, 75%; of all seeds, with 95 % confidence, from 58.8% to 87.31%\n")
		require.Contains(q, c.String(), "errors==0 broken: 2")
		require.EqualValues(q, 4, c.Broken[0].Seed)
		again := Sweep(q, 40, oddSeeds)
		require.Equal(q, c, again, "it repeats")
	})
}

func TestSweepsThatTellNothing(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		for want, sweep := range map[string]func(t tb.TB){
			"load: Sweep: -1 seeds: want 1 to 10000": func(t tb.TB) { Sweep(t, -1, oddSeeds) },
			"load: Sweep: the scenario has no thresholds to hold": func(t tb.TB) {
				Sweep(t, 1, func(uint64) load.Scenario { return load.Scenario{} })
			},
		} {
			rec := tbtest.Run("sweep", func(t *tbtest.TB) { sweep(t) })
			require.Equal(q, want, rec.Errors())
		}
	})
}
