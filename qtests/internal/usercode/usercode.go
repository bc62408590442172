// Package usercode calls functions of the user, which may panic, call
// runtime.Goexit (as t.FailNow does), or never return.
//
// A panic becomes a [PanicError] and Goexit becomes [ErrGoexit]. Nothing can stop
// Goexit: the goroutine ends. Therefore [Run] hands the result to a function,
// which it calls on every way out, instead of returning it.
package usercode

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// ErrGoexit is the result of a function that called runtime.Goexit, as t.FailNow
// and the assertions of testify's package require do.
var ErrGoexit = errors.New("runtime.Goexit called")

// A PanicError is a panic as an error. It unwraps to Value if that is an error.
type PanicError struct {
	Value any    // what the function panicked with
	Stack []byte // of the goroutine that panicked
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value of the panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Call calls f and returns its error, or a *PanicError if f panicked. If f calls
// runtime.Goexit, Call does not return.
func Call(f func() error) (err error) {
	defer caught(&err)
	return f()
}

// Run calls f, then end with the error of f, with a *PanicError if f panicked, or
// with ErrGoexit if f called runtime.Goexit. In the last case Run does not return:
// the goroutine ends after end. Run recovers no panic of end.
func Run(f func() error, end func(error)) {
	err := ErrGoexit
	defer func() { end(err) }()
	defer caught(&err)
	err = f()
}

// Cause says why a function did not return, for a deferred function of the caller, which passes on what
// recover returned: the panic, or ErrGoexit where that is nil. exiting says that it is the latter, after which
// the goroutine cannot go on. It suits places that Run would cost too much.
//
//go:noinline
func Cause(recovered any) (err error, exiting bool) {
	if recovered == nil {
		return ErrGoexit, true
	}
	return &PanicError{recovered, debug.Stack()}, false
}

// Report is what a test shows of the panic: its value, where it happened, and its stack, as printable text.
func (e *PanicError) Report(where string) string {
	return text.Printable(fmt.Sprintf("%v, in %s\n%s", e, where, e.Stack))
}

// Blame says of a panic and of Goexit that they are those of name: "name panicked:
// oops", "name called runtime.Goexit". It returns every other error as it is.
func Blame(name string, err error) error {
	if p, ok := err.(*PanicError); ok {
		return fmt.Errorf("%s panicked: %v", name, p.Value)
	}
	if err == ErrGoexit {
		return errors.New(name + " called runtime.Goexit")
	}
	return err
}

// caught must be deferred directly: recover works nowhere else.
func caught(err *error) {
	if value := recover(); value != nil {
		*err = &PanicError{value, debug.Stack()}
	}
}
