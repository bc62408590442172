package pool

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

var (
	// ErrReset is a connection that was reset; its *FaultError also unwraps to
	// syscall.ECONNRESET.
	ErrReset = errors.New("pool: connection reset")
	// ErrHandshake is a TLS handshake that failed; its *FaultError also unwraps to
	// a tls.AlertError.
	ErrHandshake = errors.New("pool: TLS handshake failed")
)

// HTTPFaults adds to [Faults] what only HTTP can suffer. Where several faults
// of one kind are active, the lowest bandwidth and the smallest number of bytes
// count, and the status that began first.
type HTTPFaults struct{ Faults }

// Status answers every request with the status, from 100 to 599, and its text
// instead of calling the responder: a burst of them while it lasts.
func (f *HTTPFaults) Status(code int) qtests.Event {
	f.t.Helper()
	return f.RetryAfter(code, 0)
}

// RetryAfter is Status with a Retry-After header of so many seconds, rounded up;
// without one if d is 0.
func (f *HTTPFaults) RetryAfter(code int, d time.Duration) qtests.Event {
	f.t.Helper()
	f.require(code >= 100 && code <= 599, "Status", code, "is not between 100 and 599")
	f.require(d >= 0, "RetryAfter", d, "is negative")
	text := fmt.Sprintf("status %d", code)
	if d > 0 {
		text += fmt.Sprintf(", retry after %v", d)
	}
	return f.event(text, fault{kind: faultStatus, x: float64(code), dur: d})
}

// Bandwidth limits every body to so many bytes a second, above 0.
func (f *HTTPFaults) Bandwidth(bytesPerSecond int64) qtests.Event {
	f.t.Helper()
	f.require(bytesPerSecond > 0, "Bandwidth", bytesPerSecond, "is not above 0")
	return f.event(fmt.Sprintf("bandwidth %d B/s", bytesPerSecond), fault{kind: faultBandwidth, x: float64(bytesPerSecond)})
}

// Reset makes every request fail with [ErrReset] when the answer should begin.
func (f *HTTPFaults) Reset() qtests.Event {
	return f.event("connections reset", fault{kind: faultErrors, x: 1, err: resetByPeer})
}

// ResetBody resets the connection when after bytes of the body have been read;
// bodies that are no longer arrive whole. With 0 the header still arrives.
func (f *HTTPFaults) ResetBody(after int64) qtests.Event {
	f.t.Helper()
	f.require(after >= 0, "ResetBody", after, "is negative")
	return f.event(fmt.Sprintf("bodies reset after %d B", after), fault{kind: faultReset, x: float64(after)})
}

// StallBody makes each body stand still when after bytes have been read, until
// the event or the context of the request ends.
func (f *HTTPFaults) StallBody(after int64) qtests.Event {
	f.t.Helper()
	f.require(after >= 0, "StallBody", after, "is negative")
	return f.event(fmt.Sprintf("bodies stall after %d B", after), fault{kind: faultStall, x: float64(after)})
}

// HandshakeFailure makes every new connection fail with [ErrHandshake], whatever
// the scheme; those that are open go on.
func (h *HTTP) HandshakeFailure() qtests.Event {
	return h.event("TLS handshakes fail", fault{kind: faultHandshake})
}

// resetByPeer is ErrReset with its cause, for a script.
var resetByPeer = errorPair{ErrReset, syscall.ECONNRESET}

// errorPair is two errors in one line.
type errorPair [2]error

func (p errorPair) Error() string   { return p[0].Error() + ": " + p[1].Error() }
func (p errorPair) Unwrap() []error { return p[:] }

// alertHandshakeFailure is the alert handshake_failure of RFC 8446, section 6.
const alertHandshakeFailure = tls.AlertError(40)

func (e *faultEngine) resetError(op string) error {
	return &FaultError{Fake: e.name, Op: op, Err: ErrReset, Cause: syscall.ECONNRESET}
}

// handshake returns the error of a new connection, if any.
func (e *faultEngine) handshake() (err error) {
	e.shape(func(s *script) {
		if s.first(faultHandshake, targets{}) != nil {
			err = &FaultError{Fake: e.name, Op: "connect", Err: ErrHandshake, Cause: alertHandshakeFailure}
		}
	})
	return err
}

// status returns the answer that replaces the responder's, or nil.
func (e *faultEngine) status(on targets) *http.Response {
	var f *fault
	e.shape(func(s *script) { f = s.first(faultStatus, on) })
	if f == nil {
		return nil
	}
	code := int(f.x)
	resp := newTextResponse(code, http.StatusText(code))
	if f.dur > 0 {
		resp.Header.Set("Retry-After", fmt.Sprint(int64((f.dur+time.Second-1)/time.Second)))
	}
	return resp
}
