package fault

import (
	"context"
	"sync/atomic"

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

// odds are what the script has for a call when it begins.
type odds struct {
	n       uint64 // of the call
	factor  float64
	chances []Chance
}

// A waiter is a call that waits. All but its channel is guarded by the
// engine's lock, apart from err for those who find it struck.
type waiter struct {
	call   *Call
	wake   chan struct{} // has room for one; made when the call begins to wait. A line is told otherwise
	err    error         // set when an outage has ended the call
	struck atomic.Bool   // err is set, for good

	held bool  // its latency is over, a fault of kind hold holds it
	free bool  // … and has let it go
	hold Kind  // Freeze, or Stall for a body
	line *Line // the line whose place this is; nil for a call that waits

	listed     bool
	prev, next *waiter
}

// waiters is a list from which any element can be removed at once.
type waiters struct{ head, tail *waiter }

func (l *waiters) push(w *waiter) {
	w.listed, w.prev, w.next = true, l.tail, nil // it may have been on the list before
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

// strike ends the call with the error of an outage.
func (w *waiter) strike(err error) {
	w.err = err
	w.struck.Store(true)
}

func (w *waiter) notify() {
	select {
	case w.wake <- struct{}{}:
	default: // it has been told
	}
}

// told is what tells the owner of w that an outage has ended it.
func (w *waiter) told() func() {
	if w.line != nil {
		return w.line.cutNow
	}
	return w.notify
}

// An outcome is how a call ended.
type outcome uint8

const (
	failed outcome = iota
	passed
	canceled
)

// outcomeOf returns the outcome of a call that waited and met no scripted error: then
// the error of a context is the context's.
func outcomeOf(err error) outcome {
	switch err {
	case nil:
		return passed
	case context.Canceled, context.DeadlineExceeded:
		return canceled
	}
	return failed
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
