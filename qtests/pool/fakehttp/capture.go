package fakehttp

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/go-qtests/qtests/qtests/pool/internal/ring"
)

// maxCapturedBody is how much of a request's body is kept.
const maxCapturedBody = 1 << 20

// A Request is one that a [Stub] has captured.
type Request struct {
	At     time.Time
	Method string
	URL    string
	Header http.Header // as the server sees it; a copy
	// Body is the body, up to 1 MiB of it: whole if it is in memory (a buffer or a
	// string), else as much as the responder has read.
	Body []byte
}

// capture keeps requests. The lock of the fake guards it.
type capture struct{ kept ring.Last[*Request] }

// Capture makes the stub keep the last n requests that it is chosen for, n above 0. It
// forgets those that it kept before.
func (s *Stub) Capture(n int) *Stub {
	s.scope.T.Helper()
	s.scope.Require(n > 0, "Capture", n, "is not above 0")
	s.captured.Store(&capture{ring.New[*Request](n)})
	return s
}

// Captured returns the requests that are kept, the oldest first. It fails the test
// unless [Stub.Capture] has been called.
func (s *Stub) Captured() []Request {
	s.scope.T.Helper()
	c := s.captured.Load()
	if c == nil {
		s.scope.Fatalf("Captured: call Capture first")
	}
	var out []Request
	s.h.locked(func(*state) {
		for _, r := range c.kept.All() {
			one := *r
			one.Header, one.Body = r.Header.Clone(), bytes.Clone(r.Body)
			out = append(out, one)
		}
	})
	return out
}

// capture keeps a request if the stub captures. What the responder reads of its body is kept with it.
func (s *Stub) capture(req *http.Request) {
	c := s.captured.Load()
	if c == nil {
		return
	}
	kept := &Request{At: s.h.common.Clock.Now(), Method: methodOf(req), URL: req.URL.String(), Header: req.Header.Clone()}
	whole := false
	if req.Body != nil && req.GetBody != nil {
		if copied, err := req.GetBody(); err == nil {
			kept.Body, err = io.ReadAll(io.LimitReader(copied, maxCapturedBody))
			whole = err == nil
			_ = copied.Close()
		}
	}
	if req.Body != nil && !whole {
		req.Body = &recorded{req.Body, s, kept}
	}
	s.h.locked(func(*state) { c.kept.Add(kept) })
}

// A recorded body keeps what is read of it.
type recorded struct {
	io.ReadCloser
	stub *Stub
	kept *Request
}

func (r *recorded) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.stub.h.locked(func(*state) {
		room := maxCapturedBody - len(r.kept.Body)
		r.kept.Body = append(r.kept.Body, p[:min(n, room)]...)
	})
	return n, err
}
