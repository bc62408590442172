package runtime

import "unsafe"

// A turnQueue is a ring of goroutines. It lies outside the heap, where the scheduler may
// grow it; allgs keeps the goroutines alive.
type turnQueue struct {
	ring  uintptr // *[mask+1]guintptr, 0 while first serves
	mask  uint32
	head  uint32
	size  uint32
	first [turnQueueFirst]guintptr
}

const turnQueueFirst = 16

func (q *turnQueue) at(i uint32) *guintptr {
	if q.ring == 0 {
		return &q.first[(q.head+i)%turnQueueFirst]
	}
	return (*guintptr)(unsafe.Pointer(q.ring + uintptr((q.head+i)&q.mask)*unsafe.Sizeof(guintptr(0))))
}

func (q *turnQueue) len() uint32 {
	if q.ring == 0 {
		return turnQueueFirst
	}
	return q.mask + 1
}

func (q *turnQueue) push(gp *g) {
	if q.size == q.len() {
		q.grow()
	}
	q.at(q.size).set(gp)
	q.size++
}

func (q *turnQueue) pop() *g {
	if q.size == 0 {
		return nil
	}
	gp := q.at(0).ptr()
	*q.at(0) = 0
	q.head = (q.head + 1) % q.len()
	q.size--
	return gp
}

// toFront swaps the goroutine at i with the first one.
func (q *turnQueue) toFront(i uint32) {
	a, b := q.at(0), q.at(i)
	*a, *b = *b, *a
}

func (q *turnQueue) grow() {
	const word = unsafe.Sizeof(guintptr(0))
	n := q.len()
	ring := sysAlloc(uintptr(2*n)*word, &memstats.other_sys, "ordered queue")
	if ring == nil {
		throw("ordered runtime: out of memory")
	}
	for i := range n {
		*(*guintptr)(add(ring, uintptr(i)*word)) = *q.at(i)
	}
	q.free()
	q.ring, q.mask, q.head = uintptr(ring), 2*n-1, 0
}

// over gives memory back where the next bubble may need less. The queue is empty.
func (q *turnQueue) over() {
	if q.ring != 0 && q.mask >= turnKept {
		q.free()
		q.head = 0
	}
}

func (q *turnQueue) free() {
	if q.ring != 0 {
		sysFree(unsafe.Pointer(q.ring), uintptr(q.mask+1)*unsafe.Sizeof(guintptr(0)), &memstats.other_sys)
		q.ring = 0
	}
}
