package search

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/ctrlc"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestCapacityFindsTheEdge(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		// Two places of 10 ms each serve exactly 200/s.
		a := Capacity(q, Levels{Low: 10, High: 1000, Precision: 0.01, Runs: 1}, func(rate float64) load.Scenario {
			return load.Scenario{Traffic: traffic.Rate(rate).For(20 * time.Second), MaxInFlight: 2, Overflow: load.Queue, Do: serve(10 * time.Millisecond),
				Thresholds: []string{"p(99)<50ms"}}
		})
		require.True(q, a.Found)
		require.LessOrEqual(q, a.Level, 201.0)
		require.Greater(q, a.Next, 200.0)
		require.InDelta(q, 200, a.Level, 3)
		require.Contains(q, a.String(), "p(99)<50ms broken")
	})
	qtests.Run(t, func(q *qtests.T) {
		smallest := Capacity(q, Levels{Low: 1, High: 64, Smallest: true, Whole: true, Runs: 1}, func(size float64) load.Scenario {
			return load.Scenario{Traffic: traffic.Rate(450).For(10 * time.Second), MaxInFlight: int(size), Overflow: load.Queue, Do: serve(10 * time.Millisecond),
				Thresholds: []string{"max<=12ms"}}
		})
		require.Equal(q, 5.0, smallest.Level)
		require.Equal(q, 4.0, smallest.Next)
		all := Capacity(q, Levels{Low: 1, High: 2}, func(rate float64) load.Scenario {
			return load.Scenario{Traffic: traffic.Rate(rate).For(10 * time.Second), Do: serve(0), Thresholds: []string{"errors<1%"}}
		})
		require.Zero(q, all.Next)
		require.Equal(q, 2.0, all.Level)
		none := Capacity(q, Levels{Low: 1, High: 2}, func(rate float64) load.Scenario {
			return load.Scenario{Traffic: traffic.Rate(rate).For(10 * time.Second), Do: serve(time.Second), Thresholds: []string{"p(50)<1ms"}}
		})
		require.False(q, none.Found)
	})
}

// edge is a system that keeps its threshold up to a level, or with a seed of its own
// from there.
func edge(kept func(level float64, u *load.User) bool) func(float64) load.Scenario {
	return func(level float64) load.Scenario {
		return load.Scenario{Traffic: traffic.Rate(10).For(time.Second), Thresholds: []string{"errors<1%"}, Do: func(_ context.Context, u *load.User) error {
			if !kept(level, u) {
				return errors.New("over the edge")
			}
			return nil
		}}
	}
}

func below(limit float64) func(float64) load.Scenario {
	return edge(func(level float64, _ *load.User) bool { return level < limit })
}

func capacity(t *testing.T, s Levels, at func(float64) load.Scenario) (a Answer) {
	t.Helper()
	qtests.Run(t, func(q *qtests.T) { a = Capacity(q, s, at) })
	return a
}

func TestCapacityHasThePrecisionAskedFor(t *testing.T) {
	for _, precision := range []float64{0, 0.5, 0.2, 0.02, 1e-6} {
		a := capacity(t, Levels{Low: 1, High: 1000, Precision: precision, Runs: 1}, below(200))
		if precision == 0 {
			precision = 0.05
		}
		require.Less(t, a.Level, 200.0)
		require.GreaterOrEqual(t, a.Next, 200.0)
		require.LessOrEqual(t, a.Next-a.Level, precision*a.Level)
		// The last but one step was not close enough: the range is halved and no more.
		require.Greater(t, a.Next-a.Level, precision*a.Level/4, "%v in %d trials", precision, len(a.Trials))
		require.Equal(t, precision, a.Levels.Precision)
	}
}

func TestCapacityRunsEachLevelAsOftenAsAsked(t *testing.T) {
	for _, runs := range []int{0, 1, 3} {
		a := capacity(t, Levels{Low: 100, High: 300, Precision: 0.5, Runs: runs}, below(200))
		want := runs
		if runs == 0 {
			want = DefaultRuns
		}
		byLevel := map[float64][]Trial{}
		for _, trial := range a.Trials {
			byLevel[trial.Level] = append(byLevel[trial.Level], trial)
		}
		require.Len(t, byLevel[100], want, "all runs of a level that is kept")
		require.Len(t, byLevel[300], 1, "and one of a level that is not")
		for i, trial := range byLevel[100] {
			require.Equal(t, byLevel[100][0].Seed+uint64(i), trial.Seed, "seeds of their own")
			require.Equal(t, i == want-1, trial.Result != nil, "only the last result is kept")
			require.EqualValues(t, 10, trial.Rate)
		}
		require.Equal(t, want, a.Levels.Runs)
		require.InDelta(t, 0.05, math.Pow(1-a.Risk, float64(want)), 1e-12)
	}
	// From 200 on, the system breaks for one seed only, the seed of the third run.
	for runs, found := range map[int]bool{2: false, 3: true} {
		n := map[float64]uint64{}
		a := capacity(t, Levels{Low: 100, High: 300, Precision: 0.5, Runs: runs}, func(level float64) load.Scenario {
			s := below(1000)(level)
			n[level]++
			broken := level >= 200 && n[level] == 3
			s.Do = func(context.Context, *load.User) error {
				if broken {
					return errors.New("one seed in three")
				}
				return nil
			}
			return s
		})
		require.Equal(t, found, a.Next != 0)
	}
}

