package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/find"
	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

func init() { roles["searched"] = playSearched }

// playSearched is a binary of tests that a search runs, of the kind that its directory is called. Every fifth seed fails, by the
// second of its two choices.
func playSearched() int {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	s, kind := explore.Current(), filepath.Base(dir)
	if kind == "no bubble" {
		return 0
	}
	run := func(seed uint64, trial int, fails bool) {
		r := explore.Result{Test: "TestX", Seed: seed, Trial: trial}
		s.Tell(r)
		if s.Story != "" && kind != "no steps" {
			steps, err := json.Marshal(explore.Steps{Whole: true})
			if err == nil {
				err = os.WriteFile(s.Story, steps, 0o600)
			}
			if err != nil {
				panic(err)
			}
		}
		r.Over, r.Steps, r.Goroutines, r.Points, r.Sometimes = true, 10, 2, 1, map[string]bool{"full": kind != "never"}
		if fails {
			r.Failure, r.Choices, r.Whole = &explore.Failure{Kind: "assertion", Text: "x", Where: "a.go:1"}, []ordered.Choice{{Goroutine: 1, N: 3, Target: 2}, {Goroutine: 1, N: 4, Target: 2}}, true
			if kind == "many" {
				r.Failure.Where = fmt.Sprintf("a.go:%d", seed)
			}
		}
		s.Tell(r)
	}
	for i, t := range s.Trials {
		fails := kind != "stubborn" && slices.ContainsFunc(t.Choices, func(c ordered.Choice) bool { return c.N == 4 })
		if run(s.From, i, fails); fails {
			break
		}
	}
	for seed := max(s.From, s.Next["TestX"]); seed < s.To && s.Trials == nil; seed += s.Stride {
		fails := seed%5 == 0 && kind != "passes" && kind != "never" || kind == "many"
		if run(seed, 0, fails); fails && !s.All {
			break
		}
	}
	return 0
}

// A searching is a search of such binaries, one for each kind.
type searching struct {
	status   int
	err      error
	out, say string
	output   string // its directory
}

func searchOf(t *testing.T, ctx context.Context, set func(*finding), kinds ...string) (s searching) {
	t.Helper()
	var out, say bytes.Buffer
	s.output = t.TempDir()
	d := &finding{tool: &tool{stdout: &out, stderr: &say}, points: true, seeds: 9, procs: 1, explore: "random", output: s.output, temp: t.TempDir()}
	if set != nil {
		set(d)
	}
	var targets []find.Target
	for _, kind := range kinds {
		dir := filepath.Join(t.TempDir(), kind)
		require.NoError(t, os.Mkdir(dir, 0o755))
		targets = append(targets, find.Target{Binary: os.Args[0], Dir: dir, Package: "example.com/" + kind, Name: "TestX", Pattern: "^TestX$"})
	}
	s.status, s.err = d.searchAll(ctx, targets, append(plainEnviron(), roleVar+"=searched", "GORACE=atexit_sleep_ms=0"))
	s.out, s.say = out.String(), say.String()
	return s
}

// TestSearchesOneAfterTheOther: up to the first failure, or all of them.
func TestSearchesOneAfterTheOther(t *testing.T) {
	all := func(d *finding) { d.all = true }
	for _, c := range []struct {
		set      func(*finding)
		kinds    string
		status   int
		searched string
		told     int
	}{
		{nil, "passes", 0, "passes", 0},
		{nil, "no bubble,passes", 0, "passes", 0},
		{nil, "fails,passes", 1, "fails", 1},
		{nil, "never,passes", 1, "never", 0},
		{all, "fails,passes", 1, "fails,passes", 1},
		{nil, "many", 1, "many", 1},
		{all, "many", 1, "many", mostTold},
	} {
		s := searchOf(t, t.Context(), c.set, strings.Split(c.kinds, ",")...)
		require.NoError(t, s.err, c.kinds)
		require.Equal(t, c.status, s.status, c.kinds)
		var searched []string
		for line := range strings.Lines(s.out) {
			if kind, ok := strings.CutPrefix(line, "TestX of example.com/"); ok {
				searched = append(searched, kind[:strings.IndexByte(kind, ':')])
			}
		}
		require.Equal(t, c.searched, strings.Join(searched, ","))
		require.Equal(t, c.told, strings.Count(s.out, "\nto keep it as a test: copy "), s.out)
		require.Equal(t, c.told > 0, strings.Contains(s.out, "\nrepeat: "), "what comes last")
		require.Equal(t, strings.Contains(c.searched, "passes"), strings.Contains(s.out, "  no failure\n"))
	}
	s := searchOf(t, t.Context(), nil, "no bubble")
	require.EqualError(t, s.err, "no test that -run names opens a bubble with qtests.Run: there is nothing to search")
	require.Empty(t, s.out)
	ended, stop := context.WithCancel(t.Context())
	stop()
	s = searchOf(t, ended, nil, "passes")
	require.NoError(t, s.err)
	require.Equal(t, 1, s.status, "an interrupt before the first run")
}

