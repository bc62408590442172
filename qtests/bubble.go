package qtests

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/guard"
	"github.com/go-qtests/qtests/qtests/internal/leftbehind"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/internal/turns"
	"github.com/go-qtests/qtests/qtests/internal/witness"
	"github.com/go-qtests/qtests/qtests/tb"
)

// T is the test inside a bubble: a testing.TB with a fake, tie-free clock, a
// seed and an event log. Its methods are for the goroutines of its bubble.
//
// It has no Run, Parallel and Deadline. A bubble has no subtests: call t.Run outside,
// and qtests.Run in each subtest. It cannot wait for other tests, and the deadline of go
// test is in real time: call t.Parallel and t.Deadline before qtests.Run.
type T struct {
	testing.TB

	run        *bubbleRun
	tenant     tenancy.Tenant // as components see the bubble
	clock      bubble.Clock
	seed       uint64
	log        *event.Log
	start      time.Time // nominal
	home       *tenancy.Home
	alone      int // goroutines of the process when the body began
	turns      *turns.Queue
	witness    witness.Witness
	sealed     atomic.Bool           // the bubble was left behind
	last       []func()              // to be called when all cleanups have run
	permission leftbehind.Permission // of goroutines to stay
	body       uint64                // the goroutine of the body, where others were there at the end
	skipped    atomic.Bool           // in a search, which no test is told of

	failing   atomic.Pointer[explore.Failure] // the first of the run
	always    []invariant
	sometimes guard.Value[map[string]bool]
	// cleaning is the stack of the call that registered the cleanup that runs.
	cleaning atomic.Pointer[[]uintptr]
	ending   sync.Once // arranges that conclude is called

	outside sync.Mutex // held while the goroutine outside is asked the time
}

// Clock returns the bubble's clock.
func (q *T) Clock() clock.Clock { return q.clock }

// Seed returns the seed from which all streams of this run are derived.
func (q *T) Seed() uint64 { return q.seed }

// Stream returns the random stream called name.
func (q *T) Stream(name string) tb.Stream { return tb.NewStream(q.seed, name) }

// Rand returns a generator at the start of the stream called name. It is for
// one goroutine; a second call with the same name starts again.
func (q *T) Rand(name string) *rand.Rand { return q.Stream(name).Rand() }

// EventLog returns the log to which all components of this test write.
func (q *T) EventLog() *event.Log { return q.log }

// Elapsed returns the nominal time since the bubble started, or since JumpTo.
func (q *T) Elapsed() time.Duration { return q.clock.Now().Sub(q.start) }

// RealElapsed returns how long the run has taken on the wall clock, for
// reports that say so. It is never the same twice: compare nothing with it.
func (q *T) RealElapsed() time.Duration {
	q.outside.Lock()
	defer q.outside.Unlock()
	return q.run.askRealTime().Sub(q.run.realStart)
}

// Order returns the order of the run so far.
func (q *T) Order() Order { return OrderHere() }

// command is the command that repeats the test.
func (q *T) command() command {
	if q.run.config.here == nil {
		return command{} // of a benchmark
	}
	return q.run.config.here()
}

// JumpTo moves the bubble to the instant at, so that a test can start on a date.
// It fails the test when at lies in the past, or when somebody waits on the
// clock already and would be woken on the way.
func (q *T) JumpTo(at time.Time) {
	q.Helper()
	now := q.clock.Now()
	if at.Before(now) {
		tb.Fatalf(q, "qtests: JumpTo(%v): the bubble is already at %v, and time does not go back", at, now)
	}
	if n := q.clock.Pending(); n > 0 {
		tb.Fatalf(q, "qtests: JumpTo(%v): %d waits are pending on the clock; jump before the first of them, or Sleep through them", at, n)
	}
	if at.After(time.Unix(0, bubble.LastInstant)) {
		tb.Fatalf(q, "qtests: JumpTo(%v): no clock of Go goes beyond the year 2262", at)
	}
	time.Sleep(time.Until(at)) // raw, so that the bubble is at exactly that instant
	q.start = q.clock.Now()
}

// Go runs f in a goroutine of the bubble. It begins when what runs now has come
// to rest, and several begin one after the other, in the order of the calls: a go
// statement would leave their order to the scheduler. A panic in f fails the test
// with its stack instead of ending the process.
func (q *T) Go(f func()) {
	s := witness.Start{Where: stacks.CallerOf(2), At: q.Elapsed()}
	bubble.AfterFunc(q.clock, 0, func() {
		id := stacks.This().ID
		q.witness.Begin(id, s)
		defer q.witness.End(id)
		// Who reads the time or waits for it later comes after f, which is for the
		// race detector to see: it passes the same lock.
		defer q.clock.Last()
		defer q.catch("a goroutine started at " + s.Where)
		f()
	})
}
