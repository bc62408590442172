package qtests

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests/internal/leftbehind"
	"github.com/go-qtests/qtests/qtests/internal/scope"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// leave starts n goroutines that stay until the test outside has ended.
func leave(outside *testing.T, n int) (release func()) {
	gate := make(chan struct{})
	var all sync.WaitGroup
	for range n {
		all.Go(func() { <-gate })
	}
	release = sync.OnceFunc(func() {
		close(gate)
		all.Wait()
	})
	outside.Cleanup(release)
	return release
}

func TestCheckLeaksNamesWhatIsLeft(t *testing.T) {
	t.Parallel()
	r := tbtest.Run("TestShop", func(r *tbtest.TB) {
		CheckLeaks(r)
		leave(t, 2)
	})
	t.Log(r.Errors())
	require.Contains(t, r.Errors(), "qtests: TestShop left 2 goroutines behind.")
	require.Equal(t, 1, strings.Count(r.Errors(), "[chan receive], started at "))
	require.Equal(t, 1, strings.Count(r.Errors(), "qtests.leave.func1, started by sync.(*WaitGroup).Go\n"))
	require.Equal(t, 2, strings.Count(r.Errors(), "leakcheck_test.go:"))
	require.Contains(t, r.Errors(), "\n… and 1 more like it")
	require.NotContains(t, r.Errors(), "labels:")
}

// A crowd of one kind does not hide the only one of another.
// It counts, and so it is not parallel: what a test beside it has started at that moment may be a leak as well.
func TestCheckLeaksShowsEveryKind(t *testing.T) {
	r := tbtest.Run("TestShop", func(r *tbtest.TB) {
		CheckLeaks(r)
		leave(t, 25)
		gate := make(chan int)
		go func() { gate <- 1 }()
		t.Cleanup(func() { <-gate })
	})
	require.Contains(t, r.Errors(), "qtests: TestShop left 26 goroutines behind.")
	require.Contains(t, r.Errors(), "\n… and 24 more like it\n")
	require.Contains(t, r.Errors(), "[chan send], started at ")
}

func TestGoroutinesOfAnErrorOfGoleak(t *testing.T) {
	require.Equal(t, map[uint64]bool{7: true, 12: true}, idsIn("found unexpected goroutines:\n[Goroutine 7 in state select, with p.a on top of the stack:\n Goroutine 12 in state chan receive, with p.b on top"))
	require.Empty(t, idsIn("Cleanup can only be passed to VerifyTestMain"))
}

func TestCheckLeaksPasses(t *testing.T) {
	t.Parallel()
	leave(t, 3) // before: nobody's
	r := tbtest.Run("TestTidy", func(r *tbtest.TB) {
		CheckLeaks(r)
		CheckLeaks(r) // harmless
		r.Cleanup(leave(t, 5))
	})
	require.Empty(t, r.Errors())
}

// A leak is reported once, by the test that made it: also between a test and
// its subtest, whichever of them has a check of its own.
func TestCheckLeaksBlamesNoNeighbour(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		outer, inner  bool
		leaks, blamed string
	}{
		{"leak of the outer", true, true, "outer", "outer"},
		{"leak of the inner", true, true, "inner", "inner"},
		{"inner without a check", true, false, "inner", "outer"},
		{"outer without a check", false, true, "inner", "inner"},
		{"not the inner's", false, true, "outer", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := "TestBlame" + strings.ReplaceAll(c.name, " ", "_")
			reports := map[string]*tbtest.TB{}
			reports["outer"] = tbtest.Run(name, func(outer *tbtest.TB) {
				if c.outer {
					CheckLeaks(outer)
				}
				reports["inner"] = tbtest.Run(name+"/sub", func(inner *tbtest.TB) {
					if c.inner {
						CheckLeaks(inner)
					}
					if c.leaks == "inner" {
						leave(t, 1)
					}
				})
				if c.leaks == "outer" {
					leave(t, 1)
				}
			})
			for who, r := range reports {
				require.Equal(t, who == c.blamed, r.Failed(), "%s: %s", who, r.Errors())
			}
		})
	}
}

// Parallel tests that leak at the same line, the same number each: nothing but
// the labels tells them apart.
func TestCheckLeaksInParallel(t *testing.T) {
	t.Parallel()
	const tests = 8
	var all sync.WaitGroup
	reports := make([]*tbtest.TB, tests)
	for i := range tests {
		all.Go(func() {
			reports[i] = tbtest.Run(fmt.Sprintf("TestParallel%d", i), func(r *tbtest.TB) {
				CheckLeaks(r)
				done := leave(t, 10)
				if i%2 == 0 {
					r.Cleanup(done)
				}
			})
		})
	}
	all.Wait()
	for i, r := range reports {
		require.Equal(t, i%2 == 1, r.Failed(), "test %d: %s", i, r.Errors())
		if r.Failed() {
			require.Contains(t, r.Errors(), fmt.Sprintf("TestParallel%d left 10 goroutines behind", i))
		}
	}
	for i := range reports {
		require.Empty(t, scope.PathOf(fmt.Sprint("TestParallel", i)), "a scope was not given back")
	}
}

func TestCheckLeaksOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, prints string
		opt          goleak.Option
	}{
		{"allowed", "", goleak.IgnoreAnyFunction("github.com/go-qtests/qtests/qtests.leave.func1")},
		{"another", "left 1 goroutine behind", goleak.IgnoreAnyFunction("example.com/other")},
		{"what came later is not current", "left 1 goroutine behind", goleak.IgnoreCurrent()},
		{"refused", "qtests: CheckLeaks in TestOptions_refused: goleak: Cleanup can only be passed", goleak.Cleanup(func(int) {})},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := tbtest.Run("TestOptions_"+c.name, func(r *tbtest.TB) {
				CheckLeaks(r, c.opt)
				leave(t, 1)
			})
			require.Equal(t, c.prints != "", r.Failed(), r.Errors())
			require.Contains(t, r.Errors(), c.prints)
		})
	}
}

// The dump with labels leaves the environment as it was, and CheckLeaks the
// labels of the goroutine.
func TestCheckLeaksLeavesNoTrace(t *testing.T) {
	for _, setting := range []string{"", "netdns=go"} {
		t.Setenv("GODEBUG", setting)
		t.Run("x", func(t *testing.T) { CheckLeaks(t) })
		require.NotContains(t, string(stacks.LabelledDump()), stacks.ScopeLabel)
		require.Equal(t, setting, os.Getenv("GODEBUG"))
	}
	require.NoError(t, os.Unsetenv("GODEBUG"))
	stacks.LabelledDump()
	_, set := os.LookupEnv("GODEBUG")
	require.False(t, set)
}

func TestCheckLeaksInsideABubble(t *testing.T) {
	Run(t, func(q *T) {
		CheckLeaks(q)
		q.Go(func() { q.Clock().Sleep(time.Hour) }) // ends before the bubble does
		before := q.Elapsed()
		r := tbtest.Run("TestBubble", func(r *tbtest.TB) { CheckLeaks(r, goleak.IgnoreCurrent()) })
		require.Contains(q, r.Errors(), "a bubble ends only when all its goroutines have ended")
		require.Equal(q, before, q.Elapsed())
		q.Sleep(2 * time.Hour)
	})
	synctest.Test(t, func(t *testing.T) {
		gate, start := make(chan struct{}), time.Now()
		r := tbtest.Run("TestPlainBubble", func(r *tbtest.TB) {
			CheckLeaks(r)
			go func() { <-gate }()
		})
		require.Contains(t, r.Errors(), "TestPlainBubble left 1 goroutine behind")
		require.Zero(t, time.Since(start))
		close(gate)
	})
}

func TestVerifyTestMain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode           string
		passes         bool
		prints, absent string
	}{
		{"Clean", true, "the tests ran", "left"},
		{"Leak", false, "qtests: the tests passed and left 2 goroutines behind.", "(leaked)"},
		{"Allowed", true, "the tests ran", "left"},
		{"Abandoned", true, "of TestStuck stood still and was left behind; its goroutines are not counted as leaks", "the tests passed and left"},
		{"Failed", false, "the tests ran", "left"},
		{"Cleanup", false, "the cleanup got 1", "--- PASS"},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			out, passed := runChild(t, "^TestChildMain$/^"+c.mode+"$")
			require.Equal(t, c.passes, passed)
			require.Contains(t, out, c.prints)
			require.NotContains(t, out, c.absent)
		})
	}
}

// runTests is a testing.M.
type runTests func() int

func (f runTests) Run() int { return f() }

// TestChildMain ends the process, as a TestMain does.
func TestChildMain(t *testing.T) {
	child(t)
	leak := func() int {
		fmt.Println("the tests ran")
		for range 2 {
			go func() { select {} }()
		}
		return 0
	}
	t.Run("Clean", func(*testing.T) { VerifyTestMain(runTests(func() int { fmt.Println("the tests ran"); return 0 })) })
	t.Run("Leak", func(*testing.T) { VerifyTestMain(runTests(leak)) })
	t.Run("Allowed", func(*testing.T) {
		VerifyTestMain(runTests(leak), goleak.IgnoreAnyFunction("github.com/go-qtests/qtests/qtests.TestChildMain.func1.1"))
	})
	t.Run("Failed", func(*testing.T) { VerifyTestMain(runTests(func() int { leak(); return 3 })) })
	t.Run("Cleanup", func(*testing.T) {
		VerifyTestMain(runTests(leak), goleak.Cleanup(func(code int) {
			fmt.Println("the cleanup got", code)
			os.Exit(code)
		}))
	})
	t.Run("Abandoned", func(t *testing.T) {
		stuck := make(chan struct{}) // outside of the bubble: not a durable wait
		go synctest.Test(t, func(*testing.T) {
			leftbehind.Add(stacks.This().Bubble, leftbehind.Bubble{Test: "TestStuck"})
			go func() { <-stuck }()
			<-stuck
		})
		for !anyBubble() || leftbehind.Describe() == "" {
			runtime.Gosched()
		}
		VerifyTestMain(runTests(func() int { return 0 }))
	})
}

// Where the binary can, the report says what the collector proves.
func TestLeakProfile(t *testing.T) {
	t.Parallel()
	if pprof.Lookup("goroutineleak") == nil {
		out, _ := runChild(t, "^TestChildMain$/^Leak$")
		require.Equal(t, 1, strings.Count(out, "this binary has no goroutineleak profile"))
		return
	}
	out, _ := runChild(t, "^TestChildMain$/^Leak$")
	require.NotContains(t, out, "no goroutineleak profile")
	require.Contains(t, out, "… and 1 more like it")
	require.Equal(t, 1, strings.Count(out, "for ever: the collector proves that nothing can wake it"))
	r := tbtest.Run("TestProof", func(r *tbtest.TB) {
		CheckLeaks(r)
		leave(t, 1) // somebody can wake it still
	})
	require.True(t, r.Failed())
	require.NotContains(t, r.Errors(), "for ever")
}
