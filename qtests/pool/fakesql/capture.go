package fakesql

import (
	"bytes"
	"database/sql/driver"
	"time"

	"github.com/go-qtests/qtests/qtests/pool/internal/ring"
)

// A Call is a query or a statement that a [Stub] has captured.
type Call struct {
	At    time.Time
	Query string
	Args  []driver.NamedValue
}

// Capture makes the stub keep the last n calls that it is chosen for, n above 0. It
// forgets those that it kept before.
func (s *Stub) Capture(n int) *Stub {
	s.scope.T.Helper()
	s.scope.Require(n > 0, "Capture", n, "is not above 0")
	kept := ring.New[Call](n)
	s.captured.Store(&kept)
	return s
}

// Captured returns the calls that are kept, the oldest first. It fails the test unless
// [Stub.Capture] has been called.
func (s *Stub) Captured() []Call {
	s.scope.T.Helper()
	kept := s.captured.Load()
	if kept == nil {
		s.scope.Fatalf("Captured: call Capture first")
	}
	var out []Call
	s.db.locked(func(*state) { out = kept.All() })
	for i := range out {
		out[i].Args = copyArgs(out[i].Args)
	}
	return out
}

// capture keeps a call if the stub captures.
func (s *Stub) capture(query string, args []driver.NamedValue) {
	kept := s.captured.Load()
	if kept == nil {
		return
	}
	c := Call{s.db.common.Clock.Now(), query, copyArgs(args)}
	s.db.locked(func(*state) { kept.Add(c) })
}

// copyArgs copies arguments, with the bytes that the caller may overwrite.
func copyArgs(args []driver.NamedValue) []driver.NamedValue {
	out := append([]driver.NamedValue(nil), args...)
	for i, a := range out {
		if b, ok := a.Value.([]byte); ok {
			out[i].Value = bytes.Clone(b)
		}
	}
	return out
}
