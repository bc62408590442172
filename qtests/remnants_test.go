package qtests

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/prime"
)

// countCollections counts what the bubbles of a test make the process collect.
func countCollections(t *testing.T) *int {
	n := 0
	before := processRemnants.collect
	processRemnants.collect = func() { n++; runtime.GC() }
	t.Cleanup(func() { processRemnants.collect = before })
	return &n
}

// TestCleanBubblesCostNoCollections: what is known of a test is not asked again.
func TestCleanBubblesCostNoCollections(t *testing.T) {
	first := func(*T) {}
	Run(t, first) // collects what the tests before it left in pools, which may take two collections
	// On a busy machine an empty body may take as long as one that is looked at each time.
	processRemnants.long = time.Hour
	t.Cleanup(func() { processRemnants.long = heavyBody })
	n := countCollections(t)
	for range 200 {
		Run(t, func(*T) {})
	}
	if ordered.Available() {
		require.Zero(t, *n)
	}
	require.LessOrEqual(t, *n, 2, "one for this body and one for the first")
}

func TestPooledBubblesAreCollected(t *testing.T) {
	n := countCollections(t)
	for range 20 {
		Run(t, usePooledTimer)
	}
	if ordered.Available() {
		require.Zero(t, *n, "a bubble has pools of its own")
		return
	}
	require.GreaterOrEqual(t, *n, 10) // fewer than 40 where collections come by themselves
	require.Contains(t, []remains{pooledRemains, unknownRemains}, processRemnants.kinds[bubbleKind{t.Name(), reflect.ValueOf(usePooledTimer).Pointer()}],
		"the race detector drops from pools at random")
}

// TestRemnantsKeepToTheirBudget: where collecting is expensive there is little of
// it, save for what is known to be in a pool.
func TestRemnantsKeepToTheirBudget(t *testing.T) {
	now, collections := time.Unix(0, 0), 0
	r := &remnants{
		kinds: map[bubbleKind]remains{}, warn: func(string) {}, now: func() time.Time { return now },
		collect: func() { collections++; now = now.Add(100 * time.Millisecond) },
	}
	var kept []*canary
	bubble := func(test string) {
		left := r.next(bubbleKind{test: test})
		if left == nil {
			return
		}
		kept = append(kept, left.canary.Load()) // never gone
		left.left.Store(true)
		left.end()
		now = now.Add(10 * time.Millisecond)
	}
	for i := range 1000 {
		bubble(fmt.Sprint("Test", i))
	}
	require.Greater(t, collections, 2)
	require.LessOrEqual(t, r.spent, (remnantLooks+2)*200*time.Millisecond+remnantBudget+now.Sub(time.Unix(0, 0))/remnantShare)

	r.kinds[bubbleKind{test: "TestPooled"}] = pooledRemains
	bubble("TestPooled")
	before := collections
	bubble("TestPooled")
	require.Equal(t, before+2, collections)
	runtime.KeepAlive(kept)
}

// TestHeavyBodiesAreLookedAtAgain: what runs for long may leave nothing in one run, and
// something in the next.
func TestHeavyBodiesAreLookedAtAgain(t *testing.T) {
	for _, c := range []struct {
		took time.Duration
		want bool
	}{{heavyBody - 1, false}, {heavyBody, true}} {
		r := &remnants{kinds: map[bubbleKind]remains{}, now: time.Now, collect: func() {}, warn: func(string) {}, long: heavyBody}
		kind := bubbleKind{test: "TestX"}
		r.kinds[kind] = noRemains
		r.ran(kind, c.took)
		left := r.next(kind)
		require.Equal(t, c.want, left != nil, "%v", c.took)
		if left != nil {
			kept := left.canary.Load()
			left.left.Store(true)
			left.end()
			require.True(t, r.settle(noRemains))
			runtime.KeepAlive(kept)
			runtime.GC()
			r.settle(pooledRemains)
			require.Equal(t, pooledRemains, r.kinds[kind])
		}
	}
}

// TestKeptIsSaidOnce: what no collection removes is said to be kept, once its test is
// over, and costs no more.
func TestKeptIsSaidOnce(t *testing.T) {
	var said []string
	collections := 0
	r := &remnants{kinds: map[bubbleKind]remains{}, now: time.Now, collect: func() { collections++ }, warn: func(test string) { said = append(said, test) }}
	var kept []*canary
	for _, test := range []string{"TestA/1", "TestA/2", "TestB", "TestC", "TestA/2", "TestB"} {
		if left := r.next(bubbleKind{test: test}); left != nil {
			kept = append(kept, left.canary.Load())
			left.left.Store(true)
			left.end()
		}
	}
	require.Equal(t, []string{"TestA/2", "TestB", "TestC"}, said)
	runtime.KeepAlive(kept)
}

// BenchmarkRemnants shows what it costs to look for remains, and to collect them, beside
// a bubble of testing/synctest.
func BenchmarkRemnants(b *testing.B) {
	inTest("synctest", func(t *testing.T) {
		b.Run("synctest.Test", func(b *testing.B) {
			for b.Loop() {
				synctest.Test(t, func(*testing.T) {})
			}
		})
	})
	inTest("qtests", func(t *testing.T) {
		b.Run("qtests.Run", func(b *testing.B) {
			for b.Loop() {
				Run(t, func(*T) {})
			}
		})
		b.Run("qtests.Run, pooled", func(b *testing.B) {
			for b.Loop() {
				Run(t, usePooledTimer)
			}
		})
		b.Run("prepare", func(b *testing.B) {
			for b.Loop() {
				prime.Process()
				if left := processRemnants.next(bubbleKind{test: "Bench"}); left != nil {
					left.end()
				}
			}
		})
	})
}
