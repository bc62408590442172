package qtests

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
)

// TB is all that qtests asks of a test. *testing.T, *testing.B, *T and the T
// of pgregory.net/rapid satisfy it, and testify's assertions accept it.
//
// What a TB offers beyond these methods is found by type assertion:
//
//	Clock() clock.Clock     the clock to wait on         else the real clock
//	Seed() uint64           the seed of every stream     else the flag's seed
//	EventLog() *EventLog    where marks are written      else none
//	Context() context.Context                            else context.Background
//	ArtifactDir() string    where reports are written    else a new temporary directory
//	Attr(key, value string) attributes of the test       else nothing
type TB interface {
	Helper()
	Name() string
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	FailNow()
}

// ClockOf returns the clock of t: the tie-free clock inside [Run], the real
// clock for a plain test. It fails a plain test that is given to something inside
// the bubble of Run, where it would wait on no clock that the bubble knows.
func ClockOf(t TB) clock.Clock {
	t.Helper()
	if c, ok := t.(interface{ Clock() clock.Clock }); ok {
		return c.Clock()
	}
	switch t.(type) {
	case *testing.T, *testing.B:
		if inRun() {
			Fatalf(t, "qtests: %s is the test outside the bubble, and this is inside; pass the *qtests.T that Run gave to its function", t.Name())
		}
	}
	return clock.New()
}

// SeedOf returns the seed of t, which is that of -qtests.seed for a plain test.
func SeedOf(t TB) uint64 {
	if s, ok := t.(interface{ Seed() uint64 }); ok {
		return s.Seed()
	}
	return seedSetting.get()
}

// StreamOf returns the random stream called name, derived from the seed of t.
func StreamOf(t TB, name string) Stream { return NewStream(SeedOf(t), name) }

// EventLogOf returns the event log of t, or nil, on which every method is a
// no-op, for a test that has none.
func EventLogOf(t TB) *EventLog {
	if l, ok := t.(interface{ EventLog() *EventLog }); ok {
		return l.EventLog()
	}
	return nil
}

// ContextOf returns the context of t, which ends just before its cleanups run.
func ContextOf(t TB) context.Context {
	if c, ok := t.(interface{ Context() context.Context }); ok {
		return c.Context()
	}
	return context.Background()
}

// ArtifactDirOf returns the directory in which t stores its output files:
// t.ArtifactDir() where there is one, which `go test -artifacts` keeps, and
// otherwise a temporary directory, removed when the test ends.
func ArtifactDirOf(t TB) string {
	t.Helper()
	if a, ok := t.(interface{ ArtifactDir() string }); ok {
		return a.ArtifactDir()
	}
	dir, err := os.MkdirTemp("", "qtests-")
	if err != nil {
		Fatalf(t, "qtests: no directory for artifacts: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// AttrOf sets an attribute of t, where t has attributes.
func AttrOf(t TB, key, value string) {
	if a, ok := t.(interface{ Attr(key, value string) }); ok {
		a.Attr(key, value)
	}
}

// Fatalf is t.Errorf followed by t.FailNow, which a TB need not combine.
func Fatalf(t TB, format string, args ...any) {
	t.Helper()
	t.Errorf(format, args...)
	t.FailNow()
}

// Round rounds a measured duration to the microsecond, the precision to which
// qtests records and compares: the nanoseconds below it order events.
func Round(d time.Duration) time.Duration { return d.Round(time.Microsecond) }
