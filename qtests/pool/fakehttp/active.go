package fakehttp

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// This file has what active faults do to requests and connections.

// HandshakeFailure makes every new connection fail with [ErrHandshake], whatever
// the scheme; those that are open go on.
func (h *Fake) HandshakeFailure() event.Event {
	return h.scope.Event("TLS handshakes fail", fault.Fault{Kind: fault.Handshake})
}

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
func (h *Fake) active(kind fault.Kind, on fault.Targets) *fault.Fault {
	return h.engine.Script().First(kind, on)
}
