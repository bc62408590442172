package qtests

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestScopePaths(t *testing.T) {
	s := &scope{path: "/b1/c2"}
	for path, want := range map[string][2]bool{
		"":              {false, false},
		"/b1":           {false, false},
		"/b1/c2":        {true, true},
		"/b1/c2/b3":     {true, true},
		"/b1/c2/b3/c4":  {true, false},
		"/b1/c2/c3":     {true, false},
		"/b1/c20":       {false, false},
		"/b1/c20/c2":    {false, false},
		"/b9/b1/c2":     {false, false},
		"/b1/c2/c3/b4/": {true, false},
	} {
		require.Equal(t, want, [2]bool{s.holds(path), s.answersFor(path)}, path)
	}
}

func TestScopeLabelsAndCounts(t *testing.T) {
	require.Empty(t, hostFunction())
	this := stacks.This().ID
	s := enterScope(t, boundScope)
	inner := enterScope(t, checkScope)
	require.True(t, s.holds(inner.path))
	require.Equal(t, inner.path, scopeInDump(this))
	require.Zero(t, s.count(s.holds), "the test itself does not count")
	require.Empty(t, s.list(s.holds))
	release := leave(t, 3)
	require.Equal(t, 3, s.count(s.holds))
	require.Len(t, s.list(s.holds), 3)
	release()
	Run(t, func(q *T) {
		require.Zero(q, s.count(s.holds), "nor do those around a bubble")
		require.Empty(q, s.list(s.holds))
	})
	inner.leave(t)
	require.Equal(t, s.path, scopeInDump(this))
	s.leave(t)
	require.NotContains(t, string(stacks.LabelledDump()), stacks.ScopeLabel)
	tbtest.Run("TestHost", func(r *tbtest.TB) {
		require.Contains(t, hostFunction(), "tbtest")
		s := enterScope(r, boundScope)
		require.Zero(t, s.count(s.holds), "nor does it where it is not the testing package's")
		s.leave(r)
	})
}

// scopeInDump returns the scope of a goroutine as a dump shows it.
func scopeInDump(id uint64) (path string) {
	stacks.Where(stacks.LabelledDump(), func(h *stacks.Header) bool {
		if h.ID == id {
			path = h.Label(stacks.ScopeLabel)
		}
		return false
	})
	return path
}

// What hangs in a bubble that was left behind has been reported.
func TestCheckLeaksPassesAbandonedBubbles(t *testing.T) {
	stuck, ended := make(chan struct{}), make(chan struct{})
	bubble, stood := make(chan uint64), uint64(0)
	go func() { // unlabelled: Run's own goroutines stay too, and are the watchdog's
		defer close(ended)
		synctest.Test(t, func(t *testing.T) {
			s := &scope{path: <-paths}
			s.label(t, s.path)
			go func() { <-stuck }()
			s.label(t, "")
			bubble <- stacks.This().Bubble
			<-stuck
		})
	}()
	r := tbtest.Run("TestStuck", func(r *tbtest.TB) {
		CheckLeaks(r)
		scopes.Lock()
		path := scopes.of["TestStuck"]
		scopes.Unlock()
		paths <- path
		stood = <-bubble
		abandonBubble(stood, leftBehind{test: "TestStuck"})
	})
	close(stuck)
	<-ended
	abandoned.Lock()
	delete(abandoned.tests, stood)
	abandoned.Unlock()
	require.Empty(t, r.Errors())
}

// paths brings a scope into a bubble.
var paths = make(chan string)

// The timer goes on counting.
func TestLimitGoroutinesSamples(t *testing.T) {
	r := tbtest.Run("TestSampled", func(r *tbtest.TB) {
		w := &goroutineWatch{limit: 2}
		w.quiet.Store(2)
		w.watchScope(r)
		for w.quiet.Load() == 2 { // until the first sample
			runtime.Gosched()
		}
		var all sync.WaitGroup
		gate := make(chan struct{})
		spawn(7, gate, &all)
		for peak := 0; peak == 0; runtime.Gosched() {
			w.mu.Lock()
			peak = len(w.mu.peak)
			w.mu.Unlock()
		}
		close(gate)
		all.Wait()
	})
	require.Contains(t, r.Errors(), "TestSampled had at least 7 goroutines at once; LimitGoroutines allows 2")
}
