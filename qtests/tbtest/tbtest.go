// Package tbtest has a test that records what is reported to it, so that a
// helper which fails tests can be tested on its failing path.
package tbtest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// A TB satisfies tb.TB. Its FailNow ends the goroutine, as the FailNow of
// *testing.T does. All methods are safe for concurrent use.
type TB struct {
	name string

	mu struct {
		sync.Mutex
		failed   bool
		errors   []string
		logs     []string
		cleanups []func()
	}
}

// Run calls f with a new TB in a goroutine of its own, then the cleanups, last
// one first, and returns the TB when all of that has ended.
func Run(name string, f func(t *TB)) *TB {
	t := &TB{name: name}
	t.call(func() { f(t) })
	for {
		t.mu.Lock()
		n := len(t.mu.cleanups)
		if n == 0 {
			t.mu.Unlock()
			return t
		}
		last := t.mu.cleanups[n-1]
		t.mu.cleanups = t.mu.cleanups[:n-1]
		t.mu.Unlock()
		t.call(last)
	}
}

func (t *TB) call(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// Helper does nothing.
func (t *TB) Helper() {}

// Name returns the name given to [Run].
func (t *TB) Name() string { return t.name }

// Cleanup registers f to be called when the function of Run has ended.
func (t *TB) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.cleanups = append(t.mu.cleanups, f)
}

// Logf records a line of the log.
func (t *TB) Logf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.logs = append(t.mu.logs, fmt.Sprintf(format, args...))
}

// Errorf records a failure.
func (t *TB) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.failed = true
	t.mu.errors = append(t.mu.errors, fmt.Sprintf(format, args...))
}

// FailNow records a failure without a message and ends the goroutine.
func (t *TB) FailNow() {
	t.mu.Lock()
	t.mu.failed = true
	t.mu.Unlock()
	runtime.Goexit()
}

// Failed reports whether Errorf or FailNow was called.
func (t *TB) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mu.failed
}

// Errors returns what Errorf was called with, one message after the other.
func (t *TB) Errors() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.mu.errors, "\n")
}

// Logs returns what Logf was called with.
func (t *TB) Logs() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.mu.logs)
}
