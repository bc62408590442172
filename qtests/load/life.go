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
	parent   context.Context // for its values; it is never waited for
	deadline time.Time

	mu struct {
		sync.Mutex
		done  chan struct{}
		err   error
		after []registered
		next  int
	}
}

// registered is a function that waits for the end of a life.
type registered struct {
	number int
	call   func()
}

// expire gives the life a deadline on clk and returns the timer, to be stopped
// when the request is over.
func (l *life) expire(clk clock.Clock, now time.Time, d time.Duration) *clock.Timer {
	l.deadline = now.Add(d)
	return clk.AfterFunc(d, func() { l.end(context.DeadlineExceeded) })
}

// end cancels the life; only the first call has an effect.
func (l *life) end(err error) {
	l.mu.Lock()
	if l.mu.err != nil {
		l.mu.Unlock()
		return
	}
	l.mu.err = err
	if l.mu.done != nil {
		close(l.mu.done)
	}
	after := l.mu.after
	l.mu.after = nil
	l.mu.Unlock()
	for _, f := range after {
		f.call()
	}
}

func (l *life) Deadline() (time.Time, bool) { return l.deadline, !l.deadline.IsZero() }

func (l *life) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.done == nil {
		l.mu.done = make(chan struct{})
		if l.mu.err != nil {
			close(l.mu.done)
		}
	}
	return l.mu.done
}

func (l *life) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.err
}

func (l *life) Value(key any) any { return l.parent.Value(key) }

// AfterFunc calls f, which package context makes cancel a child and which does
// not block, when the life ends.
func (l *life) AfterFunc(f func()) (stop func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.err != nil {
		go f() // not in this goroutine: it holds the child's mutex
		return func() bool { return false }
	}
	number := l.mu.next
	l.mu.next++
	l.mu.after = append(l.mu.after, registered{number, f})
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		before := len(l.mu.after)
		l.mu.after = slices.DeleteFunc(l.mu.after, func(r registered) bool { return r.number == number })
		return len(l.mu.after) < before
	}
}
