package find

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

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
	if s.Resolve != "" {
		steps(s.Story, 3)
		s.Tell(explore.Result{Test: "TestX", Seed: 5, Over: true, Choices: choicesOf(6), Whole: true})
		return
	}
	run := func(seed uint64, trial int, choices []ordered.Choice, fails bool) {
		r := explore.Result{Test: "TestX", Seed: seed, Trial: trial}
		s.Tell(r)
		if s.Story != "" && kind == "fails" {
			steps(s.Story, 2)
		}
		if s.Dump != "" && fails && kind == "dies" {
			must(os.WriteFile(s.Dump, []byte("the plan"), 0o600))
		}
		if slices.ContainsFunc(choices, func(c ordered.Choice) bool { return c.N == 9 }) {
			fmt.Println("panic: another one")
			os.Exit(2)
		}
		if fails && kind == "dies" {
			fmt.Println("fatal error: concurrent map writes")
			os.Exit(2)
		}
		r.Over, r.Steps, r.Goroutines, r.Points, r.Sometimes = true, int(seed), 2, 1, map[string]bool{"full": seed == 3, "empty": false}
		if fails {
			r.Failure, r.Choices, r.Whole = &explore.Failure{Kind: "assertion", Text: "x", Where: "a.go:1"}, choices, kind != "many" || len(s.Trials) > 0
		}
		s.Tell(r)
	}
	for i, t := range s.Trials {
		if t.As.Asked {
			t.Choices = choicesOf(6) // they are made anew
		}
		fails := s.From == 5 && s.To == 6 && slices.ContainsFunc(t.Choices, func(c ordered.Choice) bool { return c.N == 4 })
		run(s.From, i, t.Choices, fails)
		if fails && kind != "twice" {
			return
		}
	}
	if len(s.Trials) > 0 {
		return
	}
	if kind == "outside later" && s.From > 1 {
		program("outside", s)
	}
	for seed := max(s.From, s.Next["TestX"]); seed < s.To; seed += s.Stride {
		if s.Until > 0 && time.Now().UnixMilli() >= s.Until {
			return
		}
		fails := seed%5 == 0
		run(seed, 0, choicesOf(6), fails)
		if fails && !s.All {
			return
		}
	}
}

func choicesOf(n uint64) (all []ordered.Choice) {
	for i := range n {
		all = append(all, ordered.Choice{Goroutine: 1, N: i + 1, Target: 2})
	}
	return all
}

