// Package turns has the queue of those who wait for a bubble to come to rest.
package turns

import "sync"

// A Turn is the place of a caller of qtests.T.Wait in the queue of them; it is closed
// when the caller is the first.
type Turn chan struct{}

// A Queue is the queue of those who wait for the present instant to be over. The
// runtime lets only one goroutine of a bubble wait for the others to come to
// rest; the next one begins when that one goes on, and so waits for it as well.
type Queue struct {
	settle func()

	mu    sync.Mutex
	taken bool   // somebody has the turn
	queue []Turn // of the others
}

// New returns an empty queue. settle waits until all others have come to rest.
func New(settle func()) *Queue { return &Queue{settle: settle} }

// Settle waits until all others have come to rest. It is for the caller whose turn it is.
func (q *Queue) Settle() { q.settle() }

// Enter appends to the queue. The first of it has the turn at once where nobody has it.
func (q *Queue) Enter(some ...Turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, some...)
	if !q.taken {
		q.nextLocked()
	}
}

// Take waits for the turn, behind those in the queue. Where nobody has it, which is mostly
// so, it makes no channel: that saves half of a T.Wait on the ordered runtime.
func (q *Queue) Take() {
	if q.takeFree() {
		return
	}
	mine := make(Turn)
	q.Enter(mine)
	<-mine
}

// takeFree takes the turn if nobody has it.
func (q *Queue) takeFree() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taken {
		return false
	}
	q.taken = true
	return true
}

// Leave ends the turn of the caller, and gives it to the first in the queue.
func (q *Queue) Leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.nextLocked()
}

func (q *Queue) nextLocked() {
	q.taken = len(q.queue) > 0
	if q.taken {
		close(q.queue[0])
		q.queue = q.queue[1:]
	}
}
