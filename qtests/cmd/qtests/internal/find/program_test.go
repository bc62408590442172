package find

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/share"
)

func TestMain(m *testing.M) {
	if kind := os.Getenv("FIND_PROGRAM"); kind != "" {
		program(kind, explore.Current())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program is what a search sees of a test: it fails under every fifth seed, by the fourth of its choices.
func program(kind string, s *explore.Session) {
	switch kind {
	case "outside":
		fmt.Println("no such file")
		os.Exit(1)
	case "no bubble":
		return
	}
	run := func(seed uint64, trial int, choices []ordered.Choice, fails bool) {
		r := explore.Result{Test: "TestX", Seed: seed, Trial: trial}
		s.Tell(r)
		if fails && kind == "dies" {
			fmt.Println("fatal error: concurrent map writes")
			os.Exit(2)
		}
		r.Over, r.Steps, r.Goroutines, r.Points, r.Sometimes = true, int(seed), 2, 1, map[string]bool{"full": seed == 3, "empty": false}
		if fails {
			r.Failure, r.Choices, r.Whole = &explore.Failure{Kind: "assertion", Text: "x", Where: "a.go:1"}, choices, true
		}
		s.Tell(r)
	}
	for i, t := range s.Trials {
		fails := slices.ContainsFunc(t.Choices, func(c ordered.Choice) bool { return c.N == 4 })
		run(s.From, i, t.Choices, fails)
		if fails {
			return
		}
	}
	if len(s.Trials) > 0 {
		return
	}
	var choices []ordered.Choice
	for n := range uint64(6) {
		choices = append(choices, ordered.Choice{Goroutine: 1, N: n + 1, Target: 2})
	}
	for seed := max(s.From, s.Next["TestX"]); seed < s.To; seed += s.Stride {
		fails := seed%5 == 0
		run(seed, 0, choices, fails)
		if fails && !s.All {
			return
		}
	}
}

func searchOf(t *testing.T, kind string, o Options) *Search {
	t.Helper()
	o.Env, o.Temp = append(os.Environ(), "FIND_PROGRAM="+kind), t.TempDir()
	var err error
	o.Explore, err = explore.Parse("random")
	require.NoError(t, err)
	return New(Target{Binary: os.Args[0], Dir: t.TempDir(), Package: "example.com/x", Name: "TestX", Pattern: "^TestX$"}, o)
}

// All seeds are run once, whether failures end a process or not.
func TestSearchOfAllSeeds(t *testing.T) {
	for kind, failure := range map[string]string{"fails": "assertion at a.go:1", "dies": "fatal error: concurrent map writes"} {
		var last Status
		var mu sync.Mutex
		s := searchOf(t, kind, Options{Seeds: 23, Procs: 2, All: true, Progress: func(s Status) {
			mu.Lock()
			defer mu.Unlock()
			last = s
		}})
		sum, err := s.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, 23, sum.Runs, kind)
		require.Equal(t, []string{"TestX"}, sum.Tests)
		require.Equal(t, map[string]int{"TestX": 23}, sum.RunsOf)
		require.Equal(t, 2, sum.Goroutines["TestX"])
		require.Len(t, sum.Found, 1)
		f := sum.Found[0]
		require.Equal(t, failure, f.Is())
		require.Equal(t, uint64(5), f.Seed)
		require.Equal(t, 4, f.Count)
		slices.Sort(f.Seeds)
		require.Equal(t, []uint64{5, 10, 15, 20}, f.Seeds)
		require.Equal(t, []string{"TestX: empty"}, sum.Never)
		require.False(t, sum.Stopped)
		require.True(t, last.Finished)
		require.Equal(t, 23, last.Runs)
		require.Equal(t, 1, last.Kinds)
		if kind == "fails" {
			require.Equal(t, 23, sum.Points)
			require.Equal(t, 23, sum.Steps["TestX"])
		} else {
			require.Equal(t, 19, sum.Points, "those that died have told of none")
		}
	}
}

func TestSearchEndsWithAFailure(t *testing.T) {
	for seeds, runs := range map[int]int{1: 1, 4: 4, 5: 5, 1 << 30: 5} {
		sum, err := searchOf(t, "fails", Options{Seeds: seeds, Procs: 1}).Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, runs, sum.Runs, seeds)
		require.Equal(t, seeds >= 5, len(sum.Found) == 1)
	}
	sum, err := searchOf(t, "fails", Options{Seeds: 9, Procs: 2, All: true, Share: share.Share{Index: 2, Of: 2}}).Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1+4, sum.Runs, "the first, and every second one: 2, 4, 6, 8")
}

func TestSearchOfNothing(t *testing.T) {
	_, err := searchOf(t, "outside", Options{Seeds: 9, Procs: 1}).Run(t.Context())
	require.EqualError(t, err, "TestX of example.com/x fails outside its bubbles:\nno such file\n")
	sum, err := searchOf(t, "no bubble", Options{Seeds: 9, Procs: 1}).Run(t.Context())
	require.NoError(t, err)
	require.Zero(t, sum.Runs)
	ended, stop := context.WithCancel(t.Context())
	stop()
	sum, err = searchOf(t, "fails", Options{Seeds: 9, Procs: 1}).Run(ended)
	require.NoError(t, err)
	require.True(t, sum.Stopped)
	require.Zero(t, sum.Runs)
}

// Of six choices the one that the failure needs is left.
func TestCutDown(t *testing.T) {
	s := searchOf(t, "fails", Options{Seeds: 9, Procs: 1})
	sum, err := s.Run(t.Context())
	require.NoError(t, err)
	f := sum.Found[0]
	trial, ok := s.Cut(t.Context(), f)
	require.True(t, ok)
	require.Equal(t, []ordered.Choice{{Goroutine: 1, N: 4, Target: 2}}, trial.Choices)
	with := func(ns ...uint64) (t explore.Trial) {
		for _, n := range ns {
			t.Choices = append(t.Choices, ordered.Choice{N: n})
		}
		return t
	}
	require.Equal(t, 1, s.trial(t.Context(), f, []explore.Trial{with(1), with(4), with(4)}))
	require.Equal(t, -1, s.trial(t.Context(), f, []explore.Trial{with(1), with(2, 3)}))
	require.Equal(t, -1, s.trial(t.Context(), f, nil))
	f.Choices = f.Choices[:3]
	_, ok = s.Cut(t.Context(), f)
	require.False(t, ok, "it does not fail again")
}
