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
	require.GreaterOrEqual(t, c.counts.Load(), int64(10), "every so many looks")
	require.Less(t, c.counts.Load(), int64(goroutineLooks))
}

// After a count there is none until as many more have come as could exceed the limit, or a fourth more than the excess had.
func TestWhenTheNextCountIs(t *testing.T) {
	var c crowd
	w := c.watch(4)
	for _, x := range []struct{ n, quiet, lists int64 }{{3, 101, 0}, {4, 100, 0}, {0, 104, 0}, {9, 125, 1}} {
		c.n.Store(x.n)
		w.measure(100)
		require.Equal(t, x.quiet, w.quiet.Load())
		require.Equal(t, x.lists, c.lists.Load())
	}
}

// A process with as many goroutines as the limit cannot exceed it, whatever does not count.
func TestFewGoroutinesAreNotCounted(t *testing.T) {
	for others, counts := range map[int]int64{3: 0, 4: 0, 5: 1} {
		var c crowd
		w := c.watch(4)
		w.Idle = func() int64 { return int64(runtime.NumGoroutine() - others) }
		w.Look()
		require.Equal(t, counts, c.counts.Load(), others)
	}
}

// Those that ended between the count and the list are no excess, and of two that are equal the first is kept.
func TestThePeakIsTheFirstOfEqualOnes(t *testing.T) {
	var list []stacks.Goroutine
	w := &Watch{Limit: 1, Count: func() int { return 2 }, List: func() []stacks.Goroutine { return list }}
	list = []stacks.Goroutine{{ID: 1}}
	w.measure(1)
	require.Empty(t, w.Peak())
	for first := range uint64(2) {
		list = []stacks.Goroutine{{ID: 10 + first}, {ID: 20}}
		w.measure(1)
		require.Equal(t, uint64(10), w.Peak()[0].ID)
	}
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
