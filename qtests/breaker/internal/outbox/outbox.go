// Package outbox hands values to a function of the user, in the order in which they were
// put in, and by one goroutine at a time.
package outbox

import "sync"

// A Queue holds what has not been delivered. The zero value is empty and ready. All
// methods are safe for concurrent use. It has no bound of its own: its users count what
// they put in.
type Queue[T any] struct {
	mu struct {
		sync.Mutex
		waiting []T
		busy    bool // a goroutine is delivering
	}
}

// Put appends a value. It calls nothing, so the caller may hold a lock.
func (q *Queue[T]) Put(v T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.waiting = append(q.mu.waiting, v)
}

// Due reports whether Deliver would have something to do: a value waits, and no goroutine
// is delivering.
func (q *Queue[T]) Due() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.mu.waiting) > 0 && !q.mu.busy
}

// Deliver calls f with each value that waits. When another goroutine is delivering it
// returns at once: the other one takes all that waits. Where f panics or ends its
// goroutine, the caller panics or ends too, after the values behind have been delivered.
// The caller must hold no lock.
func (q *Queue[T]) Deliver(f func(T)) {
	if !q.begin() {
		return
	}
	returned := false
	defer func() {
		if !returned {
			q.end()
			q.Deliver(f)
		}
	}()
	for {
		v, ok := q.next()
		if !ok {
			returned = true
			return
		}
		f(v)
	}
}

func (q *Queue[T]) begin() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.mu.waiting) == 0 || q.mu.busy {
		return false
	}
	q.mu.busy = true
	return true
}

func (q *Queue[T]) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.busy = false
}

// next takes the first value. Where none is left it also ends the delivering, in the same
// step, so that no value stays behind between two goroutines.
func (q *Queue[T]) next() (v T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.mu.waiting) == 0 {
		q.mu.busy = false
		q.mu.waiting = nil
		return v, false
	}
	v = q.mu.waiting[0]
	q.mu.waiting = q.mu.waiting[1:]
	return v, true
}
