// Package faulttest has what the tests of several fakes need.
package faulttest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/tb"
)

// At calls f at an offset from the start of the bubble.
func At(q *qtests.T, offset time.Duration, f func()) {
	q.Clock().AfterFunc(offset-q.Elapsed(), f)
}

// Schedule runs a timeline until q ends. Its first wait begins before any of the
// test's waits.
func Schedule(q *qtests.T, events ...event.Event) {
	q.Helper()
	stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(), events...)
	if err != nil {
		tb.Fatalf(q, "%v", err)
	}
	q.Cleanup(func() {
		if err := stop(); err != nil {
			q.Errorf("%v", err)
		}
	})
	q.Wait()
}

// Calls records when each call of a fake ended, and how.
type Calls struct {
	Q *qtests.T

	mu sync.Mutex
	as []string
}

// Do makes a call.
func (c *Calls) Do(call func(ctx context.Context) error) {
	err := call(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.as = append(c.as, fmt.Sprint(c.Q.Elapsed(), " ", err))
}

// Ended returns one line for each call that has ended: "9s <nil>".
func (c *Calls) Ended() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.as
}

// Repeats fails t unless run, which is to return a line for each of n calls, returns the same
// lines each time under one seed, and others under another.
func Repeats(t *testing.T, n int, run func(seed uint64) []string) {
	t.Helper()
	first := run(1)
	if len(first) != n {
		t.Fatalf("%d calls ended, not %d", len(first), n)
	}
	for range 5 {
		for i, line := range run(1) {
			if line != first[i] {
				t.Fatalf("call %d to end: %q, and before %q", i, line, first[i])
			}
		}
	}
	if slices.Equal(first, run(2)) {
		t.Error("another seed, the same run")
	}
}
