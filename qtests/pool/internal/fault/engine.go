package fault

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/tb"
)

// An Engine has the script, the calls and the statistics of one fake: it is
// the shell around [Script], with the lock and the clock. All methods are safe for concurrent use.
type Engine struct {
	name   string
	clk    clock.Clock
	stream tb.Stream
	log    *event.Log
	descs  descs
	resize func(n int)

	// script is replaced under the lock, and read without it.
	script atomic.Pointer[Script]

	// mu is never held while a call waits or draws.
	mu struct {
		sync.Mutex
		calls   uint64  // the number of the next call, which chooses its draws
		waiting waiters // in the order in which they began to wait
		flaps   []*flap
		stats   Stats
		max     int
		closed  bool
	}
}

// New returns the engine of a fake. It calls resize, if not nil, when a fault has
// changed the capacity, without a lock.
func New(cfg Config, resize func(n int)) *Engine {
	e := &Engine{
		name: cfg.Name, clk: cfg.Clock, log: cfg.EventLog, stream: cfg.Stream,
		descs: newDescs(cfg.Name), resize: resize,
	}
	e.mu.max = cfg.Max
	e.script.Store(&Script{})
	return e
}

// Name returns the name of the fake.
func (e *Engine) Name() string { return e.name }

// Clock returns the clock on which calls wait.
func (e *Engine) Clock() clock.Clock { return e.clk }

// Stats counts the calls of a fake. See fake.Calls.
type Stats struct {
	Calls    uint64
	OK       uint64
	Failed   uint64
	Canceled uint64
	InFlight int
}

// Do lets a call pass when its latency is over, and then returns nil. It returns an
// error at once if the script has one for the call, and as soon as ctx ends the error
// of ctx.
func (e *Engine) Do(ctx context.Context, c *Call) error {
	o, through := e.admit(ctx, c, nil)
	if through {
		return nil
	}
	held := &struct { // one allocation: the caller's call may stay on its stack
		waiter waiter
		call   Call
	}{call: *c}
	held.waiter.call, held.waiter.hold = &held.call, Freeze
	return e.pass(ctx, &held.waiter, nil, o)
}

// DoOn is Do, and then Attach, at once: it saves a lock, and the call waits at the place of the line.
func (e *Engine) DoOn(ctx context.Context, c *Call, l *Line, h Holder) error {
	l.prepare(e, c, h)
	o, through := e.admit(ctx, c, l)
	if through {
		return nil
	}
	return e.pass(ctx, &l.place, l, o)
}

// pass lets w pass. A line, if there is one, is attached then.
func (e *Engine) pass(ctx context.Context, w *waiter, l *Line, o odds) error {
	c := w.call
	end := failed // also of a call that a panic or Goexit ends
	defer func() { e.finish(w, end, l) }()
	var d time.Duration
	var drawn error
	if len(o.chances) > 0 || !c.Latency.IsZero() {
		// The error is drawn first, also if none can happen: an error rate then does not
		// change the latencies of a run.
		r := e.stream.At(o.n)
		u := r.Float64()
		d, drawn = stretch(c.Latency.Sample(r), o.factor), pick(o.chances, u)
	}
	err := e.wait(ctx, w, d)
	if err == nil && drawn != nil {
		return e.met(c.Op, drawn)
	}
	end = outcomeOf(err)
	return err
}

// admit counts a call and reads what the script has for it. A call with nothing
// to wait for and nothing to draw has passed.
func (e *Engine) admit(ctx context.Context, c *Call, l *Line) (o odds, through bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	o.n = e.mu.calls
	e.mu.calls++
	e.mu.stats.Calls++
	e.mu.stats.InFlight++
	script := e.Script()
	o.factor, o.chances = script.slowdown(c.On), script.chances(c.Chances, c.On)
	if script.Empty() && len(o.chances) == 0 && c.Latency.IsZero() && c.ended(ctx) == nil && !isClosed(c.Cut) {
		e.settleLocked(passed, l)
		return o, true
	}
	return o, false
}

// wait returns after d, or with the first reason not to wait that long.
func (e *Engine) wait(ctx context.Context, w *waiter, d time.Duration) error {
	if done, err := e.enter(ctx, w, d <= 0); done {
		return err
	}
	return e.sleep(ctx, w, d)
}

// Linger waits for d in the middle of a call, and then as long as a fault of the given
// kind holds the call. It does not count as another call.
func (e *Engine) Linger(ctx context.Context, c *Call, d time.Duration, hold Kind) error {
	w := &waiter{call: c, hold: hold}
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.mu.waiting.remove(w)
	}()
	return e.wait(ctx, w, d)
}

