package life

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"
)

// A Life is the context of one request. It is a type of its own, because those of package
// context cancel their children in random order: at the end of a run every life is ended by
// itself, in the order of the requests. As long as nobody waits for its end, it is two words
// and has no mutex.
//
// Package context recognizes AfterFunc, so that contexts derived from a life
// need no goroutine each.
type Life struct {
	Parent *context.Context // for its values; its end does not matter
	// waiting is made when somebody waits first. A life that ends before has one of over.
	waiting atomic.Pointer[waiting]
}

// waiting is who waits for the end of a life.
type waiting struct {
	mu struct {
		sync.Mutex
		ended state
		next  uint32 // number of a follower
		done  chan struct{}
		calls []follower
	}
}

// A follower is a function that waits for the end of a life.
type follower struct {
	number uint32
	call   func()
}

// over are those of the lives that nobody waited for, by how they ended. Nothing of them changes,
// and nobody takes their lock: one that all requests share would hide races of the code under test.
var over = [...]*waiting{cancelled: endedBy(cancelled), expired: endedBy(expired)}

func endedBy(how state) *waiting {
	w := new(waiting)
	w.mu.ended, w.mu.done = how, make(chan struct{})
	close(w.mu.done)
	return w
}

// isOver reports whether w is one of over.
func (w *waiting) isOver() bool { return w == over[cancelled] || w == over[expired] }

// A Limited is a life with a deadline: an attempt of a request.
type Limited struct {
	Life
	parent   context.Context
	deadline time.Time
}

// WithTimeout returns a life that ends after d on clk, with context.DeadlineExceeded, and the
// timer that ends it, which has to be stopped.
func WithTimeout(parent context.Context, clk clock.Clock, d time.Duration) (*Limited, *clock.Timer) {
	l := &Limited{parent: parent, deadline: clk.Now().Add(d)}
	l.Parent = &l.parent
	return l, clk.AfterFunc(d, func() { l.end(expired) })
}

// Deadline implements context.Context.
func (l *Limited) Deadline() (time.Time, bool) { return l.deadline, true }

// A state says whether and how a life ended.
type state uint8

const (
	alive state = iota
	cancelled
	expired
)

func (s state) err() error {
	switch s {
	case cancelled:
		return context.Canceled
	case expired:
		return context.DeadlineExceeded
	}
	return nil
}

// Cancel ends the life with context.Canceled, unless it has ended.
func (l *Life) Cancel() { l.end(cancelled) }

// end ends the life; only the first call has an effect.
func (l *Life) end(how state) {
	if !l.waiting.CompareAndSwap(nil, over[how]) {
		l.waiting.Load().end(how)
	}
}

// await returns who waits, to add to them.
func (l *Life) await() *waiting {
	if w := l.waiting.Load(); w != nil {
		return w
	}
	l.waiting.CompareAndSwap(nil, new(waiting))
	return l.waiting.Load()
}

// Deadline implements context.Context: there is none.
func (l *Life) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (l *Life) Done() <-chan struct{} { return l.await().channel() }

// Err implements context.Context.
func (l *Life) Err() error {
	w := l.waiting.Load()
	if w == nil {
		return nil
	}
	return w.err()
}

// Value implements context.Context, with the values of the parent.
func (l *Life) Value(key any) any { return (*l.Parent).Value(key) }

// AfterFunc calls f, which package context makes cancel a child and which does
// not block, when the life ends.
func (l *Life) AfterFunc(f func()) (stop func() bool) { return l.await().follow(f) }

func (w *waiting) end(how state) {
	if w.isOver() {
		return
	}
	w.mu.Lock()
	if w.mu.ended != alive {
		w.mu.Unlock()
		return
	}
	w.mu.ended = how
	if w.mu.done != nil {
		close(w.mu.done)
	}
	calls := w.mu.calls
	w.mu.calls = nil
	w.mu.Unlock()
	for _, f := range calls {
		f.call()
	}
}

func (w *waiting) channel() <-chan struct{} {
	if w.isOver() {
		return w.mu.done
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.done == nil {
		w.mu.done = make(chan struct{})
		if w.mu.ended != alive {
			close(w.mu.done)
		}
	}
	return w.mu.done
}

func (w *waiting) err() error {
	if w.isOver() {
		return w.mu.ended.err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.ended.err()
}

func (w *waiting) follow(f func()) (stop func() bool) {
	if w.isOver() {
		return startNow(f)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.ended != alive {
		return startNow(f)
	}
	number := w.mu.next
	w.mu.next++
	w.mu.calls = append(w.mu.calls, follower{number, f})
	return func() bool { return w.forget(number) }
}

// startNow calls f, not in this goroutine: it holds the child's mutex.
func startNow(f func()) (stop func() bool) {
	go f()
	return func() bool { return false }
}

// forget takes a function back, unless it has been called.
func (w *waiting) forget(number uint32) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := len(w.mu.calls)
	w.mu.calls = slices.DeleteFunc(w.mu.calls, func(f follower) bool { return f.number == number })
	return len(w.mu.calls) < before
}
