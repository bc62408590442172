package qtests

import (
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/exploration"
	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/prime"
	"github.com/go-qtests/qtests/qtests/internal/remnants"
	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/internal/trace"
	"github.com/go-qtests/qtests/qtests/internal/turns"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/tb"
)

// bubbleConfig is what distinguishes one bubble from the next.
type bubbleConfig struct {
	seed  uint64
	trace *trace.Trace
	turns *ordered.Events // where a run is verified on the ordered runtime
	here  func() command  // nil in a benchmark

	explore *exploration.Exploration // nil on the stock runtime
}

// An outcome is how a bubble ended.
type outcome struct {
	failed, skipped bool
	abandoned       bool     // it stands still, and nobody waits for it any more
	problems        []string // to be reported: what failed, beside what the body reported itself
	notes           []string // to be logged

	kind      string           // of the first problem
	failure   *explore.Failure // of a run that is explored
	sometimes map[string]bool  // what T.Sometimes was told
}

// report tells t, whose goroutine it is for. A method of t that is told of every
// function in between, as Helper has it, costs as much as the bubble itself.
func (o outcome) report(t *testing.T) {
	t.Helper()
	for _, problem := range o.problems {
		t.Errorf("%s", problem)
	}
	for _, note := range o.notes {
		t.Logf("%s", note)
	}
}

// bubbleRun is a bubble seen from outside, where time is real.
type bubbleRun struct {
	config    bubbleConfig
	body      func(*T)
	realStart time.Time
	realTime  chan time.Time
	done      chan struct{}
	home      tenancy.Home
	remnant   *remnants.Remnant
	guard     *outerGuard

	// q and fault are written inside, and read outside once done is closed or
	// started is set.
	started  atomic.Bool
	q        *T
	over     bool     // the body and all cleanups have ended
	problems []string // found when they had; reported from outside
	fault    any      // what the runtime panicked with at the end of the bubble
}

// runBubble runs body in a fresh bubble of t.
func runBubble(t *testing.T, config bubbleConfig, body func(*T)) outcome {
	b := &bubbleRun{
		config: config, body: body, realStart: time.Now(), realTime: make(chan time.Time),
		done: make(chan struct{}),
	}
	prime.Process()
	kind := remnants.Kind{Test: t.Name(), Body: reflect.ValueOf(body).Pointer()}
	b.remnant = remnants.Next(kind)
	defer func() {
		b.remnant.End()
		remnants.Ran(kind, time.Since(b.realStart))
	}()
	b.guard = guardOuter(t)
	ordered.Quiet(true)
	go b.host(t) // watch waits at once
	ordered.Quiet(false)
	stalled := b.watch(t)
	if stalled != "" {
		b.guard.leave()
	}
	trapped := b.guard.check()
	if stalled != "" {
		o := outcome{failed: true, abandoned: true, kind: "standstill", problems: append([]string{stalled}, trapped...)}
		return b.explained(o)
	}
	o := b.end()
	o.failed = o.failed || len(trapped) > 0
	o.problems = append(o.problems, trapped...)
	return b.explained(o)
}

// explained is the outcome with what a search wants to know of it.
func (b *bubbleRun) explained(o outcome) outcome {
	if b.config.explore != nil && b.q != nil {
		o.failure = b.failure(o)
		b.q.sometimes.Do(func(told *map[string]bool) { o.sometimes = *told })
	}
	return o
}

// host has a goroutine of its own because the end of a bubble may be a panic of
// the runtime, or a Goexit, and neither may take the test along. It has one also
// because a bubble that stands still has to be left behind.
func (b *bubbleRun) host(t *testing.T) {
	defer func() {
		ordered.Quiet(true) // for the rest of the goroutine, which is nothing else
		close(b.done)
	}()
	defer func() {
		b.fault = recover()
		if b.q != nil {
			tenancy.Leave(&b.q.tenant)
		}
	}()
	random := b.config.seed != settings.DefaultSeed && b.config.explore == nil
	if err := bubble.OrderNext(b.config.seed, random, b.config.turns); err != nil {
		panic(err)
	}
	hadFailed := t.Failed()
	synctest.Test(t, func(inner *testing.T) {
		usercode.Room()
		b.main(t, inner, func() bool { return t.Failed() && !hadFailed })
	})
}

