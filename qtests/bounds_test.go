package qtests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/headcount"
	"github.com/go-qtests/qtests/qtests/internal/scope"
	"github.com/go-qtests/qtests/qtests/internal/sites"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// kept is what the tests below keep on the heap.
var kept [][]byte

// keep64 keeps 64 bytes.
func keep64() { kept = append(kept, make([]byte, 64)) }

// waste allocates and keeps nothing.
func waste() { runtime.KeepAlive(bytes.Repeat([]byte{1}, 4<<10)) }

// room makes space for what is kept, so that growth is of the elements alone,
// and forgets all of it when the test ends.
func room(t *testing.T, n int) {
	t.Helper()
	kept = make([][]byte, 0, n)
	t.Cleanup(func() { kept = nil })
}

func TestLimitHeapSees64BytesAnIteration(t *testing.T) {
	const iterations = 2000
	room(t, iterations)
	r := tbtest.Run("TestCache", func(r *tbtest.TB) {
		LimitHeap(r, 64<<10) // half of it
		for range iterations {
			keep64()
			waste()
		}
	})
	t.Log(r.Errors())
	require.Contains(t, r.Errors(), "LimitHeap allows 64.0 KiB")
	require.Regexp(t, `samples,\n *\d+\.\d KiB  \S+bounds_test.go:\d+  \S+qtests\.keep64(\n|$)`, r.Errors(), "the largest is first")
	require.NotContains(t, r.Errors(), "waste")
	require.Equal(t, 512<<10, runtime.MemProfileRate, "the rate is put back")
}

func TestStressLimitHeapNoFalseAlarm(t *testing.T) {
	for range 10 * stress.Factor(t) {
		r := tbtest.Run("TestNoLeak", func(r *tbtest.TB) {
			LimitHeap(r, 16<<10)
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					for range 20 {
						waste()
						_, _ = json.Marshal(map[string]int{"a": 1})
					}
				})
			}
			all.Wait()
		})
		require.Empty(t, r.Errors())
	}
}

func TestLimitHeapMeasuresToTheByte(t *testing.T) {
	for size, fails := range map[int]bool{31 << 10: false, 49 << 10: true} {
		r := tbtest.Run("TestExact", func(r *tbtest.TB) {
			LimitHeap(r, 40<<10)
			kept = [][]byte{make([]byte, size)}
		})
		kept = nil
		require.Equal(t, fails, r.Failed(), "%d bytes: %s", size, r.Errors())
	}
}

// What ends in a cleanup that was registered later is not the test's growth,
// and what only a finalizer frees is not either.
func TestLimitHeapAfterCleanups(t *testing.T) {
	r := tbtest.Run("TestCleanups", func(r *tbtest.TB) {
		LimitHeap(r, 64<<10)
		room(t, 0)
		kept = [][]byte{make([]byte, 1<<20)}
		r.Cleanup(func() { kept = nil })
		runtime.SetFinalizer(&struct{ next, big []byte }{nil, make([]byte, 1<<20)}, func(o *struct{ next, big []byte }) { o.next = o.big })
	})
	require.Empty(t, r.Errors())
}

