package breaker

import (
	"math/bits"
	"runtime"
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
//	bits 29-61  generation
//	bits 14-28  running    calls admitted here, less those finished here, plus noneRunning
//	bits  0-13  successes  recorded here and not yet in the machine
//
// Zero means that the machine counts everything. All parts are published (not zero) at
// once, with the same flags. While they are they have taken over the calls in flight, and
// the machine counts down from zero those that finish under the lock. Only the holder of the
// breaker's lock publishes and collects. Collecting swaps each part for zero, so a success is
// either in what was collected or finds its part changed and takes the lock. A call may be
// admitted in one part and finish in another. What was collected has it as a whole, or its
// admission alone: a goroutine that met zero in one part waits for the lock, and cannot have
// been in a part that is collected later.
//
// Measured in bench's group breaker, as the medians of runs in turn: 28 instead of 113 ns in
// the row closed, consecutive, with a word of one part and without (flags always 0).
type word struct {
	parts []part
	shift uint8 // of the hash that chooses a part
}

// A part has a line of the processors' caches to itself.
type part struct {
	v atomic.Uint64
	_ [56]byte
}

const (
	passing      = 1 << 63
	clean        = 1 << 62
	oneRunning   = 1 << 14
	maxSuccesses = oneRunning - 1
	runningMask  = (1<<15 - 1) << 14
	noneRunning  = 1 << 14
	// maxRunning is how many calls in flight a part is published with at most, which
	// leaves it room for more.
	maxRunning = 1 << 13

	generationShift = 29
	// generations is after how many changes of state a generation repeats. A
	// call would have to stay in flight through 8 billion of them to be
	// mistaken for a new one.
	generations = 1 << 33
)

// partsPerProcessor makes it seldom that two goroutines which run at once share a part, and
// maxParts bounds what a failure has to collect.
const partsPerProcessor, maxParts = 4, 32

// newWord returns a word for so many processors. Under an order that is to be repeated it has
// one part: which part a goroutine uses depends on where its stack lies.
func newWord(processors int) word {
	n := 1
	if processors > 1 && !ordered.Available() {
		n = min(1<<bits.Len(uint(processors*partsPerProcessor-1)), maxParts)
	}
	return word{make([]part, n), uint8(64 - bits.TrailingZeros(uint(n)))}
}

func wordHere() word { return newWord(runtime.GOMAXPROCS(0)) }

// part is the one of this goroutine: its stack is its own, and stays for the most part where
// it is.
func (w *word) part() *atomic.Uint64 {
	if len(w.parts) == 1 {
		return &w.parts[0].v
	}
	var here byte
	const page, scatter = 11, 0x9e3779b97f4a7c15 // no stack is smaller than 2 KiB; 2^64 over the golden ratio
	return &w.parts[uint64(uintptr(unsafe.Pointer(&here))>>page)*scatter>>w.shift].v
}

// admit passes a call and returns its generation.
func (w *word) admit() (generation uint64, ok bool) {
	for at := w.part(); ; {
		v := at.Load()
		if v&passing == 0 || v&runningMask == runningMask {
			return 0, false
		}
		if at.CompareAndSwap(v, v+oneRunning) {
			return v >> generationShift % generations, true
		}
	}
}

// succeed records the success of a call.
func (w *word) succeed(generation uint64) bool {
	for at := w.part(); ; {
		v := at.Load()
		if v&clean == 0 || v>>generationShift%generations != generation || v&maxSuccesses == maxSuccesses || v&runningMask == 0 {
			return false
		}
		if at.CompareAndSwap(v, v-oneRunning+1) {
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
