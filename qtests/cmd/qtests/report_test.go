package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/find"
	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/patch"
)

// What a search prints of its numbers and of its failures.
func TestNumbersOfASearch(t *testing.T) {
	pct, err := explore.Parse("pct:3")
	require.NoError(t, err)
	random, err := explore.Parse("random")
	require.NoError(t, err)
	sum := func() *find.Summary {
		return &find.Summary{
			Target: find.Target{Name: "TestShop", Package: "example.com/shop"}, Runs: 2000, Elapsed: 1234567 * time.Microsecond, Points: 1,
			Steps: map[string]int{"TestShop": 10}, Goroutines: map[string]int{"TestShop": 4}, RunsOf: map[string]int{"TestShop": 2000},
		}
	}
	tell := func(sum *find.Summary, spec explore.Spec, points bool) (string, bool) {
		var out bytes.Buffer
		d := &finding{tool: &tool{stdout: &out}, points: points}
		d.tell(sum, spec)
		return out.String(), d.failed
	}
	text, failed := tell(sum(), random, true)
	require.False(t, failed)
	require.Equal(t, "TestShop of example.com/shop: 2,000 runs in 1.235s\n  TestShop: 4 goroutines, 10 steps with a choice\n  no failure\n", text)

	s := sum()
	s.Points, s.Stopped = 0, true
	text, _ = tell(s, pct, true)
	require.Contains(t, text, "in 1.235s, interrupted\n")
	require.Contains(t, text, "; PCT finds a bug of depth 1 with 0.25 a run, 100% in these; 2 with 0.025 a run, 100% in these; 3 with 0.0025 a run, 99% in these\n")
	require.Contains(t, text, "  no point was passed")
	text, _ = tell(s, pct, false)
	require.NotContains(t, text, "no point")

	s = sum()
	s.Found = []*find.Found{
		{Failure: &explore.Failure{Kind: "panic", Text: "x", Where: "cart.go:31"}, Test: "TestShop", Seed: 7, Count: 1},
		{Failure: &explore.Failure{Kind: "deadlock", Text: "y"}, Test: "TestShop", Seed: 8, Count: 1200},
	}
	text, failed = tell(s, random, true)
	require.False(t, failed, "it is noted where the failures are told")
	require.True(t, strings.HasSuffix(text, "  FAIL TestShop: panic at cart.go:31: x, first with seed 7\n  FAIL TestShop: deadlock: y, first with seed 8\n       1,200 of 2,000 runs\n"), text)
	s = sum()
	s.Never = []string{"TestShop: full"}
	text, failed = tell(s, random, true)
	require.True(t, failed)
	require.True(t, strings.HasSuffix(text, "\n  FAIL TestShop: full was never true\n"), text)
}

func TestWhatIsLeftOfAFailure(t *testing.T) {
	f := &find.Found{Choices: make([]ordered.Choice, 9)}
	require.Equal(t, "from 9 to 1 choice other than first come, first served", cutDown(f, explore.Trial{Choices: make([]ordered.Choice, 1)}))
	require.Equal(t, "from 12,345 to 1,000 choices other than first come, first served, and from 1,000 to 0 faults", cutDown(
		&find.Found{Choices: make([]ordered.Choice, 12345), Inputs: &inputs.Inputs{Faults: make([]inputs.Fault, 1000)}},
		explore.Trial{Choices: make([]ordered.Choice, 1000), Inputs: new(inputs.Inputs)}))
	as, err := explore.Parse("random")
	require.NoError(t, err)
	require.Contains(t, cutDown(f, explore.Trial{As: as}), "with its choices as they are, which are too many to keep: random")
	f.Inputs = &inputs.Inputs{Faults: make([]inputs.Fault, 3)}
	left := explore.Trial{Inputs: &inputs.Inputs{Faults: make([]inputs.Fault, 1), Loads: []inputs.Load{{Name: "whole", N: 1, Scale: 1}, {Name: "x", N: 1, Scale: 0.5}}}}
	require.Equal(t, "from 9 to 0 choices other than first come, first served, and from 3 to 1 fault; x, at scale 0.5", cutDown(f, left))
	f.Inputs.Faults = nil
	require.NotContains(t, cutDown(f, left), "fault")
	require.Equal(t, "-points -race -tags=a,b ", (&finding{points: true, build: []string{"-race=true", "-tags=a,b"}}).flags())
	require.Empty(t, (&finding{}).flags())
}