// TestWhatASearchLeaves: files that repeat and tell the failure, and the line that repeats it.
func TestWhatASearchLeaves(t *testing.T) {
	s := searchOf(t, t.Context(), nil, "fails")
	base := filepath.Join(s.output, "TestX", "TestX")
	require.Regexp(t, `^TestX of example.com/fails: 5 runs in \S+\n  TestX: 2 goroutines, 10 steps with a choice\n  FAIL TestX: assertion at a.go:1: x, first with seed 5\n\n`+
		`TestX: assertion at a.go:1, cut down from 2 to 1 choice other than first come, first served\n  => assertion: x\nthe same as a drawing: \S+/TestX.html\n`, s.out)
	require.True(t, strings.HasSuffix(s.out, "\nrepeat: go tool qtests test -points example.com/fails -run '^TestX$' -qtests.replay="+base+".choices\n"), s.out)
	require.Empty(t, s.say)
	f, err := explore.ReadFile(base + ".choices")
	require.NoError(t, err)
	require.Equal(t, explore.File{
		Test: "TestX", Seed: 5, Notes: []string{"example.com/fails", "assertion at a.go:1", "found with seed 5, random, and cut down from 2 choices"},
		Trial: explore.Trial{Choices: []ordered.Choice{{Goroutine: 1, N: 4, Target: 2}}},
	}, f)
	for _, end := range []string{".txt", ".html"} {
		require.FileExists(t, base+end)
	}

	s = searchOf(t, t.Context(), nil, "stubborn")
	require.Equal(t, 1, s.status)
	require.True(t, strings.HasSuffix(s.out, "\nrepeat: go tool qtests test -points example.com/stubborn -run '^TestX$' -qtests.seed=5 -qtests.explore=random\n"), s.out)

	s = searchOf(t, t.Context(), nil, "no steps")
	require.Equal(t, 1, s.status)
	require.Equal(t, "qtests: no account of TestX: TestX ended its process, and left no steps\n", s.say)
	require.NotContains(t, s.out, "a drawing")

	for _, taken := range []string{"TestX", filepath.Join("TestX", "TestX.txt", "x"), filepath.Join("TestX", "TestX.html", "x")} {
		s = searchOf(t, t.Context(), func(d *finding) { put(t, filepath.Join(d.output, taken), "a file or a directory is in the way") }, "fails")
		if taken == "TestX" {
			require.ErrorContains(t, s.err, "TestX", "no directory can be there")
		} else {
			require.Contains(t, s.say, "qtests: no account of TestX: ", taken)
			require.NotContains(t, s.out, "a drawing")
		}
	}
}

func TestSearchThatCannotBegin(t *testing.T) {
	s := searchOf(t, t.Context(), func(d *finding) { d.explore = "lifo" }, "passes")
	require.ErrorContains(t, s.err, `"lifo" is none of`)
	s = searchOf(t, t.Context(), func(d *finding) { d.temp = filepath.Join(d.temp, "none") }, "passes")
	require.ErrorIs(t, s.err, os.ErrNotExist)
	require.Empty(t, s.out)
}

// TestProgressOfASearch: at once, and then with five seconds in between.
func TestProgressOfASearch(t *testing.T) {
	var say bytes.Buffer
	tell := (&finding{tool: &tool{stderr: &say}}).progress()
	for _, at := range []time.Duration{500 * time.Millisecond, 5499 * time.Millisecond, 5500 * time.Millisecond, 6 * time.Second} {
		tell(find.Status{Test: "TestX", Runs: int(at / time.Millisecond * 2), Kinds: 1 + int(at/(5*time.Second)), Elapsed: at})
	}
	tell(find.Status{Test: "TestX", Runs: 60000, Kinds: 2, Elapsed: 30 * time.Second, Finished: true})
	require.Equal(t, "qtests: TestX: 1,000 runs, 1 kind of failure, 2,000/s\nqtests: TestX: 11,000 runs, 2 kinds of failure, 2,000/s\n", say.String())
}

// TestTestsOfABinary: -run is cut at the first slash, as go test does.
func TestTestsOfABinary(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	for run, want := range map[string]find.Target{
		"^TestPlayed$":        {Name: "TestPlayed", Pattern: "^TestPlayed$"},
		"^TestPlayed$/^a$/b":  {Name: "TestPlayed", Pattern: "^TestPlayed$/^a$/b"},
		"^TestNoneIsCalledSo": {},
	} {
		dir := t.TempDir()
		all, err := (&finding{run: run}).tests(t.Context(), os.Args[0], dir, "example.com/x")
		require.NoError(t, err)
		if want.Name == "" {
			require.Empty(t, all)
			continue
		}
		want.Binary, want.Dir, want.Package = os.Args[0], dir, "example.com/x"
		require.Equal(t, []find.Target{want}, all)
	}
	_, err := new(finding).tests(t.Context(), filepath.Join(t.TempDir(), "none"), t.TempDir(), "x")
	require.Error(t, err)
}

var errFull = errors.New("full")

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