// steps writes so many steps.
func steps(name string, n int) {
	data, err := json.Marshal(explore.Steps{Steps: make([]ordered.Step, n), Whole: true})
	must(err)
	must(os.WriteFile(name, data, 0o600))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// quickEnd has a process under the race detector end at once, and not a second later.
var quickEnd = [2]string{"GORACE", "atexit_sleep_ms=0"}

func searchOf(t *testing.T, kind string, o Options) *Search {
	t.Helper()
	o.Env, o.Temp = append(os.Environ(), "FIND_PROGRAM="+kind, quickEnd[0]+"="+quickEnd[1]), t.TempDir()
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

// With a limit of time no run begins behind it, but the first.
func TestSearchEndsWithItsTime(t *testing.T) {
	for limit, runs := range map[time.Duration]int{0: 4, 1: 1, time.Hour: 4} {
		sum, err := searchOf(t, "fails", Options{Seeds: 4, Procs: 1, For: limit}).Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, runs, sum.Runs, limit)
	}
}

func TestSearchOfNothing(t *testing.T) {
	_, err := searchOf(t, "outside", Options{Seeds: 9, Procs: 1}).Run(t.Context())
	require.EqualError(t, err, "TestX of example.com/x fails outside its bubbles:\nno such file\n")
	_, err = searchOf(t, "outside later", Options{Seeds: 9, Procs: 2}).Run(t.Context())
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
	require.Equal(t, 2, s.trial(t.Context(), f, []explore.Trial{with(1), with(9), with(4)}), "the second ended its process otherwise")
	require.Equal(t, 3, s.trial(t.Context(), f, []explore.Trial{with(9), with(1), with(9, 4), with(4)}))
	require.Equal(t, 0, searchOf(t, "twice", Options{}).trial(t.Context(), f, []explore.Trial{with(4), with(4)}), "the first counts")
	none := searchOf(t, "no bubble", Options{})
	require.Equal(t, -1, none.trial(t.Context(), f, make([]explore.Trial, 5)))
	require.Equal(t, 3, none.serial, "one process, with its three files, shows that there is no bubble")
	told, err := s.Steps(t.Context(), f, with(4))
	require.NoError(t, err)
	require.Len(t, told.Steps, 2)
	_, err = s.Steps(t.Context(), f, with(1))
	require.EqualError(t, err, "TestX does not fail again")
	s.cut = -1
	trial, ok = s.Cut(t.Context(), f)
	require.True(t, ok)
	require.Equal(t, f.Choices, trial.Choices, "no time is left to cut them down")
	s.cut = mostCut
	f.Choices = f.Choices[:3]
	_, ok = s.Cut(t.Context(), f)
	require.False(t, ok, "it does not fail again")
}

// The choices of a run that ended its process are read from what it has left, and so are its steps.
func TestCutDownWhatDies(t *testing.T) {
	s := searchOf(t, "dies", Options{Seeds: 9, Procs: 1})
	sum, err := s.Run(t.Context())
	require.NoError(t, err)
	f := sum.Found[0]
	require.Empty(t, f.Choices)
	trial, ok := s.Cut(t.Context(), f)
	require.True(t, ok)
	require.Len(t, f.Choices, 6)
	require.True(t, f.Whole)
	require.Equal(t, []ordered.Choice{{Goroutine: 1, N: 4, Target: 2}}, trial.Choices)
	told, err := s.Steps(t.Context(), f, trial)
	require.NoError(t, err)
	require.Len(t, told.Steps, 3)
	_, _, ok = s.resolve(t.Context(), f, s.temp("none"))
	require.False(t, ok)
	empty := s.temp("empty")
	must(os.WriteFile(empty, nil, 0o600))
	_, _, ok = s.resolve(t.Context(), f, empty)
	require.False(t, ok)
	other := *f
	other.Failure = &explore.Failure{Kind: "leak"}
	other.known = false
	_, ok = s.Cut(t.Context(), &other)
	require.False(t, ok, "it dies otherwise")
}

// Choices that are too many to keep are made anew, and kept when there are fewer.
func TestCutDownManyChoices(t *testing.T) {
	s := searchOf(t, "many", Options{Seeds: 9, Procs: 1})
	sum, err := s.Run(t.Context())
	require.NoError(t, err)
	require.False(t, sum.Found[0].Whole)
	trial, ok := s.Cut(t.Context(), sum.Found[0])
	require.True(t, ok)
	require.False(t, trial.As.Asked)
	require.Equal(t, []ordered.Choice{{Goroutine: 1, N: 4, Target: 2}}, trial.Choices)
}

func TestOptionsOfASearch(t *testing.T) {
	require.Equal(t, 20*time.Second, New(Target{}, Options{}).Hang)
	require.Equal(t, time.Second, New(Target{}, Options{Hang: time.Second}).Hang)
	s := searchOf(t, "fails", Options{Seeds: 4, For: time.Hour, Procs: 1})
	require.NotEqual(t, s.temp("a"), s.temp("a"))
	t.Setenv(quickEnd[0], quickEnd[1])
	names, err := List(t.Context(), os.Args[0], t.TempDir(), "^TestOptionsOf")
	require.NoError(t, err)
	require.Equal(t, []string{"TestOptionsOfASearch"}, names)
	names, err = List(t.Context(), os.Args[0], t.TempDir(), "")
	require.NoError(t, err)
	require.Contains(t, names, "TestCutDown")
	_, err = List(t.Context(), os.Args[0], t.TempDir(), "(")
	require.ErrorContains(t, err, "-test.list: ")
}
