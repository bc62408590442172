// Package tb is what a test is to a helper: the few methods that a constructor or an
// assertion needs, and the way to what a test offers beyond them.
//
// A helper takes a [TB] first, and asks [ClockOf], [SeedOf] and the others for the rest.
// So it works with a plain test, with the test of qtests.Run, and with one that wraps it.
// The package imports neither package testing nor package net/http, so that a library which
// serves in production may have helpers for tests.
//
// All functions are safe for concurrent use as far as the methods of the test are.
package tb

import (
	"context"
	"os"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
)

// TB is all that qtests asks of a test. *testing.T, *testing.B, *qtests.T and the T
// of pgregory.net/rapid satisfy it, and testify's assertions accept it.
//
// What a TB offers beyond these methods is found by type assertion:
//
//	Clock() clock.Clock     the clock to wait on         else the real clock
//	Seed() uint64           the seed of every stream     else the setting's seed
//	EventLog() *event.Log   where marks are written      else none
//	Context() context.Context                            else context.Background
//	ArtifactDir() string    where reports are written    else a new temporary directory
//	Attr(key, value string) attributes of the test       else nothing
//
// The first four of a test that hides them, because it wraps the *qtests.T of a bubble,
// are those of the bubble in which the caller is.
type TB interface {
	Helper()
	Name() string
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	FailNow()
}

// ClockOf returns the clock of t. Inside qtests.Run this is the clock of the bubble, also
// for a t that hides it; for a plain test it is the real clock. A test of the testing
// package that is used inside the bubble of qtests.Run fails: it belongs outside, and its
// cleanups would run there.
func ClockOf(t TB) clock.Clock {
	t.Helper()
	type clocked interface{ Clock() clock.Clock }
	if c, ok := t.(clocked); ok {
		return c.Clock()
	}
	b := tenancy.Here()
	if b == nil {
		return clock.New()
	}
	if b.Outside(t) {
		Fatalf(t, "qtests: %s is the test outside the bubble, and this is inside; pass the *qtests.T that Run gave to its function", t.Name())
	}
	return b.Test.(clocked).Clock()
}

// offered returns what has the methods of I: t, or the test of the bubble of qtests.Run
// in which the caller is.
func offered[I any](t TB) (found I, ok bool) {
	if found, ok = t.(I); ok {
		return found, true
	}
	if b := tenancy.Here(); b != nil {
		found, ok = b.Test.(I)
	}
	return found, ok
}

// SeedOf returns the seed of t. For a plain test it is the value of -qtests.seed or
// QTESTS_SEED. The flag is there where the test imports qtests.
func SeedOf(t TB) uint64 {
	if s, ok := offered[interface{ Seed() uint64 }](t); ok {
		return s.Seed()
	}
	return settings.Seed.Get()
}

// StreamOf returns the random stream called name, derived from the seed of t.
func StreamOf(t TB, name string) Stream { return NewStream(SeedOf(t), name) }

// EventLogOf returns the event log of t, or nil, on which every method is a
// no-op, for a test that has none.
func EventLogOf(t TB) *event.Log {
	if l, ok := offered[interface{ EventLog() *event.Log }](t); ok {
		return l.EventLog()
	}
	return nil
}

// ContextOf returns the context of t, which ends just before its cleanups run.
func ContextOf(t TB) context.Context {
	if c, ok := offered[interface{ Context() context.Context }](t); ok {
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

// DefaultSeed is the seed of a run that names none, the same in every run.
const DefaultSeed = settings.DefaultSeed

// ErrTwoBubbles is what a component returns to the second of two bubbles that use it
// at once: a waiter of one would be woken from the other, which ends the process, and
// their times are different ones.
var ErrTwoBubbles = tenancy.ErrTwoBubbles

// Round rounds a measured duration to the microsecond, the precision to which
// qtests records and compares: the nanoseconds below it order events.
func Round(d time.Duration) time.Duration {
	if d < 0 || d > time.Hour {
		return d.Round(time.Microsecond)
	}
	return (d + time.Microsecond/2) / time.Microsecond * time.Microsecond // cheaper: it divides by a constant
}
