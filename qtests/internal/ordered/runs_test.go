package ordered_test

import (
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/stress"
)

// needsOrdered skips a test on the stock runtime.
func needsOrdered(t testing.TB) {
	t.Helper()
	if !ordered.Available() {
		t.Skip("on the stock runtime; to run it: go tool qtests test ./qtests/internal/ordered")
	}
}

// inBubble calls f in an ordered bubble. Seed 1 is the order in which goroutines become
// able to run; any other draws.
func inBubble(t *testing.T, seed uint64, events *ordered.Events, f func(t *testing.T)) {
	t.Helper()
	needsOrdered(t)
	require.NoError(t, ordered.Arm(seed, seed != 1, events))
	synctest.Test(t, f)
}

var chaosSeeds = []uint64{1, 2, 1 << 40}

// A run is what is left of one run of chaos.
type run struct {
	lines  []string
	report ordered.Report
	events *ordered.Events
}

func runChaos(t *testing.T, seed uint64) run {
	r := run{events: ordered.NewEvents(1 << 15)}
	inBubble(t, seed, r.events, func(*testing.T) {
		l := newJournal()
		chaos(l)
		r.lines = l.lines
		r.report, _ = ordered.Now()
	})
	return r
}

func (r run) hash() uint64 {
	h := fnv.New64a()
	for _, line := range r.lines {
		_, _ = io.WriteString(h, line+"\n") // a hash takes everything
	}
	return h.Sum64()
}

// undisturbed is a run in which nothing disturbed the order: a machine that is busy may
// stop a thread for more than 100 ms in the middle of a system call.
func undisturbed(t *testing.T, seed uint64) run {
	var r run
	for range 10 {
		if r = runChaos(t, seed); r.report.Disturbed == 0 {
			return r
		}
		t.Logf("again, disturbed: %v, at %s", r.report.First, r.report.Where)
	}
	require.Zero(t, r.report.Disturbed, "ten times")
	return r
}

// requireSame compares two runs and says where they part.
func requireSame(t *testing.T, want, got run) {
	t.Helper()
	if slices.Equal(want.lines, got.lines) {
		return
	}
	i := 0
	for i < min(len(want.lines), len(got.lines)) && want.lines[i] == got.lines[i] {
		i++
	}
	t.Errorf("two runs differ from line %d on:\n%q\n%q", i, want.lines[i:min(i+3, len(want.lines))], got.lines[i:min(i+3, len(got.lines))])
	at := ordered.Part(want.events, got.events)
	for k := max(at-1, 0); at >= 0 && k < min(at+2, want.events.Len(), got.events.Len()); k++ {
		t.Logf("turn or choice %d, they part at %d:\n%s\n%s", k, at, ordered.Stack(want.events, k), ordered.Stack(got.events, k))
	}
	t.FailNow()
}

// besideLoops calls f while goroutines outside take all processors.
func besideLoops(f func()) {
	var stop atomic.Bool
	var loops sync.WaitGroup
	defer loops.Wait()
	defer stop.Store(true)
	for range 2 * runtime.NumCPU() {
		loops.Go(func() {
			for n := 0; !stop.Load(); n++ {
				_ = make([]byte, n%4096)
			}
		})
	}
	f()
}

// TestChaos: one outcome a seed, on any number of processors, quiet or beside others.
func TestChaos(t *testing.T) {
	needsOrdered(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	hashes := map[uint64]bool{}
	for _, seed := range chaosSeeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			first := undisturbed(t, seed)
			hashes[first.hash()] = true
			for i := range 20 * stress.Factor(t) {
				runtime.GOMAXPROCS([]int{1, 2, 8}[i%3])
				one := func() { requireSame(t, first, undisturbed(t, seed)) }
				if i%5 == 4 {
					besideLoops(one)
				} else {
					one()
				}
			}
			t.Logf("%d lines, %d turns", len(first.lines), first.report.Turns)
		})
	}
	require.Len(t, hashes, len(chaosSeeds), "every seed has an outcome of its own")
}

// TestSameTurns: not the outcome alone, but every turn and choice, once what happens once
// per process has happened.
func TestSameTurns(t *testing.T) {
	for _, seed := range chaosSeeds {
		undisturbed(t, seed)
		a, b := undisturbed(t, seed), undisturbed(t, seed)
		require.Equal(t, a.report, b.report)
		require.Equal(t, -1, ordered.Part(a.events, b.events))
		require.False(t, a.events.Full())
	}
}

const childVar = "QTESTS_ORDERED_CHILD"

// inProcess runs a test of this binary in a process of its own and returns the lines that
// tell printed there.
func inProcess(t *testing.T, name string, env ...string) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+name+"$", "-test.count=1", "-test.v")
	cmd.Env = append(append(os.Environ(), childVar+"=1"), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s:\n%s", env, out)
	var told []string
	for line := range strings.Lines(string(out)) {
		if text, ok := strings.CutPrefix(line, "told: "); ok {
			told = append(told, strings.TrimSpace(text))
		}
	}
	require.NotEmpty(t, told, "%s", out)
	return told
}

// tell prints a line for the process that started this one.
func tell(format string, args ...any) { fmt.Printf("told: "+format+"\n", args...) }

// child skips a test that exists to be run by inProcess.
func child(t *testing.T) {
	t.Helper()
	needsOrdered(t)
	if os.Getenv(childVar) == "" {
		t.Skip("runs in a process of its own, started by other tests")
	}
}

// TestChaosInOtherProcesses: alone in ten processes of other circumstances each.
func TestChaosInOtherProcesses(t *testing.T) {
	needsOrdered(t)
	var want []string
	for _, seed := range chaosSeeds {
		want = append(want, fmt.Sprintf("seed %d: %x", seed, undisturbed(t, seed).hash()))
	}
	for _, env := range [][]string{
		{}, {}, {"GOMAXPROCS=1"}, {"GOMAXPROCS=2"}, {"GOMAXPROCS=8"}, {"GOGC=5"}, {"GOGC=5", "GOMAXPROCS=8"},
		{"GOMEMLIMIT=12MiB"}, {"GOMEMLIMIT=12MiB", "GOGC=off"}, {"GODEBUG=asyncpreemptoff=1"},
	} {
		require.Equal(t, want, inProcess(t, "TestChildChaos", env...), "%s", env)
	}
}

func TestChildChaos(t *testing.T) {
	child(t)
	for _, seed := range chaosSeeds {
		first := undisturbed(t, seed)
		for range 2 * stress.Factor(t) {
			requireSame(t, first, undisturbed(t, seed))
		}
		tell("seed %d: %x", seed, first.hash())
	}
}