// What find is asked for, and what it takes where nothing is said.
func TestFlagsOfFind(t *testing.T) {
	for _, c := range []struct {
		args  string
		seeds int
		limit time.Duration
		pkgs  string
	}{
		{"", 1000, 0, "."}, {"-seeds=7 ./a ./b", 7, 0, "./a ./b"}, {"-for=1s", 1 << 40, time.Second, "."}, {"-for=1s -seeds=5", 5, time.Second, "."}, {"-p=1", 1000, 0, "."},
	} {
		d, err := new(tool).parseFind(strings.Fields(c.args))
		require.NoError(t, err, c.args)
		require.Equal(t, c.seeds, d.seeds, c.args)
		require.Equal(t, c.limit, d.limit, c.args)
		require.Equal(t, c.pkgs, strings.Join(d.patterns, " "), c.args)
		require.True(t, d.points)
	}
	for args, want := range map[string]string{
		"-seeds=-1": "take positive numbers", "-for=-1s": "take positive numbers", "-p=0": "take positive numbers", "-explore=x": "find: -explore: ", "-nope": "find: flag provided but not defined",
	} {
		_, err := new(tool).parseFind([]string{args})
		require.ErrorContains(t, err, want)
		require.ErrorIs(t, err, errUsage)
	}
	_, err := new(tool).parseFind([]string{"-h"})
	require.ErrorIs(t, err, flag.ErrHelp)
}

func TestMergeSaysWhatIsWrong(t *testing.T) {
	var out, say bytes.Buffer
	m := &tool{stdout: &out, stderr: &say}
	for _, args := range [][]string{nil, {"a", "b"}, {"-nope"}} {
		_, err := m.merge(args)
		require.ErrorIs(t, err, errUsage, args)
	}
	_, err := m.merge([]string{filepath.Join(t.TempDir(), "none")})
	require.Error(t, err)
	require.NotErrorIs(t, err, errUsage)
	require.Empty(t, out.String()+say.String())
	require.Equal(t, "b", under("", "b"))
	require.Equal(t, filepath.Join("a", "b"), under("a", "b"))
	absolute, err := filepath.Abs("b")
	require.NoError(t, err)
	require.Equal(t, absolute, under("a", absolute))
}

func TestProgressOfACompilation(t *testing.T) {
	var say bytes.Buffer
	p := &progress{tool: &tool{stderr: &say}, version: "go1.26", total: 120}
	for range 2 * progressEvery {
		p.compiling()
	}
	require.Equal(t, "qtests: compiling the standard library of go1.26 for the ordered runtime, once …\nqtests: 50 of 120 packages\nqtests: 100 of 120 packages\n", say.String())
}

func TestPlacesOfTheDoctor(t *testing.T) {
	places := []patch.Place{{File: "runtime/a.go", What: "a hook"}, {File: "runtime/b.go", What: "a call", Line: 7}, {File: "runtime/c.go", What: "a field", Err: errors.New("is not there")}}
	require.Equal(t, "changes   fit, at 2 places\n  fits    runtime/a.go  a hook\n  fits    runtime/b.go:7  a call\n", aboutPlaces(places[:2], nil))
	require.Equal(t, "changes   do not fit: no\n  misfit  runtime/c.go  a field: is not there\n", aboutPlaces(places[2:], errors.New("no")))
}

func TestFilesAreWrittenWhole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a", "b", "c.txt")
	require.NoError(t, writeFile(name, func(w *os.File) error { _, err := w.WriteString("x"); return err }))
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "x", string(text))
	full := errors.New("full")
	require.ErrorIs(t, writeFile(name, func(*os.File) error { return full }), full)
	require.ErrorIs(t, writeFile(name, func(w *os.File) error { return w.Close() }), os.ErrClosed)
	require.Error(t, writeFile(filepath.Join(name, "d"), nil), "its directory is a file")
	require.Error(t, writeFile(filepath.Dir(name), nil), "it is a directory")
}
