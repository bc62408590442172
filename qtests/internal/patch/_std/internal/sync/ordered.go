package sync

import _ "unsafe"

// The bits of Mutex.state that hold the tag of the bubble of the goroutine that locked
// it, 0 outside an ordered bubble. They are set and cleared with mutexLocked.
const (
	mutexTagShift = 3
	mutexTagBits  = 5
	mutexTagMask  = (1<<mutexTagBits - 1) << mutexTagShift
)

//go:linkname runtime_orderedTag
func runtime_orderedTag() int32

//go:linkname runtime_orderedAcquire
func runtime_orderedAcquire(s *uint32, lifo bool, skipframes int)

// runtime_orderedHandOff lets others run and reports true in an ordered bubble. It is called
// while a mutex is on its way from one goroutine to another: who gets it, and whether
// waiting for it is durable, is known when the other has run.
//
//go:linkname runtime_orderedHandOff
func runtime_orderedHandOff() bool

// orderedAcquire waits for the mutex, whose state was old. The wait is durable when a
// goroutine of the same bubble holds the mutex.
func orderedAcquire(s *uint32, lifo bool, skipframes int, old int32) {
	tag := runtime_orderedTag()
	if tag != 0 && old&mutexTagMask == tag {
		runtime_orderedAcquire(s, lifo, skipframes+1)
		return
	}
	runtime_SemacquireMutex(s, lifo, skipframes+1)
}

// OrderedTag returns the tag of the bubble that holds m, for RWMutex.
func (m *Mutex) OrderedTag() int32 { return m.state & mutexTagMask }

// runtime_orderedSeed is the seed of a HashTrieMap, the same in every ordered process.
//
//go:linkname runtime_orderedSeed runtime.orderedSeed
func runtime_orderedSeed() uint64