func TestCapacitySaysHowSureItIs(t *testing.T) {
	a := capacity(t, Levels{Low: 100, High: 300, Precision: 0.1}, below(200))
	require.Regexp(t, `^capacity: 1\d\d.* is kept, 2\d\d.* is not\n  within 10 %, 5 runs a level\n  1\d\d.* was kept with all 5 seeds tried; of all other seeds, with 95 % confidence, at most 45 % break it\n  \(this bound is .* raise Runs to be surer, to 59 for 5 %\)\n`, a.String())
	a = capacity(t, Levels{Low: 1, High: 9, Whole: true, Runs: 59}, below(4))
	require.Contains(t, a.String(), "capacity: 3 is kept, 4 is not\n  in whole numbers, 59 runs a level\n  3 was kept with all 59 seeds tried; of all other seeds, with 95 % confidence, at most 5 % break it\n")
	require.NotContains(t, a.String(), "raise Runs", "there is no need to")

	all, no := below(1e9), below(0)
	for _, tt := range []struct {
		smallest bool
		at       func(float64) load.Scenario
		want     string
	}{
		{false, all, "capacity: every level tried was kept, up to 2, the highest of the search: raise High to find one that is not\n"},
		{true, all, "capacity: every level tried was kept, down to 1, the lowest of the search: lower Low to find one that is not\n"},
		{false, no, "capacity: no level was kept, not even 1, the lowest of the search: lower Low to find one that is\n"},
		{true, no, "capacity: no level was kept, not even 2, the highest of the search: raise High to find one that is\n"},
	} {
		text := capacity(t, Levels{Low: 1, High: 2, Smallest: tt.smallest, Runs: 1}, tt.at).String()
		require.Contains(t, text, tt.want)
		require.Contains(t, text, "\n  within 5 %, 1 run a level\n")
	}
	a = capacity(t, Levels{Low: 1, High: 2, Smallest: true, Whole: true, Runs: 1}, all)
	require.Contains(t, a.String(), "every level tried was kept, down to 1, the smallest whole number\n")
	require.Contains(t, a.String(), "  1 was kept with the one seed tried;")
	require.Contains(t, Answer{}.String(), "capacity: nothing was tried\n")
}

// TestCapacityShowsWhatWasDropped: a system that drops what it cannot serve has
// no errors.
func TestCapacityShowsWhatWasDropped(t *testing.T) {
	drops := func(rate float64) load.Scenario {
		return load.Scenario{Traffic: traffic.Rate(rate).For(10 * time.Second), MaxInFlight: 1, Do: serve(10 * time.Millisecond), Thresholds: []string{"dropped==0"}}
	}
	a := capacity(t, Levels{Low: 50, High: 200, Runs: 1, Precision: 0.5}, drops)
	require.Equal(t, 0.6665, a.Trials[1].Dropped, "each that is served keeps two out")
	require.Regexp(t, ` errors  dropped  why not\n`, a.String())
	require.Regexp(t, `  200 .* broken .* 0% +66.6%  dropped==0 `, a.String())
	require.NotContains(t, capacity(t, Levels{Low: 50, High: 200, Runs: 1, Precision: 0.5}, below(100)).String(), "dropped", "nothing was")
}

func TestCapacityInWholeNumbers(t *testing.T) {
	for _, smallest := range []bool{false, true} {
		a := capacity(t, Levels{Low: 1.5, High: 9.7, Whole: true, Smallest: smallest, Runs: 1},
			edge(func(level float64, _ *load.User) bool { return smallest != (level < 5) }))
		for _, trial := range a.Trials {
			require.Equal(t, float64(int(trial.Level)), trial.Level)
			require.True(t, trial.Level >= 2 && trial.Level <= 9)
		}
		require.Equal(t, map[bool][2]float64{false: {4, 5}, true: {5, 4}}[smallest], [2]float64{a.Level, a.Next})
	}
}

