package bench

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// footprint is the live heap and the stacks in use, in bytes.
func footprint() int64 {
	heap := liveHeap()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return heap + int64(m.StackInuse)
}

// liveHeap is what is reachable, in bytes. A second collection sweeps what the
// first one found.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestFootprintHasTheHeap(t *testing.T) {
	const size = 16 << 20
	heap, all := liveHeap(), footprint()
	held := make([]byte, size)
	require.InEpsilon(t, size, liveHeap()-heap, 0.05)
	require.InEpsilon(t, size, footprint()-all, 0.05)
	runtime.KeepAlive(held)
}

func TestFootprintHasTheStacks(t *testing.T) {
	const n, frame = 1000, 16 << 10
	heap, all := liveHeap(), footprint()
	var ready, ended sync.WaitGroup
	gate := make(chan struct{})
	ready.Add(n)
	for range n {
		ended.Go(func() {
			deep := [frame]byte{}
			ready.Done()
			<-gate
			deep[len(gate)]++ // it is on the stack until here
			runtime.KeepAlive(deep[0])
		})
	}
	ready.Wait()
	stacks, inHeap := footprint()-all, liveHeap()-heap
	close(gate)
	ended.Wait()
	require.GreaterOrEqual(t, stacks-inHeap, int64(n*frame))
	require.LessOrEqual(t, stacks-inHeap, int64(n*frame*4), "a stack is a power of two")
}

// stressFactor is QTESTS_STRESS, by which long tests multiply their size, or 1.
func stressFactor(t *testing.T) int {
	text := os.Getenv("QTESTS_STRESS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}
