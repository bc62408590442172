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
	most := 2 // one for this body and one for the first
	if ordered.Race {
		most = 2 * 2 * remnants.Looks // two for each look at this body and at the first
	}
	require.LessOrEqual(t, *n, most)
}

func TestPooledBubblesAreCollected(t *testing.T) {
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
