package runtime

import _ "unsafe" // for go:linkname

// Mutexes: the state of a locked one has the tag of the bubble that holds it.
const (
	orderedTagShift = 3
	orderedTags     = 31
)

//go:nosplit
func orderedTag() int32 {
	if b := getg().bubble; b != nil && b.turn != nil {
		return b.turn.tag
	}
	return 0
}

//go:linkname internal_sync_orderedTag internal/sync.runtime_orderedTag
//go:nosplit
func internal_sync_orderedTag() int32 { return orderedTag() }

//go:linkname internal_sync_orderedHandOff internal/sync.runtime_orderedHandOff
func internal_sync_orderedHandOff() bool {
	if b := getg().bubble; b == nil || b.turn == nil {
		return false
	}
	Gosched()
	return true
}

//go:linkname sync_orderedTag sync.runtime_orderedTag
//go:nosplit
func sync_orderedTag() int32 { return orderedTag() }

//go:linkname internal_sync_orderedAcquire internal/sync.runtime_orderedAcquire
func internal_sync_orderedAcquire(addr *uint32, lifo bool, skipframes int) {
	semacquire1(addr, lifo, semaBlockProfile|semaMutexProfile, skipframes, waitReasonOrderedMutex)
}

//go:linkname sync_orderedAcquireR sync.runtime_orderedAcquireR
func sync_orderedAcquireR(addr *uint32, skipframes int) {
	semacquire1(addr, false, semaBlockProfile|semaMutexProfile, skipframes, waitReasonOrderedRLock)
}

//go:linkname sync_orderedAcquireW sync.runtime_orderedAcquireW
func sync_orderedAcquireW(addr *uint32, skipframes int) {
	semacquire1(addr, false, semaBlockProfile|semaMutexProfile, skipframes, waitReasonOrderedLock)
}

// orderedNanotime is the time by which a mutex goes: fake in an ordered bubble.
func orderedNanotime() (int64, bool) {
	if b := getg().bubble; b != nil && b.turn != nil {
		return b.now, true
	}
	return 0, false
}
