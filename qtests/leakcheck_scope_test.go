package qtests

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

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
	this := thisGoroutine().id
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
	require.NotContains(t, string(labelledDump()), scopeLabel)
	tbtest.Run("TestHost", func(r *tbtest.TB) {
		require.Contains(t, hostFunction(), "tbtest")
		s := enterScope(r, boundScope)
		require.Zero(t, s.count(s.holds), "nor does it where it is not the testing package's")
		s.leave(r)
	})
}

// scopeInDump returns the scope of a goroutine as a dump shows it.
func scopeInDump(id uint64) (path string) {
	goroutinesWhere(labelledDump(), func(h *stackHeader) bool {
		if h.id == id {
			path = h.label(scopeLabel)
		}
		return false
	})
	return path
}

func TestEachProfiled(t *testing.T) {
	const profile = `goroutine profile: total 5
2 @ 0x44 0x48
# labels: {"a":"\"qtests.scope\":\"/x\"", "qtests.scope":"/c1/b2"}
#	0x51	example.com/shop.inner+0xb0	/shop/a.go:851
#	0x53	example.com/shop.(*Pool[...]).run+0x4c	/shop/b.go:19

3 @ 0x44
#	0x4e		testing.tRunner+0xe9		/go/testing.go:2036
#	0x5f
`
	var all []profiled
	eachProfiled([]byte(profile), func(r profiled) { all = append(all, r) })
	require.Equal(t, []profiled{
		{2, "/c1/b2", "example.com/shop.(*Pool[...]).run"},
		{3, "", "testing.tRunner"},
	}, all)
	for _, header := range []string{
		`goroutine 8 [chan receive, 2 minutes labels:{"a": "]:", "qtests.scope": "/c1"}]:`,
		`goroutine 8 [chan receive, 2 minutes] {a: "]:", qtests.scope: /c1}:`,
	} {
		require.Equal(t, []goroutine{{id: 8, state: "chan receive", stack: "main.f()\n\t/a.go:1 +0x1", outermost: "main.f"}},
			goroutinesWhere([]byte(header+"\nmain.f()\n\t/a.go:1 +0x1\n\ngoroutine 9 [select]:\nmain.g()\n"),
				func(h *stackHeader) bool { return h.label(scopeLabel) != "" }))
	}
}

func FuzzGoroutineText(f *testing.F) {
	f.Add([]byte("2 @ 0x4\n# labels: {\"qtests.scope\":\"/c1\"}\n#\t0x5\ta.b+0x1\t/a.go:1\n"))
	f.Add([]byte("goroutine 8 [select, synctest bubble 12 labels:{\"qtests.scope\": \"/c1\"}]:\nmain.f()\n\t/a.go:1\ncreated by main.g in goroutine 1\n\t/a.go:2 +0x1"))
	f.Add([]byte("goroutine 8 [select, synctest bubble 12] {qtests.scope: /c1, \"a b\": \"c\\\"\"}:\nmain.f()\n\t/a.go:1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		eachProfiled(text, func(r profiled) {
			if r.n <= 0 {
				t.Fatalf("a record of %d goroutines", r.n)
			}
		})
		for _, g := range goroutinesWhere(text, every) {
			if g.state == "" {
				t.Fatal("a goroutine without a state")
			}
			_ = g.origin() + labelIn([]byte(g.stack), scopeLabel)
		}
	})
}

// What hangs in a bubble that was left behind has been reported.
func TestCheckLeaksPassesAbandonedBubbles(t *testing.T) {
	stuck, ended := make(chan struct{}), make(chan struct{})
	bubble := make(chan uint64)
	go func() { // unlabelled: Run's own goroutines stay too, and are the watchdog's
		defer close(ended)
		synctest.Test(t, func(t *testing.T) {
			s := &scope{path: <-paths}
			s.label(t, s.path)
			go func() { <-stuck }()
			s.label(t, "")
			bubble <- thisGoroutine().bubble
			<-stuck
		})
	}()
	r := tbtest.Run("TestStuck", func(r *tbtest.TB) {
		CheckLeaks(r)
		scopes.Lock()
		path := scopes.of["TestStuck"]
		scopes.Unlock()
		paths <- path
		abandonBubble(<-bubble, leftBehind{test: "TestStuck"})
	})
	close(stuck)
	<-ended
	abandoned.Lock()
	abandoned.tests = nil
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
