package qtests

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// bubbleConfig is what distinguishes one bubble from the next.
type bubbleConfig struct {
	seed  uint64
	trace *trace
	here  command
}

// An outcome is how a bubble ended. What failed has been reported already.
type outcome struct {
	failed, skipped bool
	abandoned       bool // it stands still, and nobody waits for it any more
}

// bubbleRun is a bubble seen from outside, where time is real.
type bubbleRun struct {
	config    bubbleConfig
	body      func(*T)
	realStart time.Time
	realTime  chan time.Time
	done      chan struct{}
	root      uint64 // the goroutine that hosts the bubble
	remnant   *remnant

	// q and fault are written inside, and read outside once done is closed or
	// started is.
	started  chan struct{}
	q        *T
	problems []string // found when everything had ended; reported from outside
	fault    any      // what the runtime panicked with at the end of the bubble
}

// runBubble runs body in a fresh bubble of t and reports to t what went wrong.
func runBubble(t *testing.T, config bubbleConfig, body func(*T)) outcome {
	t.Helper()
	b := &bubbleRun{
		config: config, body: body, realStart: time.Now(), realTime: make(chan time.Time),
		done: make(chan struct{}), started: make(chan struct{}),
	}
	prime()
	b.remnant = processRemnants.next(bubbleKind{t.Name(), reflect.ValueOf(body).Pointer()})
	defer b.remnant.end()
	guard := guardOuter(t)
	go b.host(t)
	abandoned := b.watch(t)
	trapped := guard.check(t)
	if abandoned {
		return outcome{failed: true, abandoned: true}
	}
	return b.end(t, trapped)
}

// host has a goroutine of its own because the end of a bubble may be a panic of
// the runtime, or a Goexit, neither of which may take the test along; and
// because a bubble that stands still has to be left behind.
func (b *bubbleRun) host(t *testing.T) {
	b.root = thisGoroutine().id
	defer close(b.done)
	defer func() {
		b.fault = recover()
		if b.q != nil {
			moveOut(b.q.home.bubble)
		}
	}()
	hadFailed := t.Failed()
	synctest.Test(t, func(inner *testing.T) {
		b.main(inner, func() bool { return t.Failed() && !hadFailed })
	})
}

// inRun reports whether the caller is in a bubble of Run.
func inRun() bool {
	_, ok := runs.Load(thisGoroutine().bubble)
	return ok
}

// main runs inside the bubble, around the body.
func (b *bubbleRun) main(inner *testing.T, outerFailed func() bool) {
	q := &T{TB: inner, run: b, clock: newTieFree(), seed: b.config.seed, log: &EventLog{}, home: freshBubble(b.root)}
	q.clock.trace, q.log.trace = b.config.trace, b.config.trace
	q.clock.complain = q.complain
	q.start = q.clock.Now()
	b.q = q
	moveIn(q.home.bubble, q)
	close(b.started)
	inner.Cleanup(q.conclude) // registered first, so that it runs last
	returned := false
	defer func() {
		switch {
		case returned || inner.Failed() || inner.Skipped():
			return
		case q.sealed.Load():
			// The testing package wants a body that exits to say why; a failure
			// would be that of a test that is over.
			inner.SkipNow()
		case outerFailed():
			q.Logf("qtests: the body called FailNow of the test outside; inside the bubble, use the methods of q")
		default:
			q.Errorf("qtests: the body ended its goroutine with runtime.Goexit, without FailNow or SkipNow")
		}
		inner.FailNow()
	}()
	func() {
		defer q.catch("the body")
		b.body(q)
	}()
	returned = true
}

// conclude is the last thing that happens in a bubble.
func (q *T) conclude() {
	for _, f := range q.last {
		f()
	}
	leaks := q.leaks()
	if leaks == "" {
		q.run.remnant.leave()
	} else if !testing.Verbose() {
		printAtOnce("%s\n%s", leaks, endsProcess)
	}
	for _, problem := range []string{leaks, q.clock.trace.end()} {
		if problem != "" {
			q.run.problems = append(q.run.problems, problem)
			q.Fail()
		}
	}
}

// complain fails the test, and says why at once.
func (q *T) complain(problem string) {
	if !testing.Verbose() {
		printAtOnce("%s", problem)
	}
	q.Errorf("%s", problem)
}

// askRealTime asks the goroutine outside, because package time is fake in here.
// The value received first says that it listens: the one after it is read then,
// not when that goroutine last went to sleep.
func (b *bubbleRun) askRealTime() time.Time {
	select {
	case <-b.realTime:
		return <-b.realTime
	case <-b.done: // the bubble has ended: its caller is outside
		return time.Now()
	}
}

// end reports what the end of the bubble brought to light.
func (b *bubbleRun) end(t *testing.T, trapped bool) outcome {
	t.Helper()
	if b.q == nil {
		panic(b.fault) // the bubble never started
	}
	inner := b.q.TB
	for _, problem := range b.problems {
		t.Errorf("%s", problem)
	}
	if b.fault != nil && !inner.Failed() {
		t.Errorf("qtests: %v\nNothing can wake the goroutines of this bubble any more, at %v of fake time:\n\n%s",
			b.fault, Round(b.q.clock.last().Sub(b.q.start)), formatGoroutines(b.q.home.stuck()))
	}
	return outcome{failed: b.fault != nil || inner.Failed() || trapped, skipped: inner.Skipped()}
}

// catch turns a panic into a failure of the test, with the stack of the panic.
func (q *T) catch(where string) {
	q.Helper()
	if r := recover(); r != nil {
		q.Errorf("qtests: panic in %s: %v\n\n%s", where, r, debug.Stack())
	}
}

func listSeeds(seeds []uint64) string {
	const most = 20
	text := strings.Trim(fmt.Sprint(seeds[:min(most, len(seeds))]), "[]")
	text = strings.ReplaceAll(text, " ", ", ")
	if len(seeds) > most {
		text += ", …"
	}
	return text
}
