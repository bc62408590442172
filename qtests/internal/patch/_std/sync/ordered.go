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
//
// Its functions are not looked at by the race detector: the turn orders them, which it
// does not know and must not learn, or it would find no race in a bubble.
type orderedPool struct{ heads [64]*orderedItems }

// orderedItems are the items of one Pool.
type orderedItems struct {
	pool  *Pool
	items []any
	next  *orderedItems
}

// of returns the items of p, or nil where there are none and add is false.
//
//go:norace
func (o *orderedPool) of(p *Pool, add bool) *orderedItems {
	head := &o.heads[uintptr(unsafe.Pointer(p))>>4%64]
	for i := *head; i != nil; i = i.next {
		if i.pool == p {
			return i
		}
	}
	if !add {
		return nil
	}
	*head = &orderedItems{pool: p, next: *head}
	return *head
}

//go:norace
func (i *orderedItems) push(x any) {
	if len(i.items) == cap(i.items) {
		more := make([]any, len(i.items), 2*cap(i.items)+4)
		for k := range i.items {
			more[k] = i.items[k]
		}
		i.items = more
	}
	n := len(i.items)
	i.items = i.items[:n+1]
	i.items[n] = x
}

//go:norace
func (i *orderedItems) pop() any {
	if i == nil || len(i.items) == 0 {
		return nil
	}
	n := len(i.items) - 1
	x := i.items[n]
	i.items[n] = nil
	i.items = i.items[:n]
	return x
}

// orderedPut puts x into the pool of the bubble. It reports false outside one.
//
//go:norace
func (p *Pool) orderedPut(x any) bool {
	slot := runtime_orderedPools()
	if slot == nil {
		return false
	}
	if race.Enabled {
		race.ReleaseMerge(poolRaceAddr(x))
	}
	if *slot == nil {
		*slot = unsafe.Pointer(new(orderedPool))
	}
	(*orderedPool)(*slot).of(p, true).push(x)
	return true
}

// orderedGet returns what was put last in the bubble, or something new. It reports false
// outside one.
//
//go:norace
func (p *Pool) orderedGet() (x any, ok bool) {
	slot := runtime_orderedPools()
	if slot == nil {
		return nil, false
	}
	if *slot != nil {
		x = (*orderedPool)(*slot).of(p, false).pop()
	}
	if x != nil {
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
