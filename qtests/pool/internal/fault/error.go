package fault

import (
	"context"
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

// A Made is an error of a script that a fake made up, not its user: a call that meets it
// gets an [Error] with the name of the fake around it.
type Made struct{ Err, Cause error }

func (m *Made) Error() string   { return m.Err.Error() + ": " + m.Cause.Error() }
func (m *Made) Unwrap() []error { return []error{m.Err, m.Cause} }

// met returns the error of a call that met a scripted one. What the user scripted
// arrives as it is: code that asks for a driver's type or compares with == finds it.
func (e *Engine) met(op string, err error) error {
	if m, ok := err.(*Made); ok {
		return &Error{e.name, op, m.Err, m.Cause}
	}
	if err == ErrInjected {
		return &Error{Fake: e.name, Op: op, Err: err}
	}
	return err
}

// A dialed error is the scripted error of the opening of a connection, on its way
// through the pool to the caller.
type dialed struct{ err error }

func (d *dialed) Error() string { return d.err.Error() }
func (d *dialed) Unwrap() error { return d.err }

// Dial is Do for the opening of a connection within a pool. [Arrived] returns a scripted
// error from what the pool makes of it.
func (e *Engine) Dial(ctx context.Context, c *Call) error {
	err := e.Do(ctx, c)
	if _, ours := err.(*Error); err == nil || ours || ctx.Err() != nil {
		return err
	}
	return &dialed{err}
}

// Arrived returns the error of an acquire as the caller of a fake gets it: a scripted
// error of the opening as the driver or the dialer would have returned it, without what
// the pool has wrapped around it.
func Arrived(err error) error {
	var d *dialed
	if errors.As(err, &d) {
		return d.err
	}
	return err
}

// refused is the error of a call that begins during an outage.
func refused(fake, op string) error { return &Error{fake, op, ErrOutage, syscall.ECONNREFUSED} }

// cutOff is the error of a call that is under way when an outage begins.
func cutOff(fake, op string) error { return &Error{fake, op, ErrOutage, syscall.ECONNRESET} }
