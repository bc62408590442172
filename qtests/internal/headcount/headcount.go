// Package headcount watches how many goroutines a test has.
package headcount

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// A Watch counts goroutines, and keeps them where there are more than Limit. The fields are set before its first look.
// It is safe for concurrent use.
type Watch struct {
	Limit int
	Idle  func() int64              // how many goroutines of the process do not count, or nil
	Count func() int                // how many there are that count
	List  func() []stacks.Goroutine // these

	// quiet is a number of goroutines in the process up to which a count is
	// unlikely to find more than the limit; looks counts those beyond the limit.
	quiet atomic.Int64
	looks atomic.Int64

	mu struct {
		sync.Mutex
		ended bool
		peak  []stacks.Goroutine // the largest excess
	}
}

// Every so many looks that find the process beyond the limit there is a count in
// any case: other goroutines may have ended while those of the test became more.
const goroutineLooks = 64

// Look counts if there may be too many. Nearly always it costs a read of the
// number of goroutines in the process.
func (w *Watch) Look() {
	total := w.total()
	if total <= int64(w.Limit) || total <= w.quiet.Load() && w.looks.Add(1)%goroutineLooks != 0 {
		return
	}
	w.measure(total)
}

// total is the number of goroutines in the process, less those that do not
// count: one of these that starts to work must not go unseen.
func (w *Watch) total() int64 {
	n := int64(runtime.NumGoroutine())
	if w.Idle != nil {
		n -= w.Idle()
	}
	return n
}

// measure counts, and keeps the goroutines if there are too many.
func (w *Watch) measure(total int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.ended {
		return
	}
	n := w.Count()
	if n <= w.Limit {
		w.quiet.Store(total + int64(w.Limit-n))
		return
	}
	if list := w.List(); len(list) > w.Limit && len(list) > len(w.mu.peak) {
		w.mu.peak = list
	}
	w.quiet.Store(total + total/4) // a dump for every fourth more, not for every one
}

// Sample looks again and again, in real time, until stop is called.
func (w *Watch) Sample(every time.Duration) (stop func()) {
	// A timer, and not a goroutine, which other leak checks would find.
	var timer *time.Timer
	var mu sync.Mutex
	ended := false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(every, func() {
		w.Look()
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			timer.Reset(every)
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		timer.Stop()
	}
}

// Close counts a last time.
func (w *Watch) Close() {
	w.measure(w.total())
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.ended = true
}

// Peak returns the goroutines of the largest excess that was seen, none where there was none.
func (w *Watch) Peak() []stacks.Goroutine {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.peak
}
