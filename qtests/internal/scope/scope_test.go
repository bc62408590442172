package scope_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/scope"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestScopeLabelsAndCounts(t *testing.T) {
	require.Empty(t, scope.HostFunction())
	this := stacks.This().ID
	s := scope.Enter(t, scope.Bound)
	inner := scope.Enter(t, scope.Check)
	require.True(t, s.Holds(inner.Path()))
	require.Equal(t, inner.Path(), scopeInDump(this))
	require.Zero(t, s.Count(s.Holds), "the test itself does not count")
	require.Empty(t, s.List(s.Holds))
	release := leave(t, 3)
	require.Equal(t, 3, s.Count(s.Holds))
	require.Len(t, s.List(s.Holds), 3)
	release()
	qtests.Run(t, func(q *qtests.T) {
		require.Zero(q, s.Count(s.Holds), "nor do those around a bubble")
		require.Empty(q, s.List(s.Holds))
	})
	inner.Leave(t)
	require.Equal(t, s.Path(), scopeInDump(this))
	s.Leave(t)
	require.NotContains(t, string(stacks.LabelledDump()), stacks.ScopeLabel)
	tbtest.Run("TestHost", func(r *tbtest.TB) {
		require.Contains(t, scope.HostFunction(), "tbtest")
		s := scope.Enter(r, scope.Bound)
		require.Zero(t, s.Count(s.Holds), "nor does it where it is not the testing package's")
		s.Leave(r)
	})
}

// A test is in the scope that it entered last, and in the one before when it has left that.
func TestInnermostScope(t *testing.T) {
	var paths []string
	at := func() string { return scope.PathOf(t.Name()) }
	for range 3 {
		s := scope.Enter(t, scope.Bound)
		require.Equal(t, s.Path(), at())
		require.NotContains(t, paths, s.Path(), "each has a path of its own")
		paths = append(paths, s.Path())
		inner := scope.Enter(t, scope.Check)
		require.Equal(t, inner.Path(), at())
		t.Run("sub", func(t *testing.T) {
			sub := scope.Enter(t, scope.Bound)
			require.True(t, inner.Holds(sub.Path()), "a subtest is in the scope of its test")
			sub.Leave(t)
			require.Empty(t, scope.PathOf(t.Name()))
		})
		inner.Leave(t)
		require.Equal(t, s.Path(), at())
		s.Leave(t)
		require.Empty(t, at())
	}
}

// Where the testing package does not run a test, its own goroutine does not count, and others that began with the same function do.
func TestHostsThatAreAlike(t *testing.T) {
	host := func(f func()) (ended chan struct{}) {
		ended = make(chan struct{})
		go func() { defer close(ended); f() }()
		return ended
	}
	<-host(func() {
		s := scope.Enter(t, scope.Bound)
		defer s.Leave(t)
		assert.Zero(t, s.Count(s.Holds))
		gate := make(chan struct{})
		others := []chan struct{}{host(func() { <-gate }), host(func() { <-gate })}
		release := leave(t, 3)
		assert.Equal(t, 5, s.Count(s.Holds))
		assert.Len(t, s.List(s.Holds), 5)
		close(gate)
		for _, ended := range others {
			<-ended
		}
		release()
	})
}

// However deep the call is, the testing package is found around it.
func TestHostOfDeepCalls(t *testing.T) {
	var deep func(n int)
	deep = func(n int) {
		require.Empty(t, scope.HostFunction(), n)
		if n < 200 {
			deep(n + 1)
		}
	}
	deep(0)
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

// leave starts goroutines that stay until they are released.
func leave(t *testing.T, n int) (release func()) {
	gate := make(chan struct{})
	var all sync.WaitGroup
	for range n {
		all.Go(func() { <-gate })
	}
	release = sync.OnceFunc(func() { close(gate); all.Wait() })
	t.Cleanup(release)
	return release
}
