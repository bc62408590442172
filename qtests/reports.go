package qtests

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/userline"
)

// The methods of this file are those of testing.TB that report to the test. A
// bubble that was left behind may still run; what it reports then is dropped,
// where the testing package would end the process because its test is over.

// Log is testing.TB's.
func (q *T) Log(args ...any) {
	if !q.sealed.Load() {
		q.TB.Helper()
		q.TB.Log(args...)
	}
}

// Logf is testing.TB's.
func (q *T) Logf(format string, args ...any) {
	if !q.sealed.Load() {
		q.TB.Helper()
		q.TB.Logf(format, args...)
	}
}

// Error is testing.TB's.
func (q *T) Error(args ...any) {
	q.failed("assertion", fmt.Sprintln(args...))
	if !q.sealed.Load() {
		q.TB.Helper()
		q.TB.Error(args...)
	}
}

// Errorf is testing.TB's. In a cleanup of qtests' own, whose stack has no line of
// the user, the failure has the line that registered it: the testing package
// forgets in a bubble who called Cleanup.
func (q *T) Errorf(format string, args ...any) {
	q.failed("assertion", fmt.Sprintf(format, args...))
	if q.sealed.Load() {
		return
	}
	if stack := q.cleaning.Load(); stack != nil && q.plain() && userline.Of(userline.Stack()) == "" {
		if line := userline.Of(*stack); line != "" {
			q.TB.Fail()
			userline.Print(q.TB.Output(), line, format, args...)
			return
		}
	}
	q.TB.Helper()
	q.TB.Errorf(format, args...)
}

// Fatal is testing.TB's.
func (q *T) Fatal(args ...any) {
	q.TB.Helper()
	q.Error(args...)
	q.FailNow()
}

// Fatalf is testing.TB's.
func (q *T) Fatalf(format string, args ...any) {
	q.TB.Helper()
	q.Errorf(format, args...)
	q.FailNow()
}

// Skip is testing.TB's.
func (q *T) Skip(args ...any) {
	q.TB.Helper()
	q.Log(args...)
	q.SkipNow()
}

// Skipf is testing.TB's.
func (q *T) Skipf(format string, args ...any) {
	q.TB.Helper()
	q.Logf(format, args...)
	q.SkipNow()
}

// FailNow is testing.TB's. In the body it ends the body; in another goroutine of
// the bubble it fails the test and ends that goroutine, and the body goes on.
func (q *T) FailNow() {
	q.failed("assertion", "FailNow")
	if q.sealed.Load() {
		runtime.Goexit()
	}
	q.TB.FailNow()
}

// SkipNow is testing.TB's. The test outside is skipped too.
func (q *T) SkipNow() {
	if q.sealed.Load() {
		q.skipped.Store(true)
		runtime.Goexit()
	}
	q.TB.SkipNow()
}

// Fail is testing.TB's.
func (q *T) Fail() {
	q.failed("assertion", "Fail")
	if !q.sealed.Load() {
		q.TB.Fail()
	}
}

// Output is testing.TB's.
func (q *T) Output() io.Writer {
	if q.sealed.Load() {
		return io.Discard
	}
	return q.TB.Output()
}

// plain reports whether what q reports goes to the testing package itself.
func (q *T) plain() bool { return isPlain(q.TB) }

// isPlain reports whether a test is one of the testing package.
func isPlain(test any) bool {
	switch test.(type) {
	case *testing.T, *testing.B:
		return true
	}
	return false
}

func init() {
	userline.FailT = func(t any, line, text string) bool {
		q, ok := t.(*T)
		if !ok || !q.plain() {
			return false
		}
		if q.failed("assertion", text); !q.sealed.Load() {
			q.TB.Fail()
			userline.Print(q.TB.Output(), line, "%s", text)
		}
		return true
	}
	userline.OutputOfT = func(t any) io.Writer {
		if q, ok := t.(*T); ok && q.plain() {
			return q.Output()
		}
		return nil
	}
}

// Context is testing.TB's: it ends just before the cleanups run.
func (q *T) Context() context.Context {
	q.concludeLast() // what waits for that end goes on then
	return q.TB.Context()
}

// Cleanup registers f to run in the bubble when the body has ended, last one
// first. A panic in f fails the test, and the other cleanups still run.
func (q *T) Cleanup(f func()) {
	stack := userline.Stack()
	q.concludeLast()
	q.TB.Cleanup(func() {
		q.cleaning.Store(&stack)
		defer q.cleaning.Store(nil)
		defer q.catch("a cleanup")
		f()
	})
}
