package qtests

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/tb"
)

// BenchmarkRun prints what it costs to open and close a bubble, with Run and with
// the testing package alone, in a process with few goroutines and in one with many.
func BenchmarkRun(b *testing.B) {
	bodies := map[string]func(q *T){
		"empty": func(*T) {},
		"sleep": func(q *T) { q.Sleep(time.Second) },
		"go":    func(q *T) { q.Go(func() { q.Clock().Sleep(time.Second) }); q.Sleep(time.Minute) },
	}
	for _, others := range []int{0, 5000} {
		crowd(b, others, func() {
			each := func(name string, once func(t *testing.T)) {
				b.Run(fmt.Sprintf("others=%d/%s", others, name), func(b *testing.B) {
					b.ReportAllocs()
					inTest(b.Name(), func(t *testing.T) {
						for b.Loop() {
							once(t)
						}
					})
				})
			}
			each("synctest", func(t *testing.T) { synctest.Test(t, func(*testing.T) {}) })
			for name, body := range bodies {
				each(name, func(t *testing.T) { Run(t, body) })
			}
		})
	}
}

// BenchmarkBubble is what Bench itself costs: opening and closing a bubble.
func BenchmarkBubble(b *testing.B) {
	b.ReportAllocs()
	Bench(b, func(*T) {})
}

// The benchmarks called BenchmarkChild run in processes of their own.

func BenchmarkChildPasses(b *testing.B) {
	childBench(b)
	procs, n := runtime.GOMAXPROCS(0), 0
	Bench(b, func(q *T) {
		n++
		q.Logf("noise of an iteration")
		if q.Seed() != tb.SeedOf(b) || q.Elapsed() != 0 || runtime.GOMAXPROCS(0) != procs {
			q.Errorf("seed %d, elapsed %v, %d processors", q.Seed(), q.Elapsed(), runtime.GOMAXPROCS(0))
		}
		q.Sleep(1000 * time.Hour)
	})
	if got := runtime.GOMAXPROCS(0); got != procs {
		b.Errorf("GOMAXPROCS is %d behind Bench and was %d", got, procs)
	}
	b.ReportMetric(float64(n)/float64(b.N), "bodies/op")
	if perOp := b.Elapsed() / time.Duration(b.N); perOp > time.Hour {
		b.Errorf("%v per iteration: that is fake time", perOp)
	}
}

func BenchmarkChildFails(b *testing.B) {
	childBench(b)
	n := 0
	b.Cleanup(func() { b.Logf("ran %d times", n) })
	Bench(b, func(q *T) {
		if n++; n == 3 {
			q.Fatalf("bad luck")
		}
	})
	b.Logf("unreachable")
}

func BenchmarkChildPanics(b *testing.B) {
	childBench(b)
	Bench(b, func(*T) { panic("boom") })
}

func BenchmarkChildLeaks(b *testing.B) {
	childBench(b)
	Bench(b, func(q *T) { q.Go(func() { q.Clock().Sleep(time.Hour) }) })
}

func BenchmarkChildDeadlocks(b *testing.B) {
	childBench(b)
	Bench(b, func(*T) { <-make(chan int) })
}

func BenchmarkChildSkips(b *testing.B) {
	childBench(b)
	Bench(b, func(q *T) { q.Skip("not today") })
	b.Errorf("unreachable")
}

func childBench(b *testing.B) {
	if os.Getenv("QTESTS_CHILD") == "" {
		b.Skip("runs in a process of its own, started by a test")
	}
}

func runBench(t *testing.T, name string, args ...string) (output string, passed bool) {
	t.Helper()
	return runChild(t, "^$", append([]string{"-test.bench=^" + name + "$", "-test.benchtime=20x"}, args...)...)
}

func TestBenchPasses(t *testing.T) {
	for _, args := range [][]string{
		nil,
		{"-test.count=2", "-test.cpu=1,2"},
		{"-test.skip=BenchmarkChildPassesNot", "-test.failfast"},
	} {
		out, passed := runBench(t, "BenchmarkChildPasses", args...)
		require.True(t, passed, out)
		require.Contains(t, out, " 1.000 bodies/op")
		require.NotContains(t, out, "noise")
		require.NotContains(t, out, "=== RUN")
		require.NotContains(t, out, "--- PASS")
		want := 1
		if slices.Contains(args, "-test.count=2") {
			want = 4 // twice on one processor and twice on two
		}
		require.Equal(t, want, strings.Count(out, "bodies/op"))
	}
}

func TestBenchReachesB(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string
	}{
		{"BenchmarkChildFails", []string{"bench_test.go:", "bad luck", "iteration 3 failed, as printed above; it ran with -qtests.seed=1", "ran 3 times"}},
		{"BenchmarkChildPanics", []string{"panic in the body: boom", "iteration 1 failed"}},
		{"BenchmarkChildLeaks", []string{"1 goroutine is left behind", "bench_test.go:", "iteration 1 failed"}},
		{"BenchmarkChildDeadlocks", []string{"deadlock", "iteration 1 failed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, passed := runBench(t, c.name)
			require.False(t, passed, out)
			require.Contains(t, out, "--- FAIL: "+c.name)
			for _, want := range c.want {
				require.Contains(t, out, want)
			}
			require.NotContains(t, out, "unreachable")
			require.NotContains(t, out, "goroutine 1 [running]", "the process survives")
		})
	}
}

func TestBenchSkips(t *testing.T) {
	out, passed := runBench(t, "BenchmarkChildSkips")
	require.True(t, passed, out)
	require.Contains(t, out, "--- SKIP: BenchmarkChildSkips")
	require.NotContains(t, out, "unreachable")
}

// TestBenchRestoresFlags leaves the run as it was.
func TestBenchRestoresFlags(t *testing.T) {
	set := map[string]string{"test.run": "x", "test.count": "7", "no.such.flag": "1"}
	first := setFlags(set)
	restore := setFlags(map[string]string{"test.run": "", "test.count": "1"})
	restore()
	require.Equal(t, "x", flag.Lookup("test.run").Value.String())
	require.Equal(t, "7", flag.Lookup("test.count").Value.String())
	first()
	require.NotEqual(t, "7", flag.Lookup("test.count").Value.String())
}
