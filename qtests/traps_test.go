package qtests

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/tb"
)

// TestFailuresStayInTheirTest runs tests that fail in every way a body can, each
// beside a neighbour that must pass, in a process that must survive.
func TestFailuresStayInTheirTest(t *testing.T) {
	for _, c := range []struct {
		name, outcome string
		want          []string
	}{
		{"Fatal", "FAIL", []string{"traps_test.go:", "deliberate", "to repeat: " + ordered.TestCommand() + " github.com/go-qtests/qtests/qtests -run '^TestChildFailure$/^Fatal$' -qtests.seed=1"}},
		{"Panic", "FAIL", []string{"qtests: panic in the body: deliberate", "traps_test.go:", "a cleanup ran"}},
		{"PanicInGo", "FAIL", []string{"qtests: panic in a goroutine started at traps_test.go:", ": deliberate"}},
		{"PanicInCleanup", "FAIL", []string{"qtests: panic in a cleanup: deliberate", "the other cleanup ran"}},
		{"Goexit", "FAIL", []string{"ended its goroutine with runtime.Goexit"}},
		{"Skip", "SKIP", []string{"not today"}},
		{"Leak", "FAIL", []string{
			"qtests: 4 goroutines are left behind in the bubble of TestChildFailure/Leak, at 1h0m0s of fake time",
			"[chan receive], started at traps_test.go:", " after 1m0s, waiting there for 59m0s of fake time",
			"[sleep]", " after 1h0m0s, waiting there for 0s of fake time",
			"waiting there for 30m0s to 59m0s of fake time",
			"[select (no cases)], started at /", "traps_test.go:", "waiting there for 30m0s to 1h0m0s of fake time"}},
		{"Deadlock", "FAIL", []string{"qtests: deadlock: ", "Nothing can wake the goroutines of this bubble any more, at 1s of fake time", "traps_test.go:"}},
		{"OuterRun", "FAIL", []string{"t.Run of the test outside was called inside the bubble"}},
		{"OuterFatal", "FAIL", []string{"deliberate", "the body called FailNow of the test outside"}},
		{"OuterT", "FAIL", []string{"qtests: TestChildFailure/OuterT is the test outside the bubble, and this is inside; pass the *qtests.T"}},
		{"ManyLeaks", "FAIL", []string{"1001 goroutines are left behind", "… and 999 more like it", "what ends by itself needs time to: q.Sleep"}},
		{"Nested", "FAIL", []string{"qtests: traps_test.go:", "Run inside a bubble: bubbles do not nest"}},
		{"FromCleanup", "FAIL", []string{"qtests: traps_test.go:", "Run in a Cleanup: a test that is ending cannot start a bubble"}},
		{"OuterContext", "FAIL", []string{"qtests: 1 context(s) derived inside the bubble from the t.Context() of the test outside"}},
		{"JumpBack", "FAIL", []string{"JumpTo(1999-12-31", "time does not go back"}},
		{"JumpLate", "FAIL", []string{"1 waits are pending on the clock; jump before the first of them"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, passed := runChild(t, "^TestChildFailure$/^"+c.name+"$|^TestChildFailure$/^Neighbour$")
			require.Equal(t, c.outcome != "FAIL", passed)
			require.Contains(t, out, "--- "+c.outcome+": TestChildFailure/"+c.name)
			require.Contains(t, out, "--- PASS: TestChildFailure/Neighbour")
			for _, w := range c.want {
				require.Contains(t, out, w)
			}
			require.NotContains(t, out, "never printed")
			require.NotContains(t, out, "goleak")
		})
	}
}

// TestTrapsSaidBeforeTheEnd: what a bubble that can never end leaves in the test outside ends
// the process. Nothing can be done about that from outside, so the reason is said before.
func TestTrapsSaidBeforeTheEnd(t *testing.T) {
	for name, wants := range map[string][]string{
		"Context":  {"qtests: 1 context(s) derived inside the bubble from the t.Context() of the test outside"},
		"Parallel": {"Waiting for other tests, in t.Parallel (1): A bubble cannot wait for other tests. Turn it round", "qtests: t.Run of the test outside was called inside the bubble"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, passed := runChild(t, "^TestChildTrap$/^"+name+"$", "-test.v=false", "-qtests.stall=200ms")
			require.False(t, passed)
			said, fatal, ends := strings.Cut(out, "fatal error: ")
			require.True(t, ends, out)
			for _, want := range wants {
				require.Contains(t, said, want, fatal)
			}
			require.Contains(t, out, "If the process ends now with a fatal error")
		})
	}
}

