package qtests

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { VerifyTestMain(m) }

func TestSleepIsExactAndSeesItsInstant(t *testing.T) {
	Run(t, func(q *T) {
		var mu sync.Mutex
		var seen []string
		for i := range 50 {
			q.Clock().AfterFunc(time.Second, func() {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, fmt.Sprint(i, q.Elapsed()))
			})
		}
		q.Sleep(time.Second)
		require.Len(q, seen, 50)
		for i, s := range seen {
			require.Equal(q, fmt.Sprint(i, time.Second), s)
		}
		require.Equal(q, time.Second, q.Elapsed())
		for range 1000 {
			q.Sleep(time.Millisecond)
		}
		require.Equal(q, 2*time.Second, q.Elapsed())
		require.NotZero(q, q.RealElapsed())
	})
}

func TestInTurn(t *testing.T) {
	Run(t, func(q *T) {
		var mu sync.Mutex
		var order []int
		gates := make([]func(), 100)
		for i := range gates {
			gate := make(chan struct{})
			q.Go(func() {
				<-gate
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			gates[i] = func() { close(gate) }
		}
		q.Wait()
		InTurn(q.Clock(), gates...)
		q.Wait()
		require.Len(q, order, 100)
		require.IsIncreasing(q, order)
		require.Zero(q, q.Elapsed())
	})
}

// A bubble costs a little, whatever else there is in the process: a look at all
// goroutines takes 1 KiB for each of them.
func TestRunTakesNoDump(t *testing.T) {
	const others, runs = 2000, 50
	release := leave(t, others)
	defer release()
	once := func() {
		Run(t, func(q *T) { q.Sleep(time.Second) })
		Run(t, func(q *T) { q.Cleanup(func() {}) })
	}
	once()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		once()
	}
	runtime.ReadMemStats(&after)
	require.Less(t, (after.TotalAlloc-before.TotalAlloc)/(2*runs), uint64(20<<10))
}
