package fake

import "github.com/go-qtests/qtests/qtests/pool/internal/fault"

var (
	// ErrOutage is the error of every call during an outage. The *Error around it also
	// unwraps to syscall.ECONNREFUSED, or to syscall.ECONNRESET for a call that was
	// under way when the outage began.
	ErrOutage = fault.ErrOutage
	// ErrInjected is the error of an error rate that names no other.
	ErrInjected = fault.ErrInjected
	// ErrUnmatched is the error of a query or a request for which no answer is
	// registered.
	ErrUnmatched = fault.ErrUnmatched
)

// An Error is an error that a fake made up. It has the fields
//
//	Fake  string // the name of the fake
//	Op    string // the operation: "query", "connect", "POST /charge", …
//	Err   error  // for example ErrOutage
//	Cause error  // the error of the operating system that the real thing would have met, or nil
//
// and unwraps to Err and Cause.
type Error = fault.Error
