package fakehttp

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

var (
	// ErrReset is a connection that was reset; its *fake.Error also unwraps to
	// syscall.ECONNRESET.
	ErrReset = errors.New("fakehttp: connection reset")
	// ErrHandshake is a TLS handshake that failed; its *fake.Error also unwraps to
	// a tls.AlertError.
	ErrHandshake = errors.New("fakehttp: TLS handshake failed")
)

// Faults adds to [fake.Faults] what only HTTP can suffer. If several faults of one kind
// are active, the lowest bandwidth, the smallest number of bytes, and the status that
// began first count.
type Faults struct {
	fake.Faults
	scope fault.Scope
}

func newFaults(scope fault.Scope) Faults { return Faults{fake.FaultsOf(scope), scope} }

// Status answers every request with the status, from 100 to 599, and its text
// instead of calling the responder: a burst of them while it lasts.
func (f *Faults) Status(code int) event.Event {
	f.scope.T.Helper()
	return f.RetryAfter(code, 0)
}

// RetryAfter is Status with a Retry-After header of so many seconds, rounded up;
// without one if d is 0.
func (f *Faults) RetryAfter(code int, d time.Duration) event.Event {
	f.scope.T.Helper()
	f.scope.Require(code >= 100 && code <= 599, "Status", code, "is not between 100 and 599")
	f.scope.Require(d >= 0, "RetryAfter", d, "is negative")
	text := fmt.Sprintf("status %d", code)
	if d > 0 {
		text += fmt.Sprintf(", retry after %v", d)
	}
	return f.scope.Event(text, fault.Fault{Kind: fault.Status, X: float64(code), Dur: d})
}

// Bandwidth limits every body to so many bytes a second, above 0.
func (f *Faults) Bandwidth(bytesPerSecond int64) event.Event {
	f.scope.T.Helper()
	f.scope.Require(bytesPerSecond > 0, "Bandwidth", bytesPerSecond, "is not above 0")
	return f.scope.Event(fmt.Sprintf("bandwidth %d B/s", bytesPerSecond), fault.Fault{Kind: fault.Bandwidth, X: float64(bytesPerSecond)})
}

// Reset makes every request fail with [ErrReset] when the answer should begin.
func (f *Faults) Reset() event.Event {
	return f.scope.Event("connections reset", fault.Fault{Kind: fault.Errors, X: 1, Err: resetByPeer})
}

// ResetBody resets the connection when after bytes of the body have been read;
// bodies that are no longer arrive whole. With 0 the header still arrives.
func (f *Faults) ResetBody(after int64) event.Event {
	f.scope.T.Helper()
	f.scope.Require(after >= 0, "ResetBody", after, "is negative")
	return f.scope.Event(fmt.Sprintf("bodies reset after %d B", after), fault.Fault{Kind: fault.Reset, X: float64(after)})
}

// StallBody makes each body stand still when after bytes have been read, until
// the event or the context of the request ends.
func (f *Faults) StallBody(after int64) event.Event {
	f.scope.T.Helper()
	f.scope.Require(after >= 0, "StallBody", after, "is negative")
	return f.scope.Event(fmt.Sprintf("bodies stall after %d B", after), fault.Fault{Kind: fault.Stall, X: float64(after)})
}

// resetByPeer is ErrReset with its cause, for a script.
var resetByPeer = errorPair{ErrReset, syscall.ECONNRESET}

// errorPair is two errors in one line.
type errorPair [2]error

func (p errorPair) Error() string   { return p[0].Error() + ": " + p[1].Error() }
func (p errorPair) Unwrap() []error { return p[:] }
