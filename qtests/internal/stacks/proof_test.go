package stacks

import (
	"context"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestProofsHold(t *testing.T) {
	require.Empty(t, findProofByLabel())
	synctest.Test(t, func(t *testing.T) { require.Empty(t, findProofInBubble()) })
	require.Contains(t, findProofInBubble(), "package time says that a goroutine is in a bubble: false; its header: false", "outside of bubbles")
}

// TestThisGoroutine: it knows itself, however long its labels are.
func TestThisGoroutine(t *testing.T) {
	t.Setenv("GODEBUG", "tracebacklabels=1")
	pprof.Do(context.Background(), pprof.Labels("tenant", strings.Repeat("x", 1000)), func(context.Context) {
		short := make(chan Goroutine)
		go func() {
			pprof.SetGoroutineLabels(context.Background())
			short <- This()
		}()
		long := This()
		require.Equal(t, "running", long.State)
		require.Zero(t, long.Bubble)
		other := <-short
		require.Equal(t, "running", other.State)
		require.NotEqual(t, long.ID, other.ID)
	})
}

func TestOfBubble(t *testing.T) {
	ids := func(all []Goroutine) (ids []uint64) {
		for _, g := range all {
			ids = append(ids, g.ID)
		}
		return ids
	}
	outside := make(chan uint64)
	go func() {
		outside <- This().ID
		<-outside
	}()
	outer := <-outside
	defer close(outside)
	synctest.Test(t, func(t *testing.T) {
		other := make(chan uint64)
		go func() {
			other <- This().ID
			<-other
		}()
		this, there := This(), <-other
		defer close(other)
		require.NotZero(t, this.Bubble)
		found := ids(OfBubble(this.Bubble))
		require.Contains(t, found, this.ID)
		require.Contains(t, found, there)
		require.NotContains(t, found, outer)
		require.Contains(t, ids(OfBubble(0)), outer)
	})
}

func TestThisGoroutineRefuses(t *testing.T) {
	require.Contains(t, Unreadable([]byte("x")), "\nx")
	require.Equal(t, "goroutine 7 [running] <x>", string(headerIn([]byte("goroutine 71 [x]:\n\ngoroutine 7 [running] <x>\nmain.f()\n"), 7)))
	require.Contains(t, string(headerIn(nil, 7)), "no line")
}
