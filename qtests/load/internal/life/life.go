package life

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
)

// A Life is the context of one request. It is a type of its own, because those of package
// context cancel their children in random order: at the end of a run every life is ended by
// itself, in the order of the requests. As long as Done is not called it costs no
// allocation.
//
// Package context recognizes AfterFunc, so that contexts derived from a life
// need no goroutine each.
type Life struct {
	Parent context.Context // for its values; its end does not matter
	mu     struct {
		sync.Mutex
		ended state
		done  chan struct{}
		after *followers
	}
}

// followers are the functions that wait for the end of a life.
type followers struct {
	next  int
	calls []follower
}

type follower struct {
	number int
	call   func()
}

// A Limited is a life with a deadline: an attempt of a request.
type Limited struct {
	Life
	deadline time.Time
}

// WithTimeout returns a life that ends after d on clk, with context.DeadlineExceeded, and the
// timer that ends it, which has to be stopped.
func WithTimeout(parent context.Context, clk clock.Clock, d time.Duration) (*Limited, *clock.Timer) {
	l := &Limited{Life: Life{Parent: parent}, deadline: clk.Now().Add(d)}
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
	l.mu.Lock()
	if l.mu.ended != alive {
		l.mu.Unlock()
		return
	}
	l.mu.ended = how
	if l.mu.done != nil {
		close(l.mu.done)
	}
	after := l.mu.after
	l.mu.after = nil
	l.mu.Unlock()
	if after != nil {
		for _, f := range after.calls {
			f.call()
		}
	}
}

// Deadline implements context.Context: there is none.
func (l *Life) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (l *Life) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.done == nil {
		l.mu.done = make(chan struct{})
		if l.mu.ended != alive {
			close(l.mu.done)
		}
	}
	return l.mu.done
}

// Err implements context.Context.
func (l *Life) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.ended.err()
}

// Value implements context.Context, with the values of the parent.
func (l *Life) Value(key any) any { return l.Parent.Value(key) }

// AfterFunc calls f, which package context makes cancel a child and which does
// not block, when the life ends.
func (l *Life) AfterFunc(f func()) (stop func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.ended != alive {
		go f() // not in this goroutine: it holds the child's mutex
		return func() bool { return false }
	}
	if l.mu.after == nil {
		l.mu.after = &followers{}
	}
	number := l.mu.after.next
	l.mu.after.next++
	l.mu.after.calls = append(l.mu.after.calls, follower{number, f})
	return func() bool { return l.forget(number) }
}

// forget takes a function back, unless it has been called.
func (l *Life) forget(number int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.mu.after
	if a == nil {
		return false
	}
	before := len(a.calls)
	a.calls = slices.DeleteFunc(a.calls, func(f follower) bool { return f.number == number })
	return len(a.calls) < before
}
