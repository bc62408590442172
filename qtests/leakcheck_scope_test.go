package qtests

import (
	"context"
	"runtime"
	"runtime/pprof"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/headcount"
	"github.com/go-qtests/qtests/qtests/internal/leftbehind"
	"github.com/go-qtests/qtests/qtests/internal/scope"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// What hangs in a bubble that was left behind has been reported.
func TestCheckLeaksPassesAbandonedBubbles(t *testing.T) {
	stuck, ended := make(chan struct{}), make(chan struct{})
	bubble, stood := make(chan uint64), uint64(0)
	go func() { // unlabelled: Run's own goroutines stay too, and are the watchdog's
		defer close(ended)
		synctest.Test(t, func(t *testing.T) {
			pprof.Do(t.Context(), pprof.Labels(stacks.ScopeLabel, <-paths), func(context.Context) {
				go func() { <-stuck }()
			})
			bubble <- stacks.This().Bubble
			<-stuck
		})
	}()
	r := tbtest.Run("TestStuck", func(r *tbtest.TB) {
		CheckLeaks(r)
		paths <- scope.PathOf("TestStuck")
		stood = <-bubble
		leftbehind.Add(stood, leftbehind.Bubble{Test: "TestStuck"})
	})
	close(stuck)
	<-ended
	leftbehind.Forget(stood)
	require.Empty(t, r.Errors())
}

// paths brings a scope into a bubble.
var paths = make(chan string)

// The timer goes on counting.
func TestLimitGoroutinesSamples(t *testing.T) {
	r := tbtest.Run("TestSampled", func(r *tbtest.TB) {
		w := &goroutineWatch{headcount.Watch{Limit: 2}}
		w.watchScope(r)
		var all sync.WaitGroup
		gate := make(chan struct{})
		spawn(7, gate, &all)
		for len(w.Peak()) == 0 {
			runtime.Gosched()
		}
		close(gate)
		all.Wait()
	})
	require.Contains(t, r.Errors(), "TestSampled had at least 7 goroutines at once; LimitGoroutines allows 2")
}
