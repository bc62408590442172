package fakehttp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/go-qtests/qtests/qtests"
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

// Faults adds to [fake.Faults] what only HTTP can suffer. Where several faults
// of one kind are active, the lowest bandwidth and the smallest number of bytes
// count, and the status that began first.
type Faults struct {
	fake.Faults
	scope fault.Scope
}

func newFaults(scope fault.Scope) Faults { return Faults{fake.FaultsOf(scope), scope} }

// Status answers every request with the status, from 100 to 599, and its text
// instead of calling the responder: a burst of them while it lasts.
func (f *Faults) Status(code int) qtests.Event {
	f.scope.T.Helper()
	return f.RetryAfter(code, 0)
}

// RetryAfter is Status with a Retry-After header of so many seconds, rounded up;
// without one if d is 0.
func (f *Faults) RetryAfter(code int, d time.Duration) qtests.Event {
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
func (f *Faults) Bandwidth(bytesPerSecond int64) qtests.Event {
	f.scope.T.Helper()
	f.scope.Require(bytesPerSecond > 0, "Bandwidth", bytesPerSecond, "is not above 0")
	return f.scope.Event(fmt.Sprintf("bandwidth %d B/s", bytesPerSecond), fault.Fault{Kind: fault.Bandwidth, X: float64(bytesPerSecond)})
}

// Reset makes every request fail with [ErrReset] when the answer should begin.
func (f *Faults) Reset() qtests.Event {
	return f.scope.Event("connections reset", fault.Fault{Kind: fault.Errors, X: 1, Err: resetByPeer})
}

// ResetBody resets the connection when after bytes of the body have been read;
// bodies that are no longer arrive whole. With 0 the header still arrives.
func (f *Faults) ResetBody(after int64) qtests.Event {
	f.scope.T.Helper()
	f.scope.Require(after >= 0, "ResetBody", after, "is negative")
	return f.scope.Event(fmt.Sprintf("bodies reset after %d B", after), fault.Fault{Kind: fault.Reset, X: float64(after)})
}

// StallBody makes each body stand still when after bytes have been read, until
// the event or the context of the request ends.
func (f *Faults) StallBody(after int64) qtests.Event {
	f.scope.T.Helper()
	f.scope.Require(after >= 0, "StallBody", after, "is negative")
	return f.scope.Event(fmt.Sprintf("bodies stall after %d B", after), fault.Fault{Kind: fault.Stall, X: float64(after)})
}

// HandshakeFailure makes every new connection fail with [ErrHandshake], whatever
// the scheme; those that are open go on.
func (h *Fake) HandshakeFailure() qtests.Event {
	return h.scope.Event("TLS handshakes fail", fault.Fault{Kind: fault.Handshake})
}

// resetByPeer is ErrReset with its cause, for a script.
var resetByPeer = errorPair{ErrReset, syscall.ECONNRESET}

// errorPair is two errors in one line.
type errorPair [2]error

func (p errorPair) Error() string   { return p[0].Error() + ": " + p[1].Error() }
func (p errorPair) Unwrap() []error { return p[:] }

// alertHandshakeFailure is the alert handshake_failure of RFC 8446, section 6.
const alertHandshakeFailure = tls.AlertError(40)

func (h *Fake) resetError(op string) error {
	return &fake.Error{Fake: h.common.Name, Op: op, Err: ErrReset, Cause: syscall.ECONNRESET}
}

// handshake returns the error of a new connection, if any.
func (h *Fake) handshake() error {
	if h.active(fault.Handshake, fault.Targets{}) == nil {
		return nil
	}
	return &fake.Error{Fake: h.common.Name, Op: "connect", Err: ErrHandshake, Cause: alertHandshakeFailure}
}

// status returns the answer that replaces the responder's, or nil.
func (h *Fake) status(on fault.Targets) *http.Response {
	f := h.active(fault.Status, on)
	if f == nil {
		return nil
	}
	code := int(f.X)
	resp := newTextResponse(code, http.StatusText(code))
	if f.Dur > 0 {
		resp.Header.Set("Retry-After", fmt.Sprint(int64((f.Dur+time.Second-1)/time.Second)))
	}
	return resp
}

// active returns the fault of a kind that concerns the targets and began first, or nil.
func (h *Fake) active(kind fault.Kind, on fault.Targets) (f *fault.Fault) {
	h.engine.Read(func(s *fault.Script) { f = s.First(kind, on) })
	return f
}

func newTextResponse(code int, text string) *http.Response {
	return &http.Response{
		Status: http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		Body:   io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}
}
