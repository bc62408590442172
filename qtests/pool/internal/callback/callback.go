// Package callback runs the functions that a user gives to a pool, and tells
// whether the calling goroutine is inside such a function. Close needs to know:
// it must not wait for a function that waits for Close.
package callback

import (
	"reflect"
	"runtime"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
)

// Run is usercode.Run, with a mark that Inside finds while f runs.
func Run(f func() error, end func(error)) {
	usercode.Run(func() error { return marked(f) }, end)
}

// marked is the mark: it is on the stack of its goroutine while f runs.
//
//go:noinline
func marked(f func() error) error { return f() }

var mark = reflect.ValueOf(marked).Pointer()

// Inside reports whether the calling goroutine runs a function that Run was given,
// by this pool or by another one. The stack knows it. A context does not: Destroy
// has none, and New need not pass its own on.
func Inside() bool {
	pcs := make([]uintptr, 64)
	n := runtime.Callers(2, pcs)
	for n == len(pcs) {
		pcs = make([]uintptr, 2*len(pcs))
		n = runtime.Callers(2, pcs)
	}
	for it := runtime.CallersFrames(pcs[:n]); ; {
		frame, more := it.Next()
		if frame.Entry == mark {
			return true
		}
		if !more {
			return false
		}
	}
}
