package usercode

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errOwn = errors.New("own")

// run calls Run on a goroutine of its own and says whether Run returned.
func run(f func() error, end func(error)) (returned bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		Run(f, end)
		returned = true
	}()
	<-done
	return returned
}

func TestRunEndsOnEveryWayOut(t *testing.T) {
	for name, c := range map[string]struct {
		f        func() error
		check    func(err error)
		returned bool
	}{
		"returns":        {func() error { return nil }, func(err error) { require.NoError(t, err) }, true},
		"returns error":  {func() error { return errOwn }, func(err error) { require.Same(t, errOwn, err) }, true},
		"exits":          {func() error { runtime.Goexit(); return nil }, func(err error) { require.Same(t, ErrGoexit, err) }, false},
		"panics":         {func() error { panic("oops") }, func(err error) { require.EqualError(t, err, "panic: oops") }, true},
		"panics nil":     {func() error { panic(nil) }, func(err error) { require.ErrorContains(t, err, "panic called with nil") }, true},
		"panics error":   {func() error { panic(errOwn) }, func(err error) { require.ErrorIs(t, err, errOwn) }, true},
		"panics in exit": {func() error { defer func() { panic("oops") }(); runtime.Goexit(); return nil }, func(err error) { require.EqualError(t, err, "panic: oops") }, false},
		"exits in panic": {func() error { defer runtime.Goexit(); panic("oops") }, func(err error) { require.Same(t, ErrGoexit, err) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			var got []error
			returned := run(c.f, func(err error) { got = append(got, err) })
			require.Len(t, got, 1, "end runs once")
			c.check(got[0])
			require.Equal(t, c.returned, returned)
		})
	}
}

func TestPanicCarriesTheStackOfThePanic(t *testing.T) {
	err := Call(func() error { return explode() })
	var p *PanicError
	require.ErrorAs(t, err, &p)
	require.Equal(t, "oops", p.Value)
	require.Contains(t, string(p.Stack), "usercode.explode")
	require.NoError(t, errors.Unwrap(p), "a text is no error")
}

//go:noinline
func explode() error { panic("oops") }

func TestCallReturnsWhatTheFunctionReturns(t *testing.T) {
	require.NoError(t, Call(func() error { return nil }))
	require.Same(t, errOwn, Call(func() error { return errOwn }))
}

func TestBlame(t *testing.T) {
	require.EqualError(t, Blame("New", Call(func() error { panic("oops") })), "New panicked: oops")
	require.EqualError(t, Blame("New", ErrGoexit), "New called runtime.Goexit")
	require.Same(t, errOwn, Blame("New", errOwn))
	require.NoError(t, Blame("New", nil))
	wrapped := fmt.Errorf("own: %w", ErrGoexit)
	require.Same(t, wrapped, Blame("New", wrapped), "the user's own error about something else")
}

func TestCauseOfAPanic(t *testing.T) {
	defer func() {
		err, exiting := Cause(recover())
		require.False(t, exiting)
		require.EqualError(t, err, "panic: boom")
		var p *PanicError
		require.ErrorAs(t, err, &p)
		require.Equal(t, "boom", p.Value)
		require.Contains(t, string(p.Stack), "TestCauseOfAPanic")
		require.True(t, strings.HasPrefix(p.Report("the step"), "panic: boom, in the step\n"))
	}()
	panic("boom")
}

func TestCauseOfGoexit(t *testing.T) {
	err, exiting := Cause(nil)
	require.True(t, exiting)
	require.Same(t, ErrGoexit, err)
}

func TestReportIsPrintable(t *testing.T) {
	require.Equal(t, `panic: \x1b[31m, in x`+"\n", (&PanicError{Value: "\x1b[31m"}).Report("x"))
}

func TestRoomTakesNothingFromTheHeap(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, Room))
}
