package qtests

import (
	"reflect"
	"runtime"
	"sync"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/sites"
	"github.com/go-qtests/qtests/qtests/tb"
)

// LimitHeap fails t when the live heap of the process has grown by more than
// growth bytes between this call and the end of t, when the cleanups registered
// after it have run. Each reading follows two collections, so garbage and the
// contents of a sync.Pool do not count; a reading beyond the limit is taken
// again, up to ten times, for objects with finalizers go later. growth must not
// be negative.
//
// What the test itself still holds at its end counts: a variable that the test
// function does not use any more is not held, one in a package or in a cleanup
// registered earlier is. Allow some KiB for the testing package and qtests.
//
// The failure names the five allocation sites that hold most of the growth. To
// find them, LimitHeap makes the runtime's heap profile sample about every
// growth/64 bytes, from 1 KiB to the usual 512 KiB, until t ends. That costs about
// a microsecond a sample.
//
// The heap belongs to the whole process: in a parallel test LimitHeap fails at
// once. In a benchmark, call b.ResetTimer after it.
func LimitHeap(t tb.TB, growth int64) {
	t.Helper()
	if growth < 0 {
		tb.Fatalf(t, "qtests: LimitHeap: %d is negative", growth)
	}
	alone(t, "LimitHeap", "the heap is that")
	makeTypeTable()
	rate := sites.ProfileEvery(max(growth/64, 1<<10))
	collect()
	profile := sites.Read() // before the reading: it is on the heap as well
	before := liveHeap()
	t.Cleanup(func() {
		t.Helper()
		defer rate.Restore()
		alone(t, "LimitHeap", "the heap is that")
		after := settled(before+growth, liveHeap)
		if after <= before+growth {
			runtime.KeepAlive(profile)
			return
		}
		t.Errorf("qtests: the live heap grew by %s in %s; LimitHeap allows %s. It was %s and is %s, each after two collections. Held are, of what was allocated since, estimated from samples,\n%s",
			sites.FormatBytes(after-before), t.Name(), sites.FormatBytes(growth), sites.FormatBytes(before), sites.FormatBytes(after),
			sites.Describe(sites.Read().KeptSince(profile, rate), sites.FormatBytes))
	})
}

// makeTypeTable has package reflect make the table of the binary's types that it
// keeps from the first use of a composed type on: tens of KiB, and in go1.27 the
// first use of encoding/json is one.
var makeTypeTable = sync.OnceFunc(func() {
	type nowhere struct{} // no channel has it as its element, or the table would not be asked
	reflect.ChanOf(reflect.BothDir, reflect.TypeFor[nowhere]())
})

// collect collects twice: the first round moves what pools hold aside and queues
// finalizers, the second frees it.
func collect() {
	runtime.GC()
	runtime.GC()
}

// liveHeap returns the bytes of live objects. Everything dead is swept when
// runtime.GC returns, and ReadMemStats brings every processor's count in, so the
// number is exact but for what runs beside.
func liveHeap() int64 {
	collect()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// heapTries is how often the heap is read until it is within a limit.
const heapTries = 10

// settled returns what read returns of the heap, several times if that is beyond
// limit: what a finalizer frees takes a collection more, and a finalizer may free
// what has one as well.
func settled(limit int64, read func() int64) int64 {
	heap := read()
	for tries := 1; tries < heapTries && heap > limit; tries++ {
		runtime.Gosched() // lets the finalizers run that the last collection queued
		heap = min(heap, read())
	}
	return heap
}

// inParallel reports whether a parallel test is running: this one, or one beside
// it. The testing package tells nobody; but AllocsPerRun refuses to measure then,
// before it does anything else.
func inParallel() (yes bool) {
	defer func() { yes = recover() != nil }()
	testing.AllocsPerRun(1, func() {})
	return false
}

// alone fails t if what the assertion measures could be a neighbour's.
func alone(t tb.TB, assertion, what string) {
	t.Helper()
	if inParallel() {
		tb.Fatalf(t, "qtests: %s while a parallel test runs (%s, or one beside it): %s of the whole process, and a neighbour's cannot be told from this test's. Take t.Parallel out of this test and of the tests around it; without it, no parallel test runs beside this one",
			assertion, t.Name(), what)
	}
}
