package breaker

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// A word lets calls pass a closed breaker without its lock. It is atomic integers, the
// parts, and each goroutine uses one of them: where all processors changed a single one, a
// call would take each of them longer than it takes one alone. A part has a result and the
// generation it belongs to, so that they are read and changed in one step:
//
//	bit  63     passing    calls may be admitted
//	bit  62     clean      successes that are not slow may be recorded
//	bits 38-61  generation
//	bits 23-37  running    calls admitted here, less those finished here, plus noneRunning
//	bits  0-22  successes  recorded here and not yet in the machine
//
// Zero means that the machine counts everything. All parts are published (not zero) at
// once, with the same flags. While they are they have taken over the calls in flight, and
// the machine counts down from zero those that finish under the lock. Only the holder of the
// breaker's lock publishes and collects. Collecting swaps each part for zero, so a success is
// either in what was collected or finds its part changed and takes the lock. The ticket
// of a call names a part, and the call finishes in that part, also in another goroutine. Each
// admission and each finish is counted once. But a part may count the finish of a call that was
// admitted before the part was published. So only the sum of all parts and of the machine says
// how many calls are in flight.
//
// Measured in bench's group breaker, as the medians of runs in turn: 28 instead of 113 ns in
// the row closed, consecutive, with a word of one part and without (flags always 0).
type word struct {
	parts []part
	// scatter and shift are the hash that chooses a part. Two processors which are given the same
	// part take 160 ns for a call instead of 35, and would meet there as long as their goroutines
	// run. So scatter becomes another one after so many collisions in a part.
	scatter atomic.Uint64
	shift   uint8
}

// A part has a line of the processors' caches to itself.
type part struct {
	v          atomic.Uint64
	collisions atomic.Uint32 // changes of v that failed because another processor was faster
	_          [52]byte
}

const (
	passing    = 1 << 63
	clean      = 1 << 62
	oneRunning = 1 << 23
	// maxSuccesses is so many that the lock is hardly ever taken because a part is full: with
	// 16,383, two processors took 45 ns for a call on average, because they met at the lock.
	maxSuccesses = oneRunning - 1
	runningMask  = (1<<15 - 1) * oneRunning
	noneRunning  = 1 << 14
	// maxRunning is how many calls in flight a part is published with at most, which
	// leaves it room for more.
	maxRunning = 1 << 13

	generationShift = 38
	// generations is after how many changes of state a generation repeats. A
	// call would have to stay in flight through 16 million of them to be
	// mistaken for a new one.
	generations = 1 << 24
)

// partsPerProcessor makes it seldom that two goroutines which run at once share a part, and
// maxParts bounds what a failure has to collect.
const partsPerProcessor, maxParts = 4, 32

// init makes an empty word for so many processors. Under an order that is to be repeated it has
// one part: which part a goroutine uses depends on where its stack lies.
func (w *word) init(processors int) {
	n := 1
	if processors > 1 && !ordered.Available() {
		n = min(1<<bits.Len(uint(processors*partsPerProcessor-1)), maxParts)
	}
	w.parts, w.shift = make([]part, n), uint8(64-bits.TrailingZeros(uint(n)))
	w.scatter.Store(golden)
}

// partHere is the index of this goroutine's part: its stack is its own, and stays for the most
// part where it is. A call asks once. A second answer, from a deeper frame, could be another
// part, and so one that another processor uses.
func (w *word) partHere() uint8 {
	if len(w.parts) == 1 {
		return 0
	}
	var here byte
	const page = 11 // no stack is smaller than 2 KiB
	return w.partOf(uint64(uintptr(unsafe.Pointer(&here)) >> page))
}

// partOf is the part of a goroutine whose stack is in a page.
func (w *word) partOf(page uint64) uint8 { return uint8(page * w.scatter.Load() >> w.shift) }

// golden is 2^64 over the golden ratio: its products scatter well, and are odd.
const golden = 0x9e3779b97f4a7c15

// collide takes note that another processor was in the same part at the same time. After so many
// times, and then each time that there were twice as many, all goroutines get other parts: where
// there are more processors than parts no choice keeps them apart.
func (w *word) collide(in *part) {
	const patience = 64
	if n := in.collisions.Add(1); n >= patience && n&(n-1) == 0 {
		w.scatter.Store(w.scatter.Load() * golden)
	}
}

// admit passes a call in a part and returns its generation.
func (w *word) admit(part uint8) (generation uint64, ok bool) {
	for at := &w.parts[part]; ; w.collide(at) {
		v := at.v.Load()
		if v&passing == 0 || v&runningMask == runningMask {
			return 0, false
		}
		if at.v.CompareAndSwap(v, v+oneRunning) {
			return v >> generationShift % generations, true
		}
	}
}

// succeed records the success of a call that was admitted in a part.
func (w *word) succeed(part uint8, generation uint64) bool {
	for at := &w.parts[part]; ; w.collide(at) {
		v := at.v.Load()
		if v&clean == 0 || v>>generationShift%generations != generation || v&maxSuccesses == maxSuccesses || v&runningMask == 0 {
			return false
		}
		if at.v.CompareAndSwap(v, v-oneRunning+1) {
			return true
		}
	}
}

// published reports whether the word is published, and with which flags,
// generation included.
func (w *word) published() (flags uint64, ok bool) {
	v := w.parts[0].v.Load()
	return v &^ (runningMask | maxSuccesses), v != 0
}

// collect empties the word.
func (w *word) collect() (running int, successes uint64) {
	if w.parts[0].v.Load() == 0 {
		return 0, 0 // a load costs a fifth of a swap, and an open breaker is here for every call
	}
	for i := range w.parts {
		v := w.parts[i].v.Swap(0)
		running += int(v&runningMask/oneRunning) - noneRunning
		successes += v & maxSuccesses
	}
	return running, successes
}

// publish fills an empty word.
func (w *word) publish(flags uint64, running int) {
	n := len(w.parts)
	for i := range w.parts {
		share := running / n
		if i < running%n {
			share++
		}
		w.parts[i].v.Store(flags | uint64(share+noneRunning)*oneRunning)
	}
}

// holds reports whether so many calls in flight are few enough to be published.
func (w *word) holds(running int) bool { return running <= maxRunning*len(w.parts) }

// flags returns what the word of this machine may be published with, or 0.
func (m *machine) flags() uint64 {
	if m.state != Closed || !m.script.empty() {
		return 0
	}
	f := passing | m.generation<<generationShift
	if !m.cfg.windowed() && m.cfg.TripWhen == nil && m.counts.ConsecutiveFailures == 0 {
		f |= clean
	}
	return f
}
