package fault

import (
	"context"
	"errors"

	"github.com/go-qtests/qtests/qtests/latency"
)

// A Call is one call on its way through the engine.
type Call struct {
	Op      string // for errors
	On      Targets
	Latency latency.Distribution
	Chances []Chance
	// Also, if not nil, is a second context that ends the wait: the transaction's.
	Also context.Context
	// Cut, if not nil, ends the wait with CutErr when it is closed.
	Cut    <-chan struct{}
	CutErr error
}

// ended returns the error of the context that has ended, if one has.
func (c *Call) ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil && c.Also != nil {
		err = c.Also.Err()
	}
	return err
}

// A waiter is a call that waits. All but its channel is guarded by the
// engine's lock.
type waiter struct {
	call *Call
	wake chan struct{} // has room for one
	err  error         // set when an outage has ended the call
	held bool          // its latency is over, a fault of kind hold holds it
	free bool          // … and has let it go
	hold Kind          // Freeze, or Stall for a body

	listed     bool
	prev, next *waiter
}

// waiters is a list from which any element can be removed at once.
type waiters struct{ head, tail *waiter }

func (l *waiters) push(w *waiter) {
	w.listed, w.prev = true, l.tail
	if l.tail == nil {
		l.head = w
	} else {
		l.tail.next = w
	}
	l.tail = w
}

func (l *waiters) remove(w *waiter) {
	if !w.listed {
		return
	}
	if w.prev == nil {
		l.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.listed = false
}

func (w *waiter) notify() {
	select {
	case w.wake <- struct{}{}:
	default: // it has been told
	}
}

// errUnfinished is the result of a call that a panic or Goexit has ended.
var errUnfinished = errors.New("fake: call not finished")

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
