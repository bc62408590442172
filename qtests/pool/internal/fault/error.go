package fault

import (
	"errors"
	"fmt"
	"syscall"
)

var (
	// ErrOutage is the error of every call during an outage. The *Error
	// around it also unwraps to syscall.ECONNREFUSED, or to syscall.ECONNRESET
	// for a call that was under way when the outage began.
	ErrOutage = errors.New("fake: outage")
	// ErrInjected is the error of an error rate that names no other.
	ErrInjected = errors.New("fake: injected error")
	// ErrUnmatched is the error of a query or a request for which no answer is
	// registered.
	ErrUnmatched = errors.New("fake: no answer registered")
)

// An Error is an error that a fake made up. It unwraps to its Err, for
// example [ErrOutage], and to its Cause, the operating system's error that the
// real thing would have met, if there is one.
type Error struct {
	Fake  string // the name of the fake
	Op    string // "query", "connect", "POST /charge", …
	Err   error
	Cause error // may be nil
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s: %v", e.Fake, e.Op, e.Err)
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns Err and Cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Cause}
}

// refused is the error of a call that begins during an outage.
func refused(fake, op string) error { return &Error{fake, op, ErrOutage, syscall.ECONNREFUSED} }

// cutOff is the error of a call that is under way when an outage begins.
func cutOff(fake, op string) error { return &Error{fake, op, ErrOutage, syscall.ECONNRESET} }
