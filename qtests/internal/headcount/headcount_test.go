package headcount

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// A crowd has as many goroutines as one says.
type crowd struct{ n, counts, lists atomic.Int64 }

func (c *crowd) watch(limit int) *Watch {
	return &Watch{
		Limit: limit,
		Count: func() int { c.counts.Add(1); return int(c.n.Load()) },
		List:  func() []stacks.Goroutine { c.lists.Add(1); return make([]stacks.Goroutine, c.n.Load()) },
	}
}

func TestTheLargestExcessIsKept(t *testing.T) {
	var c crowd
	w := c.watch(4)
	for _, x := range []struct{ n, peak int }{{4, 0}, {5, 5}, {9, 9}, {6, 9}, {1, 9}} {
		c.n.Store(int64(x.n))
		w.measure(1)
		require.Len(t, w.Peak(), x.peak)
	}
	c.n.Store(10)
	w.Close()
	require.Len(t, w.Peak(), 10, "counted a last time")
	c.n.Store(11)
	w.measure(1)
	require.Len(t, w.Peak(), 10, "and not again")
}

// A process that has no more goroutines than before is counted now and then all the same.
func TestQuietLooksAreCheap(t *testing.T) {
	var c crowd
	w := c.watch(0)
	for range 10 * goroutineLooks {
		w.Look()
	}
	require.Positive(t, c.counts.Load())
	require.Less(t, c.counts.Load(), int64(goroutineLooks))
}

func TestSampleGoesOn(t *testing.T) {
	var c crowd
	w := c.watch(0)
	stop := w.Sample(time.Microsecond)
	for c.counts.Load() == 0 {
		runtime.Gosched()
	}
	c.n.Store(7)
	for c.lists.Load() == 0 {
		runtime.Gosched()
	}
	stop()
	w.Close()
	require.Len(t, w.Peak(), 7)
}
