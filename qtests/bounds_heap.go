package qtests

import (
	"reflect"
	"runtime"
	"sync"

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
	rate := profileEvery(max(growth/64, 1<<10))
	collect()
	profile := readHeapProfile() // before the reading: it is on the heap as well
	before := liveHeap()
	t.Cleanup(func() {
		t.Helper()
		defer rate.restore()
		alone(t, "LimitHeap", "the heap is that")
		after := settledHeap(before + growth)
		if after <= before+growth {
			runtime.KeepAlive(profile)
			return
		}
		t.Errorf("qtests: the live heap grew by %s in %s; LimitHeap allows %s. It was %s and is %s, each after two collections. Held are, of what was allocated since, estimated from samples,\n%s",
			formatBytes(after-before), t.Name(), formatBytes(growth), formatBytes(before), formatBytes(after),
			describeSites(readHeapProfile().keptSince(profile, rate), formatBytes))
	})
}

// makeTypeTable has package reflect make the table of the binary's types that it
// keeps from the first use of a composed type on: tens of KiB, and in go1.27 the
// first use of encoding/json is one.
var makeTypeTable = sync.OnceFunc(func() {
	type nowhere struct{} // of which there are no channels, or the table would not be asked
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

// settledHeap reads the heap until it is at most limit, ten times at the most.
func settledHeap(limit int64) int64 {
	heap := liveHeap()
	for i := 0; i < 9 && heap > limit; i++ {
		runtime.Gosched() // lets the finalizers run that the last collection queued
		heap = min(heap, liveHeap())
	}
	return heap
}