func TestChildTrap(t *testing.T) {
	child(t)
	never := make(chan struct{}) // outside of the bubble: not a durable wait
	t.Run("Context", func(t *testing.T) {
		Run(t, func(*T) {
			_, cancel := context.WithTimeout(t.Context(), 1<<62)
			defer cancel() // never: the body does not end
			<-never
		})
	})
	t.Run("Parallel", func(t *testing.T) {
		Run(t, func(*T) { t.Run("sub", func(t *testing.T) { t.Parallel() }) })
	})
}

func TestChildFailure(t *testing.T) {
	child(t)
	for _, c := range []struct {
		name string
		body func(t *testing.T, q *T)
	}{
		{"Fatal", func(_ *testing.T, q *T) { q.Fatal("deliberate") }},
		{"Panic", func(_ *testing.T, q *T) {
			q.Cleanup(func() { q.Log("a cleanup ran") })
			panic("deliberate")
		}},
		{"PanicInGo", func(_ *testing.T, q *T) { q.Go(func() { panic(errors.New("deliberate")) }); q.Wait() }},
		{"PanicInCleanup", func(_ *testing.T, q *T) {
			q.Cleanup(func() { q.Log("the other cleanup ran") })
			q.Cleanup(func() { panic("deliberate") })
		}},
		{"Goexit", func(*testing.T, *T) { runtime.Goexit() }},
		{"Skip", func(_ *testing.T, q *T) { q.Skip("not today") }},
		{"Leak", func(_ *testing.T, q *T) {
			q.Sleep(time.Minute)
			q.Go(func() { <-make(chan int) })
			q.Go(func() { q.Clock().Sleep(time.Minute); <-make(chan int) })
			q.Wait()
			q.Sleep(29 * time.Minute)
			go func() { select {} }()
			q.Wait()
			q.Sleep(30 * time.Minute)
			q.Go(func() { q.Clock().Sleep(time.Hour) })
		}},
		{"Deadlock", func(_ *testing.T, q *T) { q.Sleep(time.Second); <-make(chan int) }},
		{"OuterRun", func(t *testing.T, _ *T) { t.Run("sub", func(*testing.T) {}) }},
		{"OuterFatal", func(t *testing.T, _ *T) { t.Fatal("deliberate") }},
		{"Nested", func(t *testing.T, _ *T) { Run(t, func(*T) {}) }},
		{"OuterT", func(t *testing.T, q *T) { tb.ClockOf(t); t.Log("never printed") }},
		{"ManyLeaks", func(_ *testing.T, q *T) {
			for range 1000 {
				go q.Clock().Sleep(time.Hour)
			}
			go func() { select {} }()
			q.Sleep(time.Minute)
		}},
		{"OuterContext", func(t *testing.T, q *T) {
			_, cancel := context.WithTimeout(t.Context(), time.Minute)
			q.Cleanup(func() { _ = cancel }) // deliberately never called
		}},
		{"JumpBack", func(_ *testing.T, q *T) { q.JumpTo(q.Clock().Now().Add(-time.Second)) }},
		{"JumpLate", func(_ *testing.T, q *T) {
			q.Clock().Timer(time.Second)
			q.JumpTo(q.Clock().Now().Add(time.Minute))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(q *T) { c.body(t, q) })
			t.Log("never printed")
		})
	}
	t.Run("FromCleanup", func(t *testing.T) {
		t.Cleanup(func() { Run(t, func(*T) {}) })
	})
	t.Run("Neighbour", neighbour)
}

// TestNoSubtests has a call of these methods inside a bubble end at the compiler.
func TestNoSubtests(t *testing.T) {
	for _, name := range []string{"Run", "Parallel", "Deadline"} {
		_, there := reflect.TypeFor[*testing.T]().MethodByName(name)
		require.True(t, there, name)
		_, there = reflect.TypeFor[*T]().MethodByName(name)
		require.False(t, there, name)
	}
}

func TestJumpTo(t *testing.T) {
	Run(t, func(q *T) {
		date := time.Date(2015, 5, 17, 10, 5, 0, 0, time.UTC)
		q.JumpTo(date)
		require.Equal(q, date, q.Clock().Now().UTC())
		require.Zero(q, q.Elapsed())
		q.Sleep(time.Hour)
		require.Equal(q, time.Hour, q.Elapsed())
	})
}

func TestOuterContextIsUsableIfReturned(t *testing.T) {
	Run(t, func(q *T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(q, ctx.Err())
	})
}

// What was derived before is not of the bubble.
func TestContextsOfBefore(t *testing.T) {
	for range 2 {
		_, cancel := context.WithCancel(t.Context())
		defer cancel()
	}
	Run(t, func(q *T) { q.Sleep(1) })
}
