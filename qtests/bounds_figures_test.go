package qtests

import (
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/sites"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A heap beyond the limit is read again, ten times at the most, and the least counts.
func TestTheHeapSettles(t *testing.T) {
	for _, c := range []struct {
		readings   []int64
		want, read int64
	}{
		{[]int64{50}, 50, 1},
		{[]int64{51, 60, 50}, 50, 3},
		{[]int64{70, 60, 80, 80, 80, 80, 80, 80, 80, 80, 10}, 60, 10},
	} {
		var read int64
		got := settled(50, func() int64 { read++; return c.readings[read-1] })
		require.Equal(t, c.want, got)
		require.Equal(t, c.read, read)
	}
}

// Two of three series have to grow; one that does not, and in which no fall can hide it, is enough to pass.
func TestTheSlopeOfSeveralSeries(t *testing.T) {
	var (
		grows  = []int64{0, 9, 18, 27, 36, 45, 54, 63}
		least  = []int64{0, 8, 16, 24, 32, 40, 48, 56}
		less   = []int64{0, 7, 14, 21, 28, 35, 42, 49}
		flat   = []int64{7, 7, 7, 7, 7, 7, 7, 7}
		hidden = []int64{8, 16, 24, 32, -960, -952, -944, -936} // grows by 8, but for a fall
	)
	for _, c := range []struct {
		series [][]int64
		want   float64
		read   int
	}{
		{[][]int64{grows, least}, 8, 2},
		{[][]int64{least, grows}, 9, 2},
		{[][]int64{flat}, 0, 1},
		{[][]int64{less}, 0, 1},
		{[][]int64{grows, less}, 0, 2},
		{[][]int64{grows, hidden, least}, 8, 3},
		{[][]int64{hidden, grows, hidden}, 0, 3},
		{[][]int64{hidden, hidden, hidden}, 0, 3},
	} {
		read := 0
		got := slopeOf(func() []int64 { read++; return slices.Clone(c.series[read-1]) })
		require.InDelta(t, c.want, got, 1e-9, "%v", c.series)
		require.Equal(t, c.read, read, "%v", c.series)
	}
}

func TestKeptByBothHalves(t *testing.T) {
	require.Equal(t, map[string]int64{"a": 10, "d": 0}, keptByBoth(
		map[string]int64{"a": 80, "b": 80, "c": 80, "d": 1}, map[string]int64{"a": 80, "b": 0, "c": -16, "d": 1, "e": 80}, 16))
}

// Zero is a bound like others.
func TestBoundsOfZero(t *testing.T) {
	for _, assert := range []func(tb.TB){
		func(r tb.TB) { LimitHeap(r, 0) },
		func(r tb.TB) { LimitGoroutines(r, 0) },
		func(r tb.TB) { LimitAllocs(r, 0, func() {}) },
	} {
		r := tbtest.Run("TestZero", func(r *tbtest.TB) { assert(r) })
		require.NotContains(t, r.Errors(), "negative")
	}
}

// Eight rounds are enough to tell a slope from a step.
func TestLeastRoundsOfSteady(t *testing.T) {
	require.Empty(t, tbtest.Run("TestSteady", func(r *tbtest.TB) { Steady(r, steadyLeast, func() {}) }).Errors())
}

func TestWhatHasPointers(t *testing.T) {
	for _, v := range []any{new(int), "", []int{}, map[int]int{}, make(chan int), func() {}, [1]*int{}, struct {
		n int
		p *int
	}{}} {
		require.True(t, hasPointers(reflect.TypeOf(v)), "%T", v)
	}
	for _, v := range []any{1, 1.5, true, [3]int{}, [0]*int{}, struct{}{}, struct {
		n int32
		p [0]*int
	}{}} {
		require.False(t, hasPointers(reflect.TypeOf(v)), "%T", v)
	}
	require.Contains(t, unwatchable(reflect.TypeFor[[15]byte]()), "it has 15 bytes")
	require.Empty(t, unwatchable(reflect.TypeFor[[16]byte]()))
}

// The places with most of the goroutines are named, and how many others there are.
func TestPlacesOfGoroutines(t *testing.T) {
	started := func(by string, n int) []stacks.Goroutine {
		return slices.Repeat([]stacks.Goroutine{{Stack: "p.wait()\n\t/p.go:1 +0x1\ncreated by example.com/p." + by + " in goroutine 1\n\t/p.go:2 +0x1"}}, n)
	}
	var all []stacks.Goroutine
	for n, by := range []string{"a", "b", "c", "d", "e"} {
		all = append(all, started(by, n+1)...)
	}
	five := describeOrigins(all)
	require.Regexp(t, `^ {7}5  \S+  example.com/p.e\n {7}4 (.|\n)*\n {7}1  \S+  example.com/p.a$`, five)
	require.Regexp(t, `example.com/p.b\n {10}… and 1 more places$`, describeOrigins(append(all, started("f", 7)...)))
}

// Four fifths of a measurement are of the calls alone.
func TestAllocationsOfACall(t *testing.T) {
	var sink [][]byte
	kept := allocatedByRun(func() { sink = append(sink[:0], make([]byte, 100), make([]byte, 200)) })
	runtime.KeepAlive(sink)
	var objects int64
	for site, n := range kept {
		if site != sites.RuntimeSite {
			objects += n
		}
	}
	require.Equal(t, int64(2), objects)
}
