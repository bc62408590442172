package usercode

import (
	"fmt"
	"runtime/debug"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// A Panic is a panic of the user's code, as an error.
type Panic struct {
	Value any
	Stack string
}

// NewPanic keeps the stack of the present goroutine. It is called by the deferred
// function that recovers value.
//
//go:noinline
func NewPanic(value any) *Panic {
	return &Panic{Value: value, Stack: string(debug.Stack())}
}

func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Report is what a test shows of the panic: its value, where it happened, and its
// stack.
func (p *Panic) Report(where string) string {
	return text.Printable(fmt.Sprintf("%v, in %s\n%s", p, where, p.Stack))
}

// A Goexit is a call of runtime.Goexit by the user's code, as an error.
type Goexit struct{}

func (*Goexit) Error() string {
	return "goexit: the step ended its goroutine (t.FailNow, require)"
}

// Cause returns why the user's code did not return, given what recover returned:
// the value of a panic, or nil after runtime.Goexit. exiting says that it is the
// latter, after which the goroutine cannot go on.
//
//go:noinline
func Cause(recovered any) (err error, exiting bool) {
	if recovered == nil {
		return &Goexit{}, true
	}
	return NewPanic(recovered), false
}
