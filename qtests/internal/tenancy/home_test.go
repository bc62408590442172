package tenancy

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

func ids(all []stacks.Goroutine) (ids []uint64) {
	for _, g := range all {
		ids = append(ids, g.ID)
	}
	return ids
}

// TestLeftovers are those that came after the home was looked at, by their numbers.
func TestLeftovers(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		gate := make(chan bool)
		defer close(gate)
		go func() { <-gate }() // its own
		for range 20 {         // the runtime uses the places of the first again, the last of them first
			go func() {}()
		}
		synctest.Wait()
		home := HomeHere()
		require.Equal(t, stacks.This().Bubble, home.Bubble())
		require.Empty(t, home.Leftovers())
		var want []uint64
		for range 10 {
			id := make(chan uint64)
			go func() {
				id <- stacks.This().ID
				<-gate
			}()
			want = append(want, <-id)
		}
		synctest.Wait()
		slices.Sort(want) // each processor has numbers of its own to give
		require.Equal(t, want, ids(home.Leftovers()))
		require.ElementsMatch(t, want, ids(home.LeftoversAtWork()))
		require.Contains(t, ids(home.Stuck()), stacks.This().ID, "the one that runs the body")
	})
}

// TestLeftoversWhileOthersWork: a goroutine that works outside all the time is not waited for without end.
func TestLeftoversWhileOthersWork(t *testing.T) {
	var ended atomic.Bool
	done := make(chan bool)
	go func() {
		defer close(done)
		for !ended.Load() {
			runtime.Gosched()
		}
	}()
	synctest.Test(t, func(*testing.T) {
		gate := make(chan bool)
		defer close(gate)
		home := HomeHere()
		go func() { <-gate }()
		synctest.Wait()
		require.Len(t, home.LeftoversAtWork(), 1)
	})
	ended.Store(true)
	<-done
}

func TestRunsTests(t *testing.T) {
	for outermost, want := range map[string]bool{
		"testing.tRunner":                 true,
		"testing/synctest.Test.func1":     true,
		RunHost:                           true,
		RunHost + ".func1":                true,
		stacks.GroundFloor + "(*T).Go":    false,
		"testing":                         false,
		"testings.tRunner":                false,
		"example.com/testing.tRunner":     false,
		"":                                false,
		"testing.":                        true,
		"example.com/shop.(*Worker).Work": false,
	} {
		require.Equal(t, want, RunsTests(outermost), outermost)
	}
}