// enter puts w on the list of waiting calls unless the call is decided already.
func (e *Engine) enter(ctx context.Context, w *waiter, over bool) (done bool, err error) {
	if err := w.call.ended(ctx); err != nil {
		return true, err
	}
	if isClosed(w.call.Cut) {
		return true, w.call.CutErr
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.Script().First(Outage, w.call.On) != nil {
		return true, refused(e.name, w.call.Op)
	}
	if over && e.Script().First(w.hold, w.call.On) == nil {
		return true, nil
	}
	w.held, w.wake = over, make(chan struct{}, 1)
	e.mu.waiting.push(w)
	return false, nil
}

// sleep waits until the call may end.
func (e *Engine) sleep(ctx context.Context, w *waiter, d time.Duration) error {
	var elapsed <-chan time.Time
	if d > 0 {
		t := e.clk.Timer(d)
		defer t.Stop()
		elapsed = t.C
	}
	var also <-chan struct{}
	if w.call.Also != nil {
		also = w.call.Also.Done()
	}
	for {
		over := false
		select {
		case <-elapsed:
			over = true
		case <-w.wake:
		case <-ctx.Done():
		case <-also:
		case <-w.call.Cut:
		}
		// One event may bring several reasons. Then select chooses one at random, and the
		// order of the following lines decides.
		if err := w.call.ended(ctx); err != nil {
			return err
		}
		if isClosed(w.call.Cut) {
			return w.call.CutErr
		}
		if done, err := e.poll(w, over); done {
			return err
		}
	}
}

// poll says whether w is decided.
func (e *Engine) poll(w *waiter, over bool) (done bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.err != nil {
		return true, w.err
	}
	w.held = w.held || over
	return w.free || w.held && e.Script().First(w.hold, w.call.On) == nil, nil
}

func (e *Engine) finish(w *waiter, end outcome, l *Line) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mu.waiting.remove(w)
	e.settleLocked(end, l)
}

func (e *Engine) settleLocked(end outcome, l *Line) {
	s := &e.mu.stats
	s.InFlight--
	switch end {
	case passed:
		if s.OK++; l != nil {
			e.attachLocked(l)
		}
	case canceled:
		s.Canceled++
	default:
		s.Failed++
	}
}

// Attach makes l the line of a call that has been let through, and which stays as it is from now on. The caller must
// detach it. When an outage cuts the line, the holder, if not nil, is told, in turn with what
// else the outage ends: it must not block.
func (e *Engine) Attach(l *Line, c *Call, h Holder) {
	l.prepare(e, c, h)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.attachLocked(l)
}

// cutOf is the channel of [Line.Cut], which is made for those who ask.
func (e *Engine) cutOf(l *Line) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l.gone == nil {
		l.gone = make(chan struct{})
		if l.cut {
			close(l.gone)
		}
	}
	return l.gone
}

// cutLine takes a line off the list and tells those who have asked for its channel.
func (e *Engine) cutLine(l *Line) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mu.waiting.remove(&l.place)
	if l.cut = true; l.gone != nil {
		close(l.gone)
	}
}

// detach takes a line off the list. Nothing cuts it from then on.
func (e *Engine) detach(l *Line) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mu.waiting.remove(&l.place)
}

// change calls f under the lock, and then, in turn, the wakes that f returns.
func (e *Engine) change(f func() (wakes []func())) {
	e.mu.Lock()
	wakes := f()
	e.mu.Unlock()
	bubble.InTurn(e.clk, wakes...)
}

// begin makes a fault active and ends the calls that it concerns.
func (e *Engine) begin(f *Fault) {
	begun := false
	e.change(func() (wakes []func()) {
		if begun = !e.mu.closed; begun {
			wakes = e.beginLocked(f)
		}
		return wakes
	})
	if begun {
		e.changed(f)
	}
}

func (e *Engine) beginLocked(f *Fault) (wakes []func()) {
	e.script.Store(e.Script().begin(f))
	if f.Kind != Outage {
		return nil
	}
	for w := e.mu.waiting.head; w != nil; w = w.next {
		if w.err == nil && !w.free && f.hits(w.call.On) {
			w.strike(cutOff(e.name, w.call.Op))
			wakes = append(wakes, w.told())
		}
	}
	return wakes
}

// end undoes one begin; without one it does nothing.
func (e *Engine) end(f *Fault) {
	ended := false
	e.change(func() (wakes []func()) {
		wakes, ended = e.endLocked(f)
		return wakes
	})
	if ended {
		e.changed(f)
	}
}

func (e *Engine) endLocked(f *Fault) (wakes []func(), ended bool) {
	script, begun := e.Script().end(f)
	if !begun {
		return nil, false
	}
	e.script.Store(script)
	if f.Kind != Freeze && f.Kind != Stall {
		return nil, true
	}
	for w := e.mu.waiting.head; w != nil; w = w.next {
		if w.held && !w.free && w.err == nil && w.hold == f.Kind && e.Script().First(w.hold, w.call.On) == nil {
			// Decided now: what begins at this very instant, before the call gets its
			// turn, does not matter to it.
			w.free = true
			wakes = append(wakes, w.notify)
		}
	}
	return wakes, true
}

// changed tells the owner of the fake about its capacity.
func (e *Engine) changed(f *Fault) {
	if f.Kind != Capacity || e.resize == nil {
		return
	}
	e.mu.Lock()
	n := int(e.Script().Lowest(Capacity, Targets{}, float64(e.mu.max)))
	e.mu.Unlock()
	e.resize(n)
}

// Limit sets the capacity that there is without faults. It does not call resize.
func (e *Engine) Limit(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mu.max = n
}

// Stats returns one snapshot.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mu.stats
}

// Close ends every fault and its timers. Calls under way end by themselves.
func (e *Engine) Close() {
	var faults []*Fault
	e.change(func() (wakes []func()) {
		e.mu.closed = true
		for _, f := range e.mu.flaps {
			wakes = append(wakes, f.stopLocked()...)
		}
		e.mu.flaps = nil
		faults = e.Script().active
		return wakes
	})
	for _, f := range faults {
		e.end(f)
	}
}
