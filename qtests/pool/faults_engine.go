package pool

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests"
)

// A faultEngine holds one fake's script, its calls and their statistics: the
// locked shell around script.
type faultEngine struct {
	name   string
	clk    clock.Clock
	stream qtests.Stream
	log    *qtests.EventLog
	descs  faultDescs

	// resize is told the capacity when a fault has changed it, without a lock.
	resize func(n int)
	max    int // guarded by mu once the fake is in use

	mu struct {
		sync.Mutex
		script  script
		calls   uint64  // the number of the next call, which chooses its draws
		waiting waiters // in the order in which they began to wait
		flaps   []*flap
		stats   FaultStats
		closed  bool
	}
}

// FaultStats counts the calls of a fake as its fault machinery saw them. At any
// instant Calls = OK + Failed + Canceled + InFlight.
type FaultStats struct {
	Calls    uint64 // begun
	OK       uint64 // let through
	Failed   uint64 // with an error of the script: outage, error rate, killed connection
	Canceled uint64 // the context ended first
	InFlight int    // waiting for their latency, or frozen
}

// A faultCall is one call on its way through the engine.
type faultCall struct {
	op      string
	on      targets
	latency qtests.Latency
	chances []chance
	// also, if not nil, is a second context that ends the wait: the transaction's.
	also context.Context
	// cut, if not nil, ends the wait with cutErr when it is closed.
	cut    <-chan struct{}
	cutErr error
}

// ended returns the error of the context that has ended, if one has.
func (c *faultCall) ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil && c.also != nil {
		err = c.also.Err()
	}
	return err
}

// A faultWaiter is a call that waits. All but its channel is guarded by the
// engine's lock.
type faultWaiter struct {
	call *faultCall
	wake chan struct{} // has room for one
	err  error         // set when an outage has ended the call
	held bool          // its latency is over, a fault of kind hold holds it
	free bool          // … and has let it go
	hold faultKind     // faultFreeze, or faultStall for a body

	listed     bool
	prev, next *faultWaiter
}

// waiters is a list from which any element can be removed at once.
type waiters struct{ head, tail *faultWaiter }

func (l *waiters) push(w *faultWaiter) {
	w.listed, w.prev = true, l.tail
	if l.tail == nil {
		l.head = w
	} else {
		l.tail.next = w
	}
	l.tail = w
}

func (l *waiters) remove(w *faultWaiter) {
	if !w.listed {
		return
	}
	if w.prev == nil {
		l.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.listed = false
}

// errUnfinished is the result of a call that a panic or Goexit has ended.
var errUnfinished = errors.New("pool: call not finished")

// do lets a call pass when its latency is over, and returns nil then; or the
// error that the script has for it, or that of ctx as soon as ctx ends. It never
// holds the lock while it waits or draws.
func (e *faultEngine) do(ctx context.Context, c *faultCall) error {
	n, factor, chances, passed := e.admit(ctx, c)
	if passed {
		return nil
	}
	w := &faultWaiter{call: c, wake: make(chan struct{}, 1), hold: faultFreeze}
	err := errUnfinished
	defer func() { e.finish(w, err) }()
	var d time.Duration
	var drawn error
	if len(chances) > 0 || !c.latency.IsZero() {
		// The error is drawn before the latency, whether or not one can happen, so
		// that an error rate leaves the latencies of a run as they are.
		r := e.stream.At(n)
		u := r.Float64()
		d, drawn = stretch(c.latency.Sample(r), factor), pick(chances, u)
	}
	err = e.wait(ctx, w, d)
	if err == nil && drawn != nil {
		err = &FaultError{Fake: e.name, Op: c.op, Err: drawn}
	}
	return err
}

// admit counts a call and reads what the script has for it. A call with nothing
// to wait for and nothing to draw has passed.
func (e *faultEngine) admit(ctx context.Context, c *faultCall) (n uint64, factor float64, chances []chance, passed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n = e.mu.calls
	e.mu.calls++
	e.mu.stats.Calls++
	e.mu.stats.InFlight++
	factor, chances = e.mu.script.slowdown(c.on), e.mu.script.chances(c.chances, c.on)
	if len(e.mu.script.active) == 0 && len(chances) == 0 && c.latency.IsZero() && c.ended(ctx) == nil && !isClosed(c.cut) {
		e.settleLocked(nil)
		return n, factor, nil, true
	}
	return n, factor, chances, false
}

// wait returns after d, or with the first reason not to wait that long.
func (e *faultEngine) wait(ctx context.Context, w *faultWaiter, d time.Duration) error {
	if done, err := e.enter(ctx, w, d <= 0); done {
		return err
	}
	return e.sleep(ctx, w, d)
}

// linger waits for d in the middle of a call, and beyond that while a fault of
// the given kind holds it, without counting as a call of its own.
func (e *faultEngine) linger(ctx context.Context, c *faultCall, d time.Duration, hold faultKind) error {
	w := &faultWaiter{call: c, wake: make(chan struct{}, 1), hold: hold}
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.mu.waiting.remove(w)
	}()
	return e.wait(ctx, w, d)
}

