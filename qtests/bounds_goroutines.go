package qtests

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/scope"
	"github.com/go-qtests/qtests/qtests/internal/sites"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tb"
)

// LimitGoroutines fails t when more than n goroutines of its own exist at once,
// beside those that run tests. It counts from the call on, so call it first;
// n must not be negative.
//
// Inside a bubble all goroutines of the bubble count, and they are counted
// whenever a wait on the bubble's clock ends and when the cleanups registered
// after this call have run: what comes and goes within one instant is not seen,
// and the verdict is the same every time. In a bubble of testing/synctest they
// are counted at the end only. The clock never moves. Goroutines in
// [Reservation.Sleep] do not count: package load's are there between two requests.
//
// Outside, those count that carry the profiler label which t's goroutines
// inherit, as described at [CheckLeaks], subtests' goroutines included; so it
// works in parallel tests. They are counted about every millisecond and at the
// end: an excess that is reported was real, and one that was over sooner may pass
// unseen.
//
// The failure names the five places that started most of them. LimitGoroutines
// is for the goroutine that runs the test or benchmark.
func LimitGoroutines(t tb.TB, n int) {
	t.Helper()
	if n < 0 {
		tb.Fatalf(t, "qtests: LimitGoroutines: %d is negative", n)
	}
	w := &goroutineWatch{limit: n}
	w.quiet.Store(int64(n))
	if !InBubble() {
		w.watchScope(t)
	} else {
		w.watchBubble(t)
	}
}

// A goroutineWatch counts the goroutines of one test.
type goroutineWatch struct {
	limit int
	idle  func() int64 // how many goroutines there are that do not count, or nil
	count func() int
	list  func() []stacks.Goroutine

	// quiet is a number of goroutines in the process up to which a count is
	// unlikely to find more than the limit; looks counts those beyond the limit.
	quiet atomic.Int64
	looks atomic.Int64

	mu struct {
		sync.Mutex
		ended bool
		peak  []stacks.Goroutine // the largest excess
	}
}

// Every so many looks that find the process beyond the limit there is a count in
// any case: other goroutines may have ended while those of the test became more.
const goroutineLooks = 64

// look counts if there may be too many. Nearly always it costs a read of the
// number of goroutines in the process.
func (w *goroutineWatch) look() {
	total := w.total()
	if total <= int64(w.limit) || total <= w.quiet.Load() && w.looks.Add(1)%goroutineLooks != 0 {
		return
	}
	w.measure(total)
}

// total is the number of goroutines in the process, less those that do not
// count: one of these that starts to work must not go unseen.
func (w *goroutineWatch) total() int64 {
	n := int64(runtime.NumGoroutine())
	if w.idle != nil {
		n -= w.idle()
	}
	return n
}

// measure counts, and keeps the goroutines if there are too many.
func (w *goroutineWatch) measure(total int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.ended {
		return
	}
	n := w.count()
	if n <= w.limit {
		w.quiet.Store(total + int64(w.limit-n))
		return
	}
	if list := w.list(); len(list) > w.limit && len(list) > len(w.mu.peak) {
		w.mu.peak = list
	}
	w.quiet.Store(total + total/4) // a dump for every fourth more, not for every one
}

// end counts a last time and reports.
func (w *goroutineWatch) end(t tb.TB) {
	t.Helper()
	w.measure(w.total())
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.ended = true
	if len(w.mu.peak) > 0 {
		t.Errorf("qtests: %s had at least %d goroutines at once; LimitGoroutines allows %d. They were started at\n%s",
			t.Name(), len(w.mu.peak), w.limit, describeOrigins(w.mu.peak))
	}
}

// sampleEvery is how often goroutines are counted outside of bubbles.
const sampleEvery = time.Millisecond

func (w *goroutineWatch) watchScope(t tb.TB) {
	t.Helper()
	s := scope.Enter(t, scope.Bound)
	w.count = func() int { return s.Count(s.Holds) }
	w.list = func() []stacks.Goroutine { return s.List(s.Holds) }
	// A timer, and not a goroutine, which other leak checks would find.
	var timer *time.Timer
	var mu sync.Mutex
	ended := false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(sampleEvery, func() {
		w.look()
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			timer.Reset(sampleEvery)
		}
	})
	t.Cleanup(func() {
		t.Helper()
		mu.Lock()
		ended = true
		timer.Stop()
		mu.Unlock()
		s.Leave(t)
		w.end(t)
	})
}

func (w *goroutineWatch) watchBubble(t tb.TB) {
	home := bubble.HomeHere()
	q, ok := t.(*T)
	if ok {
		home = q.home // what the body started before counts too
	}
	var ender atomic.Uint64 // the goroutine that runs the cleanups
	here := home.Leftovers
	if !ok {
		here = home.LeftoversAtWork
	}
	w.list = func() []stacks.Goroutine {
		return slices.DeleteFunc(here(), func(g stacks.Goroutine) bool { return g.ID == ender.Load() || g.Stands() })
	}
	w.count = func() int { return len(w.list()) }
	if ok {
		w.idle = q.clock.Standing
		q.clock.Watched().Rests.Add(w.look)
	}
	t.Cleanup(func() {
		t.Helper()
		this := stacks.This()
		if this.Bubble != home.Bubble() {
			return // t is the test outside, and the bubble has ended
		}
		ender.Store(this.ID)
		if ok {
			q.Wait()
		}
		w.end(t)
	})
}

// describeOrigins groups goroutines by the line that started them.
func describeOrigins(list []stacks.Goroutine) string {
	places := map[string]int64{}
	for _, g := range list {
		places[g.Origin()]++
	}
	top, others := sites.TopOf(places)
	var b strings.Builder
	for _, p := range top {
		fmt.Fprintf(&b, "%8d  %s\n", p.Amount, p.Name)
	}
	if others > 0 {
		fmt.Fprintf(&b, "          … and %d more places\n", others)
	}
	return strings.TrimRight(b.String(), "\n")
}