func TestSteady(t *testing.T) {
	room(t, 1000)
	rounds, cache, tiny := 0, map[int][]byte{}, make([]*int64, 0, 100)
	for _, c := range []struct {
		name  string
		f     func()
		fails bool
	}{
		{"nothing kept", waste, false},
		{"64 bytes a round", keep64, true},
		{"a step in the middle", func() {
			if rounds++; rounds == 12 {
				cache[0] = make([]byte, 1<<20)
			}
		}, false},
		{"steps in two rounds", func() {
			if rounds++; rounds == 9 || rounds == 16 {
				cache[rounds] = make([]byte, 1<<20)
			}
		}, false},
		{"a step and a slope", func() {
			if rounds++; rounds == 12 {
				cache[0] = make([]byte, 1<<20)
			}
			keep64()
		}, true},
		{"a step, a fall and a slope", func() {
			switch rounds++; rounds { // in the first series; the second and third have none
			case 7:
				cache[0] = make([]byte, 1<<20)
			case 14:
				clear(cache)
			}
			keep64()
		}, true},
		{"a buffer that empties", func() {
			keep64()
			if rounds++; rounds%10 == 0 {
				clear(kept)
				kept = kept[:0]
			}
		}, false},
		{"a fall in the middle", func() {
			if rounds++; rounds == 2 {
				cache[0] = make([]byte, 1<<20)
			}
			if rounds == 12 {
				clear(cache)
			}
		}, false},
		{"64 bytes in every third round", func() {
			if rounds++; rounds%3 == 0 {
				keep64()
			}
		}, true},
		{"a goroutine a round", func() { leave(t, 1) }, true},
		{"8 bytes a round", func() { tiny = append(tiny, new(int64)) }, true},
		{"growth that ends", func() { // in the second series, before the sites are looked for
			if rounds++; rounds <= 2+2*20 {
				keep64()
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rounds = 0
			clear(cache)
			r := tbtest.Run("TestSteady", func(r *tbtest.TB) { Steady(r, 20, c.f) })
			t.Log(r.Errors())
			require.Equal(t, c.fails, r.Failed(), r.Errors())
		})
	}
	runtime.KeepAlive(cache)
	runtime.KeepAlive(tiny)
	r := tbtest.Run("TestSteady", func(r *tbtest.TB) { Steady(r, 20, keep64) })
	require.Regexp(t, `grows by \d+ B in each round of Steady in TestSteady, from .* in 20 rounds(.|\n)*measured in 16 more,`, r.Errors())
	require.Regexp(t, `64 B  \S+bounds_test.go:\d+  \S+qtests\.keep64`, r.Errors())
}

func TestStressSteadyNoFalseAlarm(t *testing.T) {
	for range 3 * stress.Factor(t) {
		r := tbtest.Run("TestSteady", func(r *tbtest.TB) { Steady(r, 12, waste) })
		require.Empty(t, r.Errors())
	}
}

func TestSteadyConfirms(t *testing.T) {
	for _, c := range []struct {
		kept map[string]int64
		yes  bool
	}{
		{nil, false},
		{map[string]int64{"a.go:1": 3}, false},
		{map[string]int64{"a.go:1": 4}, true},
		{map[string]int64{"a.go:1": 2, "b.go:1": 2}, true},
		{map[string]int64{sites.RuntimeSite: 127}, false},
		{map[string]int64{sites.RuntimeSite: 127, "a.go:1": 3}, false},
		{map[string]int64{sites.RuntimeSite: 128}, true},
	} {
		require.Equal(t, c.yes, confirms(c.kept), c.kept)
	}
}

func TestSteadySlopes(t *testing.T) {
	for _, c := range []struct {
		name       string
		readings   []int64
		low, level float64
	}{
		{"flat", []int64{7, 7, 7, 7, 7, 7, 7, 7}, 0, 0},
		{"line", []int64{0, 8, 16, 24, 32, 40, 48, 56}, 8, 8},
		{"falling", []int64{56, 48, 40, 32, 24, 16, 8, 0}, -8, -8},
		{"step in the middle", []int64{0, 0, 0, 0, 900, 900, 900, 900}, 0, 0},
		{"step first", []int64{0, 900, 900, 900, 900, 900, 900, 900}, 0, 0},
		{"two steps", []int64{0, 0, 900, 900, 900, 900, 9000, 9000}, 0, 0},
		{"two steps side by side", []int64{0, 0, 0, 900, 9000, 9000, 9000, 9000}, 0, 0},
		{"spike", []int64{0, 0, 0, 900, 0, 0, 0, 0}, 0, 0},
		{"line with a spike down", []int64{80, 160, 240, 0, 400, 480, 560, 640}, 80, 80},
		{"line with a step and a fall", []int64{8, 16, 924, 932, 940, 48, 56, 64}, -292, 8},
		{"line with a fall", []int64{8, 16, 24, 32, -960, -952, -944, -936}, -976.0 / 3, 8},
		{"emptied every fourth", []int64{0, 100, 200, 300, 0, 100, 200, 300}, -100.0 / 3, 100},
		{"to and fro", []int64{0, 112, 0, 112, 0, 112, 0, 112}, -112.0 / 3, 112},
	} {
		require.InDelta(t, c.low, lowSlope(c.readings), 1e-9, "low, %s", c.name)
		require.InDelta(t, c.level, levelSlope(c.readings), 1e-9, "level, %s", c.name)
	}
}

func TestLimitAllocs(t *testing.T) {
	calls := 0
	var sink []byte
	f := func() { sink = make([]byte, 100); sink = make([]byte, 200); calls++ }
	r := tbtest.Run("TestEncode", func(r *tbtest.TB) { LimitAllocs(r, 1, f) })
	t.Log(r.Errors())
	require.Contains(t, r.Errors(), "qtests: a call allocates 2 objects in TestEncode; LimitAllocs allows 1.")
	require.Regexp(t, ` 2  \S+bounds_test.go:\d+  \S+TestLimitAllocs`, r.Errors())
	require.Equal(t, allocTries*(allocRuns+1)+allocRuns, calls)
	require.Empty(t, tbtest.Run("TestEncode", func(r *tbtest.TB) { LimitAllocs(r, 2, f) }).Errors())
	runtime.KeepAlive(&sink)
	calls = 0
	require.Empty(t, tbtest.Run("TestEncode", func(r *tbtest.TB) { LimitAllocs(r, 0, func() { calls++ }) }).Errors())
	require.Equal(t, allocRuns+1, calls, "one measurement that passes is enough")
	require.PanicsWithValue(t, "mine", func() { LimitAllocs(t, 0, func() { panic("mine") }) })
}

// In a parallel test the readings could be a neighbour's.
func TestBoundsInParallel(t *testing.T) {
	require.False(t, inParallel())
	t.Run("parallel", func(t *testing.T) {
		t.Parallel()
		for name, assert := range map[string]func(tb.TB){
			"LimitHeap":   func(r tb.TB) { LimitHeap(r, 1<<20) },
			"Steady":      func(r tb.TB) { Steady(r, 20, func() { t.Error("called") }) },
			"LimitAllocs": func(r tb.TB) { LimitAllocs(r, 20, func() { t.Error("called") }) },
		} {
			r := tbtest.Run("TestBeside", func(r *tbtest.TB) { assert(r) })
			t.Log(r.Errors())
			require.Contains(t, r.Errors(), "qtests: "+name+" while a parallel test runs (TestBeside, or one beside it)")
			require.Contains(t, r.Errors(), "Take t.Parallel out")
		}
	})
}

func TestBoundsRefuse(t *testing.T) {
	for want, f := range map[string]func(*tbtest.TB){
		"LimitGoroutines: -1 is negative":                                func(r *tbtest.TB) { LimitGoroutines(r, -1) },
		"LimitHeap: -1 is negative":                                      func(r *tbtest.TB) { LimitHeap(r, -1) },
		"LimitAllocs: -1 is negative":                                    func(r *tbtest.TB) { LimitAllocs(r, -1, nil) },
		"Steady: 7 rounds are too few":                                   func(r *tbtest.TB) { Steady(r, 7, nil) },
		"the *int is nil":                                                func(r *tbtest.TB) { Collected[int](r, nil) },
		"cannot watch a struct {}: it has no size":                       func(r *tbtest.TB) { Collected(r, &struct{}{}) },
		"cannot watch a [3]int32: it has 12 bytes":                       func(r *tbtest.TB) { Collected(r, &[3]int32{}) },
		"cannot watch a *int: the argument points to a pointer variable": func(r *tbtest.TB) { p := new(int); Collected(r, &p) },
		"cannot watch a []int: the argument points to a slice variable":  func(r *tbtest.TB) { p := []int{}; Collected(r, &p) },
		"cannot watch a error: the argument points to a interface":       func(r *tbtest.TB) { p := os.ErrExist; Collected(r, &p) },
	} {
		r := tbtest.Run("TestRefuse", f)
		require.Contains(t, r.Errors(), want)
	}
}

type node struct {
	next *node
	data [100]byte
}

var held *node

func TestCollected(t *testing.T) {
	t.Cleanup(func() { held = nil })
	free := tbtest.Run("TestFree", func(r *tbtest.TB) {
		a := &node{}
		a.next = &node{next: a} // a cycle is no obstacle
		Collected(r, a)
		var small struct{ p *int }
		Collected(r, &small)
	})
	require.Empty(t, free.Errors())
	t.Run("cleanups that have run", func(t *testing.T) {
		a := &node{}
		Collected(t, a)
		for range 5 {
			t.Cleanup(func() { a.data[0]++ })
		}
	})
	leaky := tbtest.Run("TestHeld", func(r *tbtest.TB) {
		a := &node{}
		Collected(r, a)
		held = &node{next: a}
	})
	t.Log(leaky.Errors())
	require.Regexp(t, `the qtests.node \(112 B\) of Collected at bounds_test.go:\d+ in TestHeld is still reachable at the end of the test`, leaky.Errors())
	Run(t, func(q *T) {
		a := &node{}
		q.Cleanup(func() { a.data[0]++ }) // before the call: all the same inside
		Collected(q, a)
	})
}

// spawn starts n goroutines that wait for release.
func spawn(n int, gate chan struct{}, all *sync.WaitGroup) {
	all.Add(n)
	for range n {
		go func() {
			defer all.Done()
			<-gate
		}()
	}
}

func TestLimitGoroutinesOutside(t *testing.T) {
	t.Parallel()
	leave(t, 100) // not its own
	for n, fails := range map[int]bool{10: false, 11: true} {
		r := tbtest.Run("TestWorkers"+strconv.Itoa(n), func(r *tbtest.TB) {
			LimitGoroutines(r, 10)
			var all sync.WaitGroup
			gate := make(chan struct{})
			spawn(n, gate, &all)
			t.Cleanup(all.Wait)
			t.Cleanup(func() { close(gate) })
		})
		require.Equal(t, fails, r.Failed(), r.Errors())
		if fails {
			t.Log(r.Errors())
			require.Regexp(t, `qtests: TestWorkers11 had at least 11 goroutines at once; LimitGoroutines allows 10\. They were started at\n +11  \S+bounds_test.go:\d+  \S+qtests\.spawn$`, r.Errors())
		}
	}
}

// A peak between two readings at the end is seen by those in between.
func TestLimitGoroutinesSeesAPeak(t *testing.T) {
	var w *goroutineWatch
	r := tbtest.Run("TestPeak", func(r *tbtest.TB) {
		s := scope.Enter(r, scope.Bound)
		w = &goroutineWatch{headcount.Watch{Limit: 4, Count: func() int { return s.Count(s.Holds) }, List: func() []stacks.Goroutine { return s.List(s.Holds) }}}
		r.Cleanup(func() { s.Leave(r); w.end(r) })
		var all sync.WaitGroup
		gate := make(chan struct{})
		spawn(4, gate, &all)
		w.Look()
		require.Empty(t, w.Peak())
		spawn(3, gate, &all)
		w.Look()
		close(gate)
		all.Wait()
	})
	require.Contains(t, r.Errors(), "TestPeak had at least 7 goroutines at once; LimitGoroutines allows 4")
}

func TestLimitGoroutinesSeesPackageTime(t *testing.T) {
	Run(t, func(q *T) {
		r := &relay{TB: q}
		LimitGoroutines(&T{TB: r, run: q.run, clock: q.clock, home: q.home, turns: q.turns}, 5)
		for range 10 {
			go time.Sleep(time.Second)
		}
		q.Sleep(2 * time.Second)
		r.end()
		require.Len(q, r.errors, 1)
	})
}

func TestLimitGoroutinesNamesWhoCalledGo(t *testing.T) {
	Run(t, func(q *T) {
		r := &relay{TB: q}
		LimitGoroutines(&T{TB: r, run: q.run, clock: q.clock, home: q.home, turns: q.turns}, 5)
		for range 10 {
			q.Go(func() { q.Clock().Sleep(time.Second) })
		}
		q.Sleep(2 * time.Second)
		r.end()
		require.Len(q, r.errors, 1)
		require.Contains(q, r.errors[0], "bounds_test.go:")
		require.NotContains(q, r.errors[0], "/clock.go:")
	})
}

func TestLimitGoroutinesInABubble(t *testing.T) {
	Run(t, func(q *T) {
		q.Go(func() { q.Clock().Sleep(time.Minute) }) // before the call: counts, too
		for _, limit := range []int{5, 4} {
			r := &relay{TB: q}
			w := &T{TB: r, run: q.run, clock: q.clock, home: q.home, turns: q.turns}
			LimitGoroutines(w, limit)
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() { q.Clock().Sleep(time.Second) })
			}
			all.Wait()
			before := q.Elapsed()
			r.end()
			require.Equal(q, before, q.Elapsed())
			require.Equal(q, limit == 4, len(r.errors) > 0, "limit %d: %v", limit, r.errors)
			if limit == 4 {
				q.Log(r.errors[0])
				require.Contains(q, r.errors[0], "had at least 5 goroutines at once; LimitGoroutines allows 4")
				require.Contains(q, r.errors[0], "bounds_test.go:")
			}
		}
		q.Sleep(time.Minute)
	})
	synctest.Test(t, func(t *testing.T) {
		r := tbtest.Run("TestPlain", func(r *tbtest.TB) {
			LimitGoroutines(r, 2)
			for range 3 {
				go time.Sleep(time.Second)
			}
		})
		time.Sleep(time.Second)
		synctest.Wait()
		require.Contains(t, r.Errors(), "TestPlain had at least 3 goroutines at once")
	})
}

// A relay is the test inside a bubble, but for what it reports and when it ends.
type relay struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (r *relay) Errorf(format string, args ...any) {
	r.errors = append(r.errors, strings.TrimSpace(fmt.Sprintf(format, args...)))
}
func (r *relay) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *relay) end() {
	for _, f := range r.cleanups {
		f()
	}
}
