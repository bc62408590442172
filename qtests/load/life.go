package load

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
)

// A life is the context of one request. It is a type of its own and not one of
// package context because those cancel their children in random order: at the
// end of a run every life is ended by itself, in the order of the requests. Until
// somebody asks for Done it costs no allocation.
//
// Package context recognizes AfterFunc, so that contexts derived from a life
// need no goroutine each.
type life struct {
	parent context.Context // for its values; it is never waited for
	mu     struct {
		sync.Mutex
		ended outcome
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

// A limitedLife is one with a deadline: an attempt of a request.
type limitedLife struct {
	life
	deadline time.Time
}

// expire gives the life a deadline on clk and returns the timer, to be stopped
// when the request is over.
func (l *limitedLife) expire(clk clock.Clock, now time.Time, d time.Duration) *clock.Timer {
	l.deadline = now.Add(d)
	return clk.AfterFunc(d, func() { l.end(expired) })
}

func (l *limitedLife) Deadline() (time.Time, bool) { return l.deadline, true }

// An outcome is how a life ended.
type outcome uint8

const (
	alive outcome = iota
	cancelled
	expired
)

func (o outcome) err() error {
	switch o {
	case cancelled:
		return context.Canceled
	case expired:
		return context.DeadlineExceeded
	}
	return nil
}

// end ends the life; only the first call has an effect.
func (l *life) end(how outcome) {
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

func (l *life) Deadline() (time.Time, bool) { return time.Time{}, false }

func (l *life) Done() <-chan struct{} {
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

func (l *life) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.ended.err()
}

func (l *life) Value(key any) any { return l.parent.Value(key) }

// AfterFunc calls f, which package context makes cancel a child and which does
// not block, when the life ends.
func (l *life) AfterFunc(f func()) (stop func() bool) {
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
func (l *life) forget(number int) bool {
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
