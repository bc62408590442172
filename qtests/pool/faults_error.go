package pool

import (
	"errors"
	"fmt"
	"syscall"
)

var (
	// ErrOutage is the error of every call during an outage. The *FaultError
	// around it also unwraps to syscall.ECONNREFUSED, or to syscall.ECONNRESET
	// for a call that was under way when the outage began.
	ErrOutage = errors.New("pool: outage")
	// ErrInjected is the error of an error rate that names no other.
	ErrInjected = errors.New("pool: injected error")
	// ErrUnmatched is the error of a query or a request for which no answer is
	// registered.
	ErrUnmatched = errors.New("pool: no answer registered")
)

// A FaultError is an error that a fake made up. It unwraps to its Err, for
// example [ErrOutage], and to its Cause, the operating system's error that the
// real thing would have met, if there is one.
type FaultError struct {
	Fake  string // the name of the fake
	Op    string // "query", "connect", "POST /charge", …
	Err   error
	Cause error // may be nil
}

func (e *FaultError) Error() string {
	text := fmt.Sprintf("%s: %s: %v", e.Fake, e.Op, e.Err)
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns Err and Cause.
func (e *FaultError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Cause}
}

// refused is the error of a call that an outage meets before it starts, and cut
// off that of one it meets under way.
func refused(fake, op string) error { return &FaultError{fake, op, ErrOutage, syscall.ECONNREFUSED} }

func cutOff(fake, op string) error { return &FaultError{fake, op, ErrOutage, syscall.ECONNRESET} }

// An SQLError is an error as a database server reports it.
type SQLError struct {
	State   string // SQLSTATE, five characters
	Message string
}

func (e *SQLError) Error() string { return fmt.Sprintf("%s (SQLSTATE %s)", e.Message, e.State) }

// SQLState returns the SQLSTATE, under the name that PostgreSQL's drivers use.
func (e *SQLError) SQLState() string { return e.State }

var (
	// ErrDeadlock is what a server says to the victim of a deadlock: 40P01.
	ErrDeadlock error = &SQLError{"40P01", "deadlock detected"}
	// ErrSerialization is a transaction that must be tried again: 40001.
	ErrSerialization error = &SQLError{"40001", "could not serialize access"}
)