// enter puts w on the list of waiting calls unless the call is decided already.
func (e *faultEngine) enter(ctx context.Context, w *faultWaiter, over bool) (done bool, err error) {
	if err := w.call.ended(ctx); err != nil {
		return true, err
	}
	if isClosed(w.call.cut) {
		return true, w.call.cutErr
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mu.script.first(faultOutage, w.call.on) != nil {
		return true, refused(e.name, w.call.op)
	}
	if over && e.mu.script.first(w.hold, w.call.on) == nil {
		return true, nil
	}
	w.held = over
	e.mu.waiting.push(w)
	return false, nil
}

// sleep waits until the call may end.
func (e *faultEngine) sleep(ctx context.Context, w *faultWaiter, d time.Duration) error {
	var elapsed <-chan time.Time
	if d > 0 {
		t := e.clk.Timer(d)
		defer t.Stop()
		elapsed = t.C
	}
	var also <-chan struct{}
	if w.call.also != nil {
		also = w.call.also.Done()
	}
	for {
		over := false
		select {
		case <-elapsed:
			over = true
		case <-w.wake:
		case <-ctx.Done():
		case <-also:
		case <-w.call.cut:
		}
		// Several reasons may have come about in one event, in which case select
		// chooses one at random: the order of the following lines does not.
		if err := w.call.ended(ctx); err != nil {
			return err
		}
		if isClosed(w.call.cut) {
			return w.call.cutErr
		}
		if done, err := e.poll(w, over); done {
			return err
		}
	}
}

// poll says whether w is decided.
func (e *faultEngine) poll(w *faultWaiter, over bool) (done bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.err != nil {
		return true, w.err
	}
	w.held = w.held || over
	return w.free || w.held && e.mu.script.first(w.hold, w.call.on) == nil, nil
}

func (e *faultEngine) finish(w *faultWaiter, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mu.waiting.remove(w)
	e.settleLocked(err)
}

func (e *faultEngine) settleLocked(err error) {
	s := &e.mu.stats
	s.InFlight--
	switch err {
	case nil:
		s.OK++
	case context.Canceled, context.DeadlineExceeded: // bare, unlike a scripted error
		s.Canceled++
	default:
		s.Failed++
	}
}

// begin makes a fault active and ends the calls that it concerns.
func (e *faultEngine) begin(f *fault) {
	e.mu.Lock()
	if e.mu.closed {
		e.mu.Unlock()
		return
	}
	e.mu.script.begin(f)
	var wakes []func()
	if f.kind == faultOutage {
		for w := e.mu.waiting.head; w != nil; w = w.next {
			if w.err == nil && !w.free && f.hits(w.call.on) {
				w.err = cutOff(e.name, w.call.op)
				wakes = append(wakes, w.notify)
			}
		}
	}
	e.mu.Unlock()
	qtests.InTurn(e.clk, wakes...)
	e.changed(f)
}

// end undoes one begin; without one it does nothing.
func (e *faultEngine) end(f *fault) {
	e.mu.Lock()
	if !e.mu.script.end(f) {
		e.mu.Unlock()
		return
	}
	var wakes []func()
	if f.kind == faultFreeze || f.kind == faultStall {
		for w := e.mu.waiting.head; w != nil; w = w.next {
			if w.held && !w.free && w.err == nil && w.hold == f.kind && e.mu.script.first(w.hold, w.call.on) == nil {
				// Decided now, so that what begins at this very instant, before the
				// call gets its turn, does not matter to it.
				w.free = true
				wakes = append(wakes, w.notify)
			}
		}
	}
	e.mu.Unlock()
	qtests.InTurn(e.clk, wakes...)
	e.changed(f)
}

func (w *faultWaiter) notify() {
	select {
	case w.wake <- struct{}{}:
	default: // it has been told
	}
}

// changed tells the owner of the fake about its capacity.
func (e *faultEngine) changed(f *fault) {
	if f.kind != faultCapacity || e.resize == nil {
		return
	}
	e.mu.Lock()
	n := int(e.mu.script.lowest(faultCapacity, targets{}, float64(e.max)))
	e.mu.Unlock()
	e.resize(n)
}

// shape reads the script under the lock.
func (e *faultEngine) shape(read func(*script)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	read(&e.mu.script)
}

func (e *faultEngine) stats() FaultStats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mu.stats
}

// close ends every fault and its timers. Calls under way end by themselves.
func (e *faultEngine) close() {
	e.mu.Lock()
	e.mu.closed = true
	faults, flaps := slices.Clone(e.mu.script.active), e.mu.flaps
	e.mu.flaps = nil
	e.mu.Unlock()
	for _, f := range flaps {
		f.stop()
	}
	for _, f := range faults {
		e.end(f)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
