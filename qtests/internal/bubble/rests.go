package bubble

import (
	"slices"
	"sync/atomic"
)

// rests are the functions to call when the clock of a bubble wakes somebody:
// everything else in the bubble has come to rest then.
type rests struct{ list atomic.Pointer[[]func()] }

// Add registers f, which must not wait. Only the test's own goroutine adds.
func (r *rests) Add(f func()) {
	var all []func()
	if before := r.list.Load(); before != nil {
		all = slices.Clone(*before)
	}
	all = append(all, f)
	r.list.Store(&all)
}

// call costs nothing where there is nothing to call.
func (r *rests) call() {
	if all := r.list.Load(); all != nil {
		for _, f := range *all {
			f()
		}
	}
}
