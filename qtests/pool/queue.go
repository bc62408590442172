package pool

// A grant is what ends a wait: an entry with its lease number, or an error.
type grant struct {
	entry *entry
	lease uint64
	err   error
}

// A waiter is the place of one caller in the queue. Places are used again, so a
// caller that may hold on to one too long refers to it through a [ticket].
type waiter struct {
	prev, next *waiter
	turn       uint64 // counts the callers that have had this place
	ch         chan grant
	since      instant
	stack      []uintptr
}

// A ticket is one caller's claim to a place; it is void once the caller has
// been granted something.
type ticket struct {
	place *waiter
	turn  uint64
	ch    chan grant
}

// waitQueue is the strict FIFO of callers. It allocates one channel per wait and
// no more: places are kept for the next caller, whereas a channel that was kept
// could end up in another bubble than the one it was made in.
type waitQueue struct {
	head, tail *waiter
	n          int
	free       *waiter
}

func (q *waitQueue) push(now instant, stack []uintptr) ticket {
	w := q.free
	if w == nil {
		w = &waiter{}
	} else {
		q.free = w.next
	}
	w.ch, w.since, w.stack = make(chan grant, 1), now, stack
	w.prev, w.next = q.tail, nil
	if q.tail != nil {
		q.tail.next = w
	} else {
		q.head = w
	}
	q.tail = w
	q.n++
	return ticket{w, w.turn, w.ch}
}

// pop removes the first waiter. The returned copy is the caller's to use: the
// place itself is free again.
func (q *waitQueue) pop() waiter {
	w := q.head
	out := *w
	q.unlink(w)
	return out
}

// remove gives up the place of a caller that does not want to wait any longer.
// It reports false when the caller has been granted something already.
func (q *waitQueue) remove(t ticket) bool {
	if t.place.turn != t.turn {
		return false
	}
	q.unlink(t.place)
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
	w.turn++
	w.ch, w.stack, w.prev = nil, nil, nil
	w.next, q.free = q.free, w
}

// idleList holds idle entries from the longest to the shortest idle.
type idleList struct {
	head, tail *entry
	n          int
}

// insert puts e where its idleSince belongs, which is the end unless it was
// released untouched or comes back from a check.
func (l *idleList) insert(e *entry) {
	after := l.tail
	for after != nil && after.idleSince > e.idleSince {
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
