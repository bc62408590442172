package qtests

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
)

// T is the test inside a bubble: a testing.TB with a fake, tie-free clock, a
// seed and an event log. Its methods are for the goroutines of its bubble.
type T struct {
	testing.TB

	clock *tieFree
	seed  uint64
	log   *EventLog
	start time.Time // nominal
	home  bubbleHome

	// outside answers with the real time: package time is fake in here.
	real      struct{ sync.Mutex }
	outside   chan time.Time
	realStart time.Time
}

// Run runs body in a bubble of its own, under fake time, and returns when body,
// its cleanups and every goroutine they started have ended.
//
// The bubble starts at midnight UTC on 2000-01-01. Time moves only when every
// goroutine of the bubble is durably blocked, and then at once to the next wait
// that ends. See the package doc for the clock and for what is repeatable.
//
// A goroutine that is left when the cleanups have run fails this test, with its
// stack, and no other. So does a body that can never go on, a panic in the body
// or in a goroutine started by [T.Go]. After a failed body Run ends the calling
// test with FailNow, after a skipped one with SkipNow; code behind Run executes
// only after a pass.
func Run(t *testing.T, body func(q *T)) {
	t.Helper()
	b := &bubbleRun{body: body, seed: flagSeed(), outside: make(chan time.Time), realStart: time.Now()}
	done := make(chan struct{})
	// The bubble gets a goroutine of its own because its end may be a panic of
	// the runtime, or a Goexit, neither of which may take the caller along.
	go func() {
		defer close(done)
		defer func() { b.fault = recover() }()
		synctest.Test(t, b.main)
	}()
	b.wait(done)
	b.finish(t)
}

// bubbleRun is one call of Run, seen from outside.
type bubbleRun struct {
	body      func(*T)
	seed      uint64
	outside   chan time.Time
	realStart time.Time

	inner *testing.T
	home  bubbleHome
	fault any // what the runtime panicked with
}

// main is the body's wrapper, inside the bubble.
func (b *bubbleRun) main(inner *testing.T) {
	q := &T{
		TB: inner, clock: newTieFree(), seed: b.seed, log: &EventLog{},
		home: thisBubble(), outside: b.outside, realStart: b.realStart,
	}
	q.start = q.clock.Now()
	b.inner, b.home = inner, q.home
	inner.Cleanup(q.checkLeaks) // registered first, so that it runs last
	defer q.catch("the body")
	b.body(q)
}

// wait returns when the bubble has ended, and tells it the real time until then.
func (b *bubbleRun) wait(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case b.outside <- time.Time{}: // somebody asks: the next value is the answer
			b.outside <- time.Now()
		}
	}
}

// finish passes the bubble's end on to the test outside.
func (b *bubbleRun) finish(t *testing.T) {
	t.Helper()
	switch {
	case b.fault != nil && b.inner == nil:
		panic(b.fault) // the bubble never started: a bubble inside a bubble, or in a cleanup
	case b.fault != nil && !b.inner.Failed():
		t.Errorf("qtests: %v\nEvery goroutine of the bubble waits for another one, or for a wait that never ends:\n\n%s",
			b.fault, formatGoroutines(b.home.leftovers()))
	case b.inner.Skipped() && !b.inner.Failed():
		t.SkipNow()
	}
	if b.fault != nil || b.inner.Failed() {
		t.Logf("qtests: seed %d; to repeat: go test -run '^%s$' -%s=%d", b.seed, t.Name(), seedFlag, b.seed)
		t.FailNow()
	}
}

// catch turns a panic into a failure of the test, with the stack of the panic.
func (q *T) catch(where string) {
	q.Helper()
	if r := recover(); r != nil {
		q.Errorf("qtests: panic in %s: %v\n\n%s", where, r, debug.Stack())
	}
}

// Cleanup registers f to run in the bubble when the body has ended, last one
// first. A panic in f fails the test, and the other cleanups still run.
func (q *T) Cleanup(f func()) {
	q.TB.Cleanup(func() {
		defer q.catch("a cleanup")
		f()
	})
}

// Clock returns the bubble's clock.
func (q *T) Clock() clock.Clock { return q.clock }

// Seed returns the seed from which all streams of this run are derived.
func (q *T) Seed() uint64 { return q.seed }

// Stream returns the random stream called name.
func (q *T) Stream(name string) Stream { return NewStream(q.seed, name) }

// Rand returns a generator at the start of the stream called name. It is for
// one goroutine; a second call with the same name starts again.
func (q *T) Rand(name string) *rand.Rand { return q.Stream(name).Rand() }

// EventLog returns the log to which all components of this test write.
func (q *T) EventLog() *EventLog { return q.log }

// Elapsed returns the nominal time since the bubble started.
func (q *T) Elapsed() time.Duration { return q.clock.Now().Sub(q.start) }

// RealElapsed returns how long the run has taken on the wall clock, for
// reports that say so. It is never the same twice: compare nothing with it.
func (q *T) RealElapsed() time.Duration {
	// The value received first says that the goroutine outside is listening; the
	// one after it was read then, not when that goroutine last went to sleep.
	q.real.Lock()
	defer q.real.Unlock()
	<-q.outside
	return (<-q.outside).Sub(q.realStart)
}

// Wait returns when everything that the present instant sets going has come to
// rest, the events that the clock displaced behind it included. The nominal time
// does not move. Only one goroutine of a bubble may be in Wait or Sleep.
func (q *T) Wait() {
	synctest.Wait()
	for q.clock.behind() {
		// An instant at the end of the queue: when it comes, those before it
		// have fired and come to rest.
		raw, wait := q.clock.claim(0, false)
		time.Sleep(wait)
		q.clock.fired(raw)
		synctest.Wait()
	}
}

// Sleep waits for d and returns with every effect of that instant visible: like
// [T.Wait] behind a Sleep of the clock.
func (q *T) Sleep(d time.Duration) {
	q.clock.Sleep(d)
	q.Wait()
}

// JumpTo moves the bubble to the instant at, so that a test can start on a date.
// It fails the test when at lies in the past.
func (q *T) JumpTo(at time.Time) {
	q.Helper()
	d := at.Sub(q.clock.Now())
	if d < 0 {
		Fatalf(q, "qtests: JumpTo(%v): the bubble is already at %v, and time does not go back", at, q.clock.Now())
	}
	time.Sleep(d)
	q.start = q.clock.Now()
}

// Go runs f in a goroutine of the bubble. A panic in f fails the test with its
// stack instead of ending the process, as it would behind a plain go statement.
func (q *T) Go(f func()) {
	where := fmt.Sprintf("a goroutine started by %s", callerOf(2))
	go func() {
		defer q.catch(where)
		f()
	}()
}
