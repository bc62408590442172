package ordered_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/stress"
)

// release starts n goroutines, lets all of them wait, and wakes all of them at once. It
// returns the turns that this took, without those of a machine so slow that starting them
// was a loop of more than 2 s.
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
	return after.Turns - before.Turns - (after.Kinds[ordered.Loop] - before.Kinds[ordered.Loop])
}

// TestManyAtOnce: every goroutine gets the turn once to begin and once to go on, and the
// one that waits for them once each time.
func TestManyAtOnce(t *testing.T) {
	needsOrdered(t)
	most := 100_000
	if stress.Factor(t) > 1 {
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

// pingPong passes the turn to and fro between two goroutines, n times each, and sleeps n times.
func pingPong(n int) {
	there, back := make(chan int), make(chan int)
	go func() {
		defer close(back)
		for i := range there {
			back <- i
		}
	}()
	for i := range n {
		there <- i
		<-back
		time.Sleep(time.Nanosecond)
	}
	close(there)
	<-back
}

// beside returns the real time that pingPong takes beside n goroutines that wait, a half of
// them on a channel and the others on timers, and the line of release(n), for a goroutine.
func beside(t *testing.T, seed uint64, n int) (alone, released time.Duration) {
	const times = 20_000
	inBubble(t, seed, nil, func(*testing.T) {
		start := ordered.Wall()
		release(n)
		released = ordered.Wall().Sub(start) / time.Duration(n)
		gate := make(chan struct{})
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				if i%2 == 0 {
					<-gate
				} else {
					time.Sleep(time.Hour)
				}
			})
		}
		synctest.Wait()
		alone = time.Hour
		for range 5 {
			start = ordered.Wall()
			pingPong(times)
			alone = min(alone, ordered.Wall().Sub(start)/times)
		}
		close(gate)
		wg.Wait()
	})
	return alone, released
}

// TestNothingGrowsWithThoseThatWait: with one step of a turn that looks at all goroutines
// the times would be 1,000 times as long beside 1,000 times as many. It goes by real time,
// and is part of the long form alone.
func TestNothingGrowsWithThoseThatWait(t *testing.T) {
	needsOrdered(t)
	if stress.Factor(t) == 1 {
		t.Skip("only with QTESTS_STRESS")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it looks at every stack
	for _, seed := range []uint64{1, 2} {
		alone, released := beside(t, seed, 1_000)
		for _, n := range []int{1_000, 100_000, 1_000_000} {
			a, r := beside(t, seed, n)
			t.Logf("seed %d, %9d goroutines: beside them %v for two turns and a sleep; to start and wake one of them %v", seed, n, a, r)
			require.Less(t, a, 100*alone)
			require.Less(t, r, 100*released)
			runtime.GC()
		}
	}
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
