package find

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/share"
)

// TestDeaths reads how processes end, from what Go prints.
func TestDeaths(t *testing.T) {
	const stack = "\n\ngoroutine 7 [running]:\nsync.fatal({0x1, 0x2})\n\t/usr/local/go/src/runtime/panic.go:1 +0x18\nshop.qtestsD()\n\t/home/me/shop/zz_qtests_points.go:40 +0x1\n" +
		"shop.(*Cart).Add(...)\n\t/home/me/shop/cart.go:31 +0x2\nshop.work()\n\t/home/me/shop/cart_test.go:12 +0x3\n"
	for output, want := range map[string]explore.Failure{
		"log\nfatal error: concurrent map writes" + stack:                {Kind: "fatal error", Text: "concurrent map writes", Where: "cart.go:31"},
		"panic: close of closed channel [recovered, repanicked]" + stack: {Kind: "panic", Text: "close of closed channel", Where: "cart.go:31"},
		"=== RUN   TestX\npanic: x [recovered]\n\tpanic: y" + stack:      {Kind: "panic", Text: "x", Where: "cart.go:31"},
		"nothing of the kind":                     {Kind: "death", Text: "the process ended in the middle of the run, with the status 0"},
		"\npanic: x\n":                            {Kind: "panic", Text: "x"},
		"panic:  [recovered, repanicked]" + stack: {Kind: "panic", Where: "cart.go:31"},
		"a panic: in a sentence\nfatal error: sync: unlock of unlocked mutex\n": {Kind: "fatal error", Text: "sync: unlock of unlocked mutex"},
	} {
		got := death([]byte(output), nil)
		require.True(t, strings.HasSuffix(output, got.Full))
		got.Full = ""
		require.Equal(t, want, *got, output)
	}
	t.Setenv(quickEnd[0], quickEnd[1])
	err := exec.Command(os.Args[0], "-test.nope").Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	require.True(t, ok, err)
	require.Equal(t, "exit status 2", death(nil, exit).Text)
}

// TestTakes: of one kind of failure the least seed is kept, with what belongs to it.
func TestTakes(t *testing.T) {
	s := New(Target{}, Options{})
	spec := explore.Spec{Depth: 3, Steps: 7}
	fails := func(seed uint64, where string) bool {
		return s.take(explore.Result{Test: "T", Seed: seed, Over: true, Steps: int(seed), Goroutines: 2, Points: 1, Whole: true,
			Failure: &explore.Failure{Kind: "assertion", Where: where}, Sometimes: map[string]bool{"full": seed == 5, "empty": false}}, spec)
	}
	require.True(t, fails(9, "a.go:1"))
	require.True(t, fails(5, "a.go:1"))
	require.True(t, fails(7, "a.go:1"))
	require.True(t, fails(8, "a.go:2"))
	require.False(t, s.take(explore.Result{Test: "T", Seed: 3, Over: true}, spec))
	require.Len(t, s.summary.Found, 2)
	f := s.summary.Found[0]
	require.Equal(t, []any{uint64(5), 3, []uint64{9, 5, 7}, true}, []any{f.Seed, f.Count, f.Seeds, f.known})
	require.Equal(t, 5, s.summary.Runs)
	require.Equal(t, map[string]int{"T": 9}, s.summary.Steps)
	require.Equal(t, 4, s.summary.Points)
	require.Equal(t, map[string]bool{"T: full": true, "T: empty": false}, s.sometimes)
}

// However often a test fails, so many seeds are kept.
func TestSeedsThatAreKept(t *testing.T) {
	s := New(Target{}, Options{})
	for seed := range uint64(mostSeeds + 2) {
		s.take(explore.Result{Test: "T", Seed: seed + 1, Over: true, Failure: &explore.Failure{Kind: "leak"}}, explore.Spec{})
	}
	require.Equal(t, mostSeeds+2, s.summary.Found[0].Count)
	require.Len(t, s.summary.Found[0].Seeds, mostSeeds)
}

// TestPatterns: a failure is looked at in its own test alone.
func TestPatterns(t *testing.T) {
	s := New(Target{Pattern: "^TestX$"}, Options{Temp: t.TempDir()})
	require.Equal(t, "^TestX$", s.worker(explore.Session{}).pattern)
	require.Equal(t, `^TestX$/^a\.b$`, s.workerFor(&Found{Test: "TestX/a.b"}, explore.Session{}).pattern)
}

// TestPartsShareTheSeeds: with all processes of all parts every seed from 2 on is run once.
func TestPartsShareTheSeeds(t *testing.T) {
	for _, of := range []int{1, 2, 7} {
		ran := map[uint64]int{}
		for i := 1; i <= of; i++ {
			s := New(Target{}, Options{Procs: 3, Share: share.Share{Index: i, Of: of}})
			for p := range 3 {
				for seed := s.from(p); seed <= 200; seed += uint64(3 * of) {
					ran[seed]++
				}
			}
		}
		require.Len(t, ran, 199)
		for seed, n := range ran {
			require.Equal(t, 1, n, seed)
		}
	}
	s := New(Target{}, Options{Procs: 3})
	require.EqualValues(t, 4, s.from(2))
}
