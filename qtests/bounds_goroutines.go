package qtests

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/headcount"
	"github.com/go-qtests/qtests/qtests/internal/scope"
	"github.com/go-qtests/qtests/qtests/internal/sites"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
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
// [Reservation.Sleep] do not count, nor those of package load between two requests.
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
	w := &goroutineWatch{headcount.Watch{Limit: n}}
	if !InBubble() {
		w.watchScope(t)
	} else {
		w.watchBubble(t)
	}
}

// A goroutineWatch counts the goroutines of one test.
type goroutineWatch struct{ headcount.Watch }

// end counts a last time and reports.
func (w *goroutineWatch) end(t tb.TB) {
	t.Helper()
	w.Close()
	if peak := w.Peak(); len(peak) > 0 {
		t.Errorf("qtests: %s had at least %d goroutines at once; LimitGoroutines allows %d. They were started at\n%s",
			t.Name(), len(peak), w.Limit, describeOrigins(peak))
	}
}

// sampleEvery is how often goroutines are counted outside of bubbles.
const sampleEvery = time.Millisecond

func (w *goroutineWatch) watchScope(t tb.TB) {
	t.Helper()
	s := scope.Enter(t, scope.Bound)
	w.Count = func() int { return s.Count(s.Holds) }
	w.List = func() []stacks.Goroutine { return s.List(s.Holds) }
	stop := w.Sample(sampleEvery)
	t.Cleanup(func() {
		t.Helper()
		stop()
		s.Leave(t)
		w.end(t)
	})
}

func (w *goroutineWatch) watchBubble(t tb.TB) {
	home := tenancy.HomeHere()
	q, ok := t.(*T)
	if ok {
		home = q.home // what the body started before counts too
	}
	var ender atomic.Uint64 // the goroutine that runs the cleanups
	here := home.Leftovers
	if !ok {
		here = home.LeftoversAtWork
	}
	w.List = func() []stacks.Goroutine {
		return slices.DeleteFunc(here(), func(g stacks.Goroutine) bool { return g.ID == ender.Load() || g.Stands() })
	}
	w.Count = func() int { return len(w.List()) }
	if ok {
		w.Idle = q.clock.Standing
		q.clock.Watched().Rests.Add(w.Look)
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
