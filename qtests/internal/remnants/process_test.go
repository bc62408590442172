package remnants_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/remnants"
)

// TestCleanBubblesCostNoCollections: what is known of a test is not asked again.
func TestCleanBubblesCostNoCollections(t *testing.T) {
	first := func(*qtests.T) {}
	qtests.Run(t, first) // collects what the tests before it left in pools, which may take two collections
	// On a busy machine an empty body may take as long as one that is looked at each time.
	remnants.SetLong(t, time.Hour)
	n := remnants.CountCollections(t)
	for range 200 {
		qtests.Run(t, func(*qtests.T) {})
	}
	if ordered.Available() {
		require.Zero(t, *n)
	}
	// One for this body and one for the first, and a second one where a goroutine that has ended is not yet gone.
	require.Less(t, *n, 20, "it is asked once, not for each of 200 bubbles")
}

func TestPooledBubblesAreCollected(t *testing.T) {
	if ordered.Race && !ordered.Available() {
		t.Skip("the race detector drops from pools at random, also what tells that a body leaves something in one: a later bubble may then end the process")
	}
	n := remnants.CountCollections(t)
	for range 20 {
		qtests.Run(t, usePooledTimer)
	}
	if ordered.Available() {
		require.Zero(t, *n, "a bubble has pools of its own")
		return
	}
	require.GreaterOrEqual(t, *n, 10) // fewer than 40 where collections come by themselves
	require.True(t, remnants.MayBePooled(t, usePooledTimer), "the race detector drops from pools at random")
}

var pooledTimers = sync.Pool{New: func() any { return time.NewTimer(time.Hour) }}

// usePooledTimer waits as go-redis does.
func usePooledTimer(*qtests.T) {
	timer := pooledTimers.Get().(*time.Timer)
	timer.Reset(time.Second)
	<-timer.C
	pooledTimers.Put(timer)
}