// main runs inside the bubble, around the body.
func (b *bubbleRun) main(outer, inner *testing.T, outerFailed func() bool) {
	if b.config.explore != nil {
		if err := b.config.explore.Begin(b.config.seed); err != nil {
			inner.Fatalf("qtests: %v", err)
		}
	}
	q := &T{TB: inner, run: b, clock: bubble.NewClock(), seed: b.config.seed, home: &b.home}
	q.turns = turns.New(q.settle)
	q.log = event.NewLog(func(m event.Mark) { b.config.trace.Mark(m.At, m.Source, m.Text) })
	q.clock.Watched().Trace = b.config.trace
	complain := q.complain
	q.clock.Watched().Complain = complain
	q.start = q.clock.Now()
	b.q = q
	q.sealed.Store(q.quiet())
	q.alone = runtime.NumGoroutine()
	q.tenant = tenancy.Tenant{
		Test: q, Outer: outer, Name: q.Name(), Complain: complain, Outside: isPlain, Home: q.home, Fails: q.failed, Inputs: b.config.explore.Inputs(),
	}
	tenancy.Enter(&q.tenant)
	b.started.Store(true)
	// Where a cleanup comes later, conclude has become one, and runs last.
	defer func() {
		if q.endsHere() {
			q.conclude()
		}
	}()
	returned := false
	defer func() {
		switch {
		case q.quiet():
			q.complainOfGoexit(returned, outerFailed())
			return
		case returned || inner.Failed() || inner.Skipped():
			return
		case q.sealed.Load():
			// The testing package wants a body that exits to say why, and a test that
			// is over must not fail.
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
		if problem := stacks.ProveBubble(); problem != "" {
			q.Fatal(problem)
		}
		b.body(q)
	}()
	returned = true
}

// complainOfGoexit is what a search is told of a body that ended its goroutine.
func (q *T) complainOfGoexit(returned, outerFailed bool) {
	if returned || q.failing.Load() != nil || q.skipped.Load() {
		return
	}
	if outerFailed {
		q.failed("assertion", "a failure of the test outside")
		return
	}
	q.failed("assertion", "the body ended its goroutine with runtime.Goexit")
}

// concludeLast makes conclude the cleanup that runs last. It is called before
// anything is registered that happens behind the body: a test without that does
// without cleanups, which cost as much as the bubble itself.
func (q *T) concludeLast() {
	q.ending.Do(func() { q.TB.Cleanup(q.conclude) })
}

// endsHere reports whether conclude has not become a cleanup, and never will.
func (q *T) endsHere() (here bool) {
	q.ending.Do(func() { here = true })
	return here
}

// conclude is the last thing that happens in a bubble. Which goroutines are left
// the runtime says when the bubble ends, and only then is there a need to look.
func (q *T) conclude() {
	for _, f := range q.last {
		f()
	}
	q.Wait()
	if runtime.NumGoroutine() > q.alone {
		q.body = stacks.This().ID
	} else {
		q.run.remnant.Leave()
	}
	for _, problem := range []string{q.clock.Watched().Trace.End(), strictProblem(), q.run.guard.endContexts()} {
		if problem != "" {
			q.run.problems = append(q.run.problems, problem)
			q.Fail()
		}
	}
	q.run.over = true
}

// complain fails the test, and says why at once.
func (q *T) complain(problem string) {
	if !testing.Verbose() && !q.quiet() {
		printAtOnce("%s", problem)
	}
	q.Errorf("%s", problem)
}

// askRealTime asks the goroutine outside, because package time is fake in here.
// The value received first says that it listens: the one after it is read then,
// not when that goroutine last went to sleep.
func (b *bubbleRun) askRealTime() time.Time {
	if ordered.Available() {
		return ordered.Wall()
	}
	select {
	case <-b.realTime:
		return <-b.realTime
	case <-b.done: // the bubble has ended: its caller is outside
		return time.Now()
	}
}

// end returns what the end of the bubble brought to light.
func (b *bubbleRun) end() outcome {
	if b.q == nil {
		panic(b.fault) // the bubble never started
	}
	inner := b.q.TB
	o := outcome{failed: inner.Failed(), skipped: inner.Skipped(), problems: b.problems}
	if b.fault != nil {
		b.home.Number.Store(tenancy.NumberOf(b.fault))
		problem, notes := b.describeEnd()
		if problem != "" {
			o.failed = true
			o.kind = "deadlock"
			if b.over {
				o.kind = "leak"
			}
			o.problems = slices.Insert(o.problems, 0, problem)
		}
		o.notes = notes
	}
	return o
}

// describeEnd says what the runtime's panic at the end of the bubble is about. It
// returns no problem where all goroutines that are left may stay, and where the
// body has failed already.
func (b *bubbleRun) describeEnd() (problem string, notes []string) {
	at := tb.Round(b.q.clock.Last().Sub(b.q.start))
	switch {
	case b.home.Number.Load() == 0:
		return fmt.Sprintf("qtests: %v, at %v of fake time. This version of qtests cannot read which bubble %s means, so that the goroutines cannot be named",
			b.fault, at, runtime.Version()), nil
	case b.over:
		left := remainder{b.q.Name(), &b.home, b.q.body, &b.q.permission, &b.q.witness}
		problem, notes = left.describe(at)
		if problem == "" {
			b.q.sealed.Store(true)
		}
		if problem != "" && !testing.Verbose() && !b.q.quiet() {
			printAtOnce("%s\n%s", problem, endsProcess)
		}
		return problem, notes
	case b.q.TB.Failed() || b.q.failing.Load() != nil:
		return "", nil
	}
	stuck := b.home.Stuck()
	return fmt.Sprintf("qtests: %v\nNothing can wake the goroutines of this bubble any more, at %v of fake time:\n\n%s%s",
		b.fault, at, stacks.Format(stuck), stacks.DescribeLocks(stuck)), nil
}

// catch turns a panic into a failure of the test, with the stack of the panic.
func (q *T) catch(where string) {
	if r := recover(); r != nil {
		q.Helper()
		q.failed("panic", fmt.Sprint(r))
		q.Errorf("qtests: panic in %s: %v\n\n%s", where, r, debug.Stack())
	}
}