func TestCapacityRunsUnscaled(t *testing.T) {
	atScale(t, "0.1")
	a := capacity(t, Levels{Low: 10, High: 1000, Precision: 0.2, Runs: 1}, func(rate float64) load.Scenario {
		return load.Scenario{Traffic: traffic.Rate(rate).For(5 * time.Second), MaxInFlight: 2, Overflow: load.Queue, Do: serve(10 * time.Millisecond), Thresholds: []string{"p(99)<50ms"}}
	})
	require.InDelta(t, 200, a.Level, 40)
	require.Equal(t, 1.0, a.Trials[0].Result.Scale)
}

func TestCapacityEndsWhereARunIsNoAnswer(t *testing.T) {
	levels := Levels{Low: 1, High: 2}
	runs := 0
	rec := tbtest.Run("interrupted", func(tb *tbtest.TB) {
		Capacity(tb, levels, func(float64) load.Scenario {
			runs++
			return load.Scenario{Traffic: traffic.Rate(1e5).For(time.Hour), Thresholds: []string{"errors<1%"}, Do: func(_ context.Context, u *load.User) error {
				if u.ID() == 50 {
					return ctrlc.Press()
				}
				return nil
			}}
		})
		require.Fail(t, "it went on")
	})
	require.Contains(t, rec.Errors(), "load: Capacity: level 1, seed 1: the run ended early, at ")
	require.Contains(t, rec.Errors(), "interrupt: ended by the user")
	require.Equal(t, 1, runs)
	require.Contains(t, rec.Logs()[0], "capacity: no answer\n")

	// An error of a user ends the run, too, and is no threshold.
	out := in(t, func(q *qtests.T, tb tb.TB) {
		Capacity(tb, levels, func(float64) load.Scenario {
			return load.Scenario{Clock: q.Clock(), Traffic: traffic.Users(1).For(time.Minute), Pacing: time.Second, Thresholds: []string{"errors<1%"}, Do: serve(0),
				NewUser: func(context.Context, *load.User) error { return errors.New("no account") }}
		})
	})
	require.Contains(t, out.Errors(), "no account")

	// A threshold that aborts is an answer, and so is a panic.
	a := capacity(t, Levels{Low: 1, High: 2, Runs: 1}, func(level float64) load.Scenario {
		s := below(2)(level)
		s.Traffic, s.Thresholds = traffic.Rate(10).For(time.Minute), []string{"errors<1% abort"}
		return s
	})
	require.Equal(t, 2.0, a.Next)
	require.Less(t, a.Trials[1].Result.Elapsed, time.Minute)
	a = capacity(t, Levels{Low: 1, High: 2, Runs: 1}, func(level float64) load.Scenario {
		s := below(3)(level)
		s.Thresholds = []string{"p(99)<1s"}
		s.Do = func(context.Context, *load.User) error {
			if level == 2 {
				panic("boom")
			}
			return nil
		}
		return s
	})
	require.Contains(t, a.String(), "code of the scenario panicked 10 times")
}

func TestCapacityMindsASlowGenerator(t *testing.T) {
	kept := result.Result{Thresholds: []result.Verdict{{Pass: true}}, Warning: "the load generator was the bottleneck"}
	require.Empty(t, noAnswer(&kept), "a warning is one")
	trial := newTrial(1, &kept)
	require.True(t, trial.Kept)
	trial.Seed, trial.Note = 7, kept.Warning+strings.Repeat("; use a faster machine", 9)
	text := Answer{Trials: []Trial{{Level: 2}, trial, trial}}.table()
	require.Regexp(t, `kept \* +0/s +0s +0s +0%\n`, text)
	require.True(t, strings.HasSuffix(text, "  * a warning, in 2 of 3 runs; at level 1, seed 7: "+trial.Note+"\n"), "below, and in full: %s", text)
	kept.Slow = true
	require.Equal(t, kept.Warning, noAnswer(&kept))
}

func TestSearchesWithoutMeaning(t *testing.T) {
	for want, s := range map[string]Levels{
		"Levels.Low, High: 2, 1":        {Low: 2, High: 1},
		"Levels.Low, High: NaN, 1":      {Low: math.NaN(), High: 1},
		"Levels.Low, High: 2, 1:":       {Low: 1.2, High: 1.9, Whole: true},
		"Precision: 1e-17 is not":       {Low: 1, High: 2, Precision: 1e-17},
		"Precision: 1 is not":           {Low: 1, High: 2, Precision: 1},
		"Precision: 0.1 has no meaning": {Low: 1, High: 2, Precision: 0.1, Whole: true},
		"Runs: -1 is not":               {Low: 1, High: 2, Runs: -1},
		"Runs: 1001 is not":             {Low: 1, High: 2, Runs: 1001},
	} {
		_, err := s.withDefaults()
		require.ErrorContains(t, err, want)
	}
}
