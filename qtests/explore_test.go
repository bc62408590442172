package qtests

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/explore"
)

// TestChildOfOrder fails when the second of three goroutines is the first to run.
func TestChildOfOrder(t *testing.T) {
	child(t)
	Run(t, func(q *T) {
		c := make(chan int, 3)
		for i := range 3 {
			go func() { c <- i }()
		}
		if first := <-c; first == 1 {
			q.Errorf("the first is %d", first)
		}
	})
}

// runIn is runChild in a directory, with variables.
func runIn(t *testing.T, dir, test string, env []string, args ...string) (output string, passed bool) {
	t.Helper()
	self, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	cmd := exec.Command(self, append([]string{"-test.run=^" + test + "$", "-test.v", "-test.timeout=60s"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(append(plainEnviron(), "QTESTS_CHILD=1"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return string(out), err == nil
}

// TestSeedsExplainFailure: under plain go test -qtests.seeds the first failure is cut down and
// told, the file that it leaves repeats it every time, and so does the printed command.
func TestSeedsExplainFailure(t *testing.T) {
	onOrdered(t)
	dir := t.TempDir()
	out, passed := runIn(t, dir, "TestChildOfOrder", []string{"QTESTS_SEEDS=40"}, "-test.artifacts", "-test.outputdir="+dir)
	require.False(t, passed, out)
	require.Contains(t, out, "1 choice other than first come, first served, and this comes of it:")
	require.Contains(t, out, "of 40 seeds failed")
	m := regexp.MustCompile(`: (\S+\.choices)`).FindStringSubmatch(out)
	require.NotNil(t, m, out)
	f, err := explore.ReadFile(m[1])
	require.NoError(t, err)
	require.Equal(t, "TestChildOfOrder", f.Test)
	require.Len(t, f.Choices, 1)
	require.FileExists(t, strings.TrimSuffix(m[1], ".choices")+".html")
	for range 10 {
		out, passed = runIn(t, dir, "TestChildOfOrder", nil, "-qtests.replay="+m[1])
		require.False(t, passed, out)
		require.Contains(t, out, "the first is 1")
		require.Contains(t, out, "it fails under the choices of "+m[1])
	}
	out, passed = runIn(t, dir, "TestChildOfOrder", nil)
	require.True(t, passed, "first come, first served: %s", out)

	// The command that is printed for one seed repeats it as well.
	out, _ = runIn(t, dir, "TestChildOfOrder", []string{"QTESTS_SEEDS=40"})
	m = regexp.MustCompile(`to repeat the first: .* (-qtests.seed=\d+.*)`).FindStringSubmatch(out)
	require.NotNil(t, m, out)
	out, passed = runIn(t, dir, "TestChildOfOrder", nil, strings.Fields(m[1])...)
	require.False(t, passed, out)

	// What is kept below testdata is tried first, in every run.
	kept := filepath.Join(dir, "testdata", "qtests")
	require.NoError(t, os.MkdirAll(kept, 0o755))
	var b strings.Builder
	_, err = f.WriteTo(&b)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(kept, "order.choices"), []byte(b.String()), 0o644))
	out, passed = runIn(t, dir, "TestChildOfOrder", nil)
	require.False(t, passed)
	require.Contains(t, out, "it fails under the choices of "+filepath.Join("testdata", "qtests", "order.choices"))
	out, passed = runIn(t, dir, "TestAlwaysHolds", nil)
	require.True(t, passed, "another test: %s", out)
}

// TestStrategiesOfFlags: each strategy finds the failure, and fifo does not.
func TestStrategiesOfFlags(t *testing.T) {
	onOrdered(t)
	for _, s := range []string{"random", "pct", "pct:2/10", "pos"} {
		out, passed := runIn(t, t.TempDir(), "TestChildOfOrder", []string{"QTESTS_EXPLORE=" + s, "QTESTS_SEEDS=40"})
		require.False(t, passed, "%s: %s", s, out)
	}
	out, passed := runIn(t, t.TempDir(), "TestChildOfOrder", []string{"QTESTS_EXPLORE=fifo", "QTESTS_SEEDS=40"})
	require.True(t, passed, out)
	out, passed = runIn(t, t.TempDir(), "TestChildOfOrder", []string{"QTESTS_EXPLORE=lifo"})
	require.False(t, passed)
	require.Contains(t, out, `QTESTS_EXPLORE: "lifo" is none of fifo, random`)
}

func TestAlwaysHolds(t *testing.T) {
	Run(t, func(q *T) {
		n, looks := 0, 0
		q.Always("n is small", func() error {
			looks++
			if n > 10 {
				return fmt.Errorf("n is %d", n)
			}
			return nil
		})
		require.Equal(q, 1, looks)
		for range 10 {
			n++
			q.Sleep(time.Second)
		}
		require.GreaterOrEqual(q, looks, 11, "at each pause")
	})
}

func TestChildOfAlways(t *testing.T) {
	child(t)
	Run(t, func(q *T) {
		n := 0
		q.Always("n is small", func() error {
			if n > 3 {
				return fmt.Errorf("n is %d", n)
			}
			return nil
		})
		q.Always("no panic", func() error {
			if n == 2 {
				panic("two")
			}
			return nil
		})
		for range 10 {
			n++
			q.Sleep(time.Second)
		}
	})
}

func TestAlwaysFails(t *testing.T) {
	out, passed := runChild(t, "^TestChildOfAlways$")
	require.False(t, passed)
	require.Equal(t, 1, strings.Count(out, "qtests: n is small: n is 4, at 4s"), "once, at its instant")
	require.Equal(t, 1, strings.Count(out, "qtests: no panic: panic: two, at 2s"))
}

func TestEventually(t *testing.T) {
	Run(t, func(q *T) {
		var done atomic.Bool // which package time's goroutine writes
		time.AfterFunc(time.Minute, func() { done.Store(true) })
		q.Eventually("it is done", 2*time.Minute, done.Load)
		require.GreaterOrEqual(q, q.Elapsed(), time.Minute)
		require.LessOrEqual(q, q.Elapsed(), time.Minute+120*time.Millisecond)
		q.Eventually("already", time.Nanosecond, func() bool { return true })
		q.Sometimes("ignored outside of a search", false)
	})
}

func TestChildOfEventually(t *testing.T) {
	child(t)
	Run(t, func(q *T) {
		q.Eventually("it is done", time.Minute, func() bool { return false })
	})
}

func TestEventuallyFails(t *testing.T) {
	out, passed := runChild(t, "^TestChildOfEventually$")
	require.False(t, passed)
	require.Contains(t, out, "explore_test.go")
	require.Contains(t, out, "qtests: it is done: not within 1m0s")
}

// TestFirstFailure: the first failure of a run is what a search knows it by.
func TestFirstFailure(t *testing.T) {
	q := &T{}
	q.failed("assertion", "\n\tone\ntwo")
	q.failed("panic", "three")
	require.Equal(t, "assertion", q.failing.Load().Kind)
	require.Equal(t, "\tone", q.failing.Load().Text)
	require.Regexp(t, `^explore_test.go:\d+$`, q.failing.Load().Where)
	b := &bubbleRun{q: &T{}}
	require.Nil(t, b.failure(outcome{}))
	require.Equal(t, "leak", b.failure(outcome{failed: true, kind: "leak", problems: []string{"qtests: 1 goroutine\nmore"}}).Is())
	require.Equal(t, "race", b.failure(outcome{failed: true}).Is())
	require.ErrorContains(t, q.tryInvariant(func() error { return errors.New("no") }), "no")
}

// TestChildOfStarts says in which order three goroutines begin and end, which wait for each other
// nowhere, but pause at several places.
func TestChildOfStarts(t *testing.T) {
	child(t)
	Run(t, func(q *T) {
		said := make(chan string, 6)
		pause := make(chan bool)
		go func() {
			for range pause {
			}
		}()
		done := make(chan bool)
		for _, name := range []string{"a", "b", "c"} {
			go func() {
				said <- "+" + name
				for range 3 {
					pause <- true
				}
				said <- "-" + name
				done <- true
			}()
		}
		for range 3 {
			<-done
		}
		close(pause)
		order := ""
		for range 6 {
			order += <-said
		}
		fmt.Fprintln(os.Stderr, "order", order)
	})
}

// TestStartsAreDelayed: how late a goroutine begins is a choice that is explored. Each of three is
// under some seed the last one to begin, when the others have ended.
func TestStartsAreDelayed(t *testing.T) {
	onOrdered(t)
	for _, s := range []string{"pct", "random"} {
		out, passed := runIn(t, t.TempDir(), "TestChildOfStarts", []string{"QTESTS_EXPLORE=" + s, "QTESTS_SEEDS=400"})
		require.True(t, passed, out)
		for _, late := range []string{"a", "b", "c"} {
			require.Regexp(t, `order .*-.\+.*-.\+`+late+"-"+late+"\n", out, "%s: %s is never late", s, late)
		}
	}
	out, _ := runIn(t, t.TempDir(), "TestChildOfStarts", []string{"QTESTS_EXPLORE=fifo", "QTESTS_SEEDS=5"})
	require.Equal(t, 5, strings.Count(out, "order +a+b+c"), out)
}
