package ordered_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// release starts n goroutines, lets all of them wait, and wakes all of them at once. It
// returns the turns that this took.
func release(n int) uint64 {
	before, _ := ordered.Now()
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { <-gate })
	}
	synctest.Wait()
	close(gate)
	wg.Wait()
	after, _ := ordered.Now()
	return after.Turns - before.Turns
}

// TestManyAtOnce: every goroutine gets the turn once to begin and once to go on, and the
// one that waits for them once each time.
func TestManyAtOnce(t *testing.T) {
	needsOrdered(t)
	most := 100_000
	if stress() > 1 {
		most = 1_000_000
	}
	for _, seed := range []uint64{1, 2} {
		for _, n := range []int{0, 1, 10, most / 10, most} {
			inBubble(t, seed, nil, func(t *testing.T) {
				want := uint64(2*n + 2)
				if n == 0 {
					want = 1 // nobody is waited for at the end
				}
				require.Equal(t, want, release(n), "%d goroutines", n)
			})
		}
	}
}

// TestStatesAreUsedAgain: goroutines that have ended leave no state behind.
func TestStatesAreUsedAgain(t *testing.T) {
	inBubble(t, 2, nil, func(t *testing.T) {
		for range 1000 {
			require.Equal(t, uint64(2*100+2), release(100))
		}
	})
}

// BenchmarkManyAtOnce shows that the time of a goroutine does not grow with their number.
func BenchmarkManyAtOnce(b *testing.B) {
	needsOrdered(b)
	for _, seed := range []uint64{1, 2} {
		for _, n := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("seed=%d/goroutines=%d", seed, n), func(b *testing.B) {
				for b.Loop() {
					inBenchmarkBubble(b, seed, func() { release(n) })
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/goroutine")
			})
		}
	}
}

// inBenchmarkBubble calls f in an ordered bubble, which package testing opens for a test
// alone.
func inBenchmarkBubble(b *testing.B, seed uint64, f func()) {
	ok := testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "bubble", F: func(t *testing.T) {
		inBubble(t, seed, nil, func(*testing.T) { f() })
	}}})
	require.True(b, ok)
}
