package pool

import "sync"

// A grant is what ends a wait: an entry with its lease number, or an error.
type grant struct {
	entry *entry
	lease uint64
	err   error
}

// A waiter is the place of one caller in the queue. The lock guards it while it
// is queued; afterwards grant is the caller's once ch has said so.
type waiter struct {
	prev, next *waiter
	queued     bool
	outside    bool // ch was made outside of every bubble
	// ch says that grant is there, and has room for one.
	ch    chan struct{}
	grant grant
	since instant
	stack []uintptr
}

// places are the waiters for the next callers. A channel that one has was made outside of
// every bubble.
var places = sync.Pool{New: func() any { return new(waiter) }}

// waitQueue is the strict FIFO of callers.
type waitQueue struct {
	head, tail *waiter
	n          int
}

// newPlace returns a place that is not in the queue yet. outside says that the caller is in no
// bubble: then a channel is used again. In a bubble the channel must be the bubble's own: while
// a goroutine waits on another one, the bubble's time stands still. To make a channel for each
// wait took a sixth of the time of 64 goroutines that share two resources.
func newPlace(outside bool) *waiter {
	w := places.Get().(*waiter)
	if w.outside = outside; !outside || w.ch == nil {
		w.ch = make(chan struct{}, 1)
	}
	return w
}

// recycle gives up a place to which no other goroutine refers any more, and whose channel
// is empty.
func (w *waiter) recycle() {
	if w.outside {
		*w = waiter{ch: w.ch}
	} else {
		*w = waiter{}
	}
	places.Put(w)
}

func (q *waitQueue) push(w *waiter, now instant, stack []uintptr) {
	w.since, w.stack = now, stack
	w.queued, w.prev = true, q.tail
	if q.tail != nil {
		q.tail.next = w
	} else {
		q.head = w
	}
	q.tail = w
	q.n++
}

// pop removes the first waiter, whose grant the caller must set and announce.
func (q *waitQueue) pop() *waiter {
	w := q.head
	q.unlink(w)
	return w
}

// remove gives up the place of a caller that stops waiting. It reports false if the
// caller has been granted something already.
func (q *waitQueue) remove(w *waiter) bool {
	if !w.queued {
		return false
	}
	q.unlink(w)
	return true
}

func (q *waitQueue) unlink(w *waiter) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		q.head = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		q.tail = w.prev
	}
	q.n--
	w.prev, w.next, w.queued = nil, nil, false
}

// idleList holds idle entries in the order of their last use, the longest idle first.
type idleList struct {
	head, tail *entry
	n          int
}

// insert puts e where its turn belongs, which is the end unless it was released
// untouched or comes back from a check.
func (l *idleList) insert(e *entry) {
	after := l.tail
	for after != nil && after.turn > e.turn {
		after = after.prev
	}
	e.prev = after
	if after != nil {
		e.next, after.next = after.next, e
	} else {
		e.next, l.head = l.head, e
	}
	if e.next != nil {
		e.next.prev = e
	} else {
		l.tail = e
	}
	l.n++
}

func (l *idleList) remove(e *entry) {
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		l.head = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		l.tail = e.prev
	}
	e.prev, e.next = nil, nil
	l.n--
}
