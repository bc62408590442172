package pool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
)

var (
	// ErrClosed is returned by every acquire after Close has begun.
	ErrClosed = errors.New("pool: closed")
	// ErrOverloaded is returned at once to a caller that Config.MaxWaiters or
	// Config.NoQueue does not let wait.
	ErrOverloaded = errors.New("pool: overloaded")
	// ErrAcquireTimeout is returned to a caller that has waited for
	// Config.AcquireTimeout. The end of the caller's own context is returned as
	// the context's error instead.
	ErrAcquireTimeout = errors.New("pool: acquire timeout")
	// ErrNoneIdle is returned by TryAcquire when no resource can be had at once.
	ErrNoneIdle = errors.New("pool: none idle")
	// ErrBroken marks an error after which the resource must not be used again:
	// Do discards the resource when its function returns an error that wraps it.
	ErrBroken = errors.New("pool: broken resource")
	// ErrNilResource is the error of a New that returned a nil pointer,
	// interface, map, channel, slice or function together with a nil error.
	ErrNilResource = errors.New("pool: New returned a nil resource")
	// ErrGoexit is the error of a New or Check that called runtime.Goexit, as
	// t.FailNow does.
	ErrGoexit = usercode.ErrGoexit
)

// A ConstructError is the error of a caller whose resource could not be made. It
// unwraps to the error of New, to a *PanicError, or to ErrGoexit.
type ConstructError struct {
	Pool string
	Err  error
	// Failures counts the rounds of construction that failed in a row. Attempts
	// that were under way at the same time are one round.
	Failures int
	// RetryAt is the instant before which the pool makes no further attempt;
	// zero under Config.NoBackoff.
	RetryAt time.Time
}

func (e *ConstructError) Error() string {
	return fmt.Sprintf("pool %s: constructing a resource: %v", e.Pool, e.Err)
}

func (e *ConstructError) Unwrap() error { return e.Err }

// A PanicError is the panic of a user's function as an error: Value is what the
// function panicked with, Stack (in bytes) the stack of its goroutine. It unwraps to
// Value if that is an error.
type PanicError = usercode.PanicError

// A CloseError says what was still out when the context of Close ended. It
// unwraps to the context's error.
type CloseError struct {
	Pool   string
	Leases []HeldLease // oldest first
	// Running counts the calls of New, Check and Destroy that had not returned.
	Running int
	Err     error
}

func (e *CloseError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pool %s: close: %v: leases out: %d, calls of New, Check or Destroy running: %d",
		e.Pool, e.Err, len(e.Leases), e.Running)
	for _, l := range e.Leases {
		b.WriteString("\n")
		b.WriteString(l.String())
	}
	return b.String()
}

func (e *CloseError) Unwrap() error { return e.Err }

// resultOf classifies an error of acquire.
func resultOf(err error) result {
	switch {
	case errors.Is(err, ErrAcquireTimeout), errors.Is(err, context.DeadlineExceeded) && !isConstruct(err):
		return resultTimeout
	case errors.Is(err, context.Canceled) && !isConstruct(err):
		return resultCanceled
	case errors.Is(err, ErrOverloaded):
		return resultShed
	case errors.Is(err, ErrClosed):
		return resultClosed
	}
	return resultError
}

func isConstruct(err error) bool {
	var c *ConstructError
	return errors.As(err, &c)
}
