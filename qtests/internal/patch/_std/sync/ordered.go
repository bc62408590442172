package sync

import (
	"internal/race"
	"sync/atomic"
	"unsafe"
)

func runtime_orderedTag() int32
func runtime_orderedAcquireR(s *uint32, skipframes int)
func runtime_orderedAcquireW(s *uint32, skipframes int)
func runtime_orderedPools() *unsafe.Pointer

// orderedReaders counts the readers of a RWMutex that belong to one ordered bubble: the
// tag of the bubble and the count in one word. Readers of others are not counted.
type orderedReaders struct{ word atomic.Int64 }

func (r *orderedReaders) add(n int64) {
	tag := int64(runtime_orderedTag())
	if tag == 0 {
		return
	}
	for {
		old := r.word.Load()
		if old != 0 && old>>32 != tag {
			return
		}
		new := tag<<32 | (old+n)&(1<<32-1)
		if new&(1<<32-1) == 0 || old == 0 && n < 0 {
			new = 0
		}
		if r.word.CompareAndSwap(old, new) {
			return
		}
	}
}

// orderedAcquireR waits for the writer of rw. The wait is durable when the writer is of
// the same bubble.
func (rw *RWMutex) orderedAcquireR() {
	if tag := runtime_orderedTag(); tag != 0 && rw.w.mu.OrderedTag() == tag {
		runtime_orderedAcquireR(&rw.readerSem, 1)
		return
	}
	runtime_SemacquireRWMutexR(&rw.readerSem, false, 1)
}

// orderedAcquireW waits for the n readers that were there. The wait is durable when all
// of them are of the same bubble.
func (rw *RWMutex) orderedAcquireW(n int32) {
	if tag := int64(runtime_orderedTag()); tag != 0 && rw.ordered.word.Load() == tag<<32|int64(n) {
		runtime_orderedAcquireW(&rw.writerSem, 1)
		return
	}
	runtime_SemacquireRWMutex(&rw.writerSem, false, 1)
}

// An ordered bubble has pools of its own, so that what one bubble puts into a Pool does
// not come out in the next, and so that the collector does not decide what comes out.
type orderedPool struct{ items map[*Pool][]any }

func orderedPoolOf(p *unsafe.Pointer) *orderedPool {
	if *p == nil {
		*p = unsafe.Pointer(&orderedPool{items: map[*Pool][]any{}})
	}
	return (*orderedPool)(*p)
}

// orderedPut puts x into the pool of the bubble. It reports false outside one.
func (p *Pool) orderedPut(x any) bool {
	slot := runtime_orderedPools()
	if slot == nil {
		return false
	}
	if race.Enabled {
		race.ReleaseMerge(poolRaceAddr(x))
	}
	o := orderedPoolOf(slot)
	o.items[p] = append(o.items[p], x)
	return true
}

// orderedGet returns what was put last in the bubble, or something new.
func (p *Pool) orderedGet() (x any, ok bool) {
	slot := runtime_orderedPools()
	if slot == nil {
		return nil, false
	}
	o := orderedPoolOf(slot)
	if items := o.items[p]; len(items) > 0 {
		x = items[len(items)-1]
		items[len(items)-1] = nil
		o.items[p] = items[:len(items)-1]
		if race.Enabled {
			race.Acquire(poolRaceAddr(x))
		}
		return x, true
	}
	if p.New != nil {
		x = p.New()
	}
	return x, true
}
