package scope_test

import (
	"sync"
	"testing"

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
