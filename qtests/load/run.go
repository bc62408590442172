package load

import (
	"context"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// abandonAfter is how long a run waits for requests that it has cancelled.
const abandonAfter = 10 * time.Second

// A run is one execution of a scenario.
type run struct {
	Scenario
	test     string
	repeat   string // the command for the test
	watch    *watch // in real time
	clk      clock.Clock
	start    time.Time
	duration time.Duration
	ctx      context.Context // of the caller; its values reach the requests
	users    qtests.Stream
	scale    float64
	feeds    map[string]*Feed // with places of their own in the rows
	lost     int              // marks that the event log had dropped before the run

	fake      bool          // the clock is tie-free: what happens is repeatable
	exhausted chan struct{} // closed when nothing more will arrive
	spent     chan struct{} // closed when the budget of requests is used up, and nothing waits for a place
	halted    chan struct{} // closed when the run is to end before its time
	idle      chan struct{} // closed when stopped and nothing is under way
	hurry     chan struct{} // closed when the grace is to end before its time

	mu struct {
		sync.Mutex
		rec       *record.Recorder
		judge     *threshold.Judge
		steps     []*record.Tally
		picker    *picker
		requests  int64
		inFlight  list
		preparing list // users of a closed profile in NewUser
		queue     queue
		resting   int // goroutines that wait for an arrival and cannot be called off
		exhausted bool
		spent     bool
		stopped   bool // nothing starts any more
		idle      bool
		closed    bool // the result is made; what ends now is no part of it
		halt      error
		guard     *clock.Timer // for the next look at thresholds that abort
		aborted   bool         // by one of them: there is no grace
		haltedAt  time.Duration
	}
}

func newRun(ctx context.Context, s Scenario) (*run, error) {
	s, err := s.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &run{
		Scenario: s, clk: s.Clock, duration: s.Traffic.Duration(), ctx: ctx, scale: 1, fake: qtests.TieFree(s.Clock),
		users:     qtests.NewStream(s.Seed, "load "+s.Name).Sub("users"),
		exhausted: make(chan struct{}), spent: make(chan struct{}), halted: make(chan struct{}), idle: make(chan struct{}), hurry: make(chan struct{}),
		feeds: map[string]*Feed{},
	}
	for name, f := range s.Feeds {
		r.feeds[name] = &Feed{rows: f.rows, shuffle: f.shuffle}
	}
	r.mu.rec = record.New(r.duration)
	var weights []int64
	for _, step := range s.Steps {
		r.mu.steps = append(r.mu.steps, r.mu.rec.Step(step.Name, false))
		weights = append(weights, int64(max(step.Weight, 1)))
	}
	if len(s.Steps) == 0 && s.Route == nil {
		r.mu.steps = []*record.Tally{r.mu.rec.Only(s.Name)}
		weights = []int64{1}
	}
	r.mu.picker = newPicker(weights)
	r.mu.judge, err = threshold.NewJudge(s.Thresholds, s.Limits, r.duration, r.mu.rec)
	return r, err
}

// offset is the present instant, counted from the start.
func (r *run) offset() time.Duration { return r.clk.Since(r.start) }

// execute runs the scenario to its end.
func (r *run) execute() (*result.Result, error) {
	r.start = r.clk.Now()
	r.Metrics.attach(r)
	_, r.lost = r.EventLog.Marks()
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	stopEvents, err := qtests.Schedule(ctx, r.clk, r.EventLog, r.Events...)
	if err != nil {
		return nil, err
	}
	var loop interface {
		begin()
		end()
	}
	if r.Traffic.Kind() == traffic.Closed {
		loop = newClosedLoop(r)
	} else {
		loop = newOpenLoop(r)
	}
	r.watch.begin()
	r.guard()
	loop.begin()
	r.await(r.duration)
	r.stop(nil)
	loop.end()
	r.drain()
	r.checkEvents(stopEvents())
	res := r.result()
	r.watch.end(res)
	observe(res, r.Monitor, r.clk.Now())
	if r.RequestLog != nil {
		if err := r.RequestLog.Flush(); err != nil {
			res.LogLost = text.Printable(err.Error())
		}
	}
	return res, nil
}

// await waits until d has passed and nothing more will arrive, or the budget of
// requests is used up, or the run is halted.
func (r *run) await(d time.Duration) {
	spent := r.spent
	if r.Traffic.Kind() == traffic.Closed {
		spent = r.exhausted
	}
	timer := r.clk.Timer(r.clk.Until(r.start.Add(d)))
	defer timer.Stop()
	select {
	case <-timer.C:
		if r.Traffic.Kind() != traffic.Closed {
			r.awaitLast()
		}
	case <-spent:
	case <-r.halted:
	case <-r.ctx.Done():
		r.stop(context.Cause(r.ctx))
	}
}

// awaitLast waits for the arrivals at the very end of the profile.
func (r *run) awaitLast() {
	select {
	case <-r.exhausted:
	case <-r.halted:
	case <-r.ctx.Done():
		r.stop(context.Cause(r.ctx))
	}
}

// exhaustLocked says that nothing more will arrive.
func (r *run) exhaustLocked() {
	if !r.mu.exhausted {
		r.mu.exhausted = true
		close(r.exhausted)
	}
}

// checkSpentLocked sees whether the budget is used up. What waits for a place is
// of the budget, and there is time for it before the profile ends.
func (r *run) checkSpentLocked() {
	budget, _ := r.Traffic.Limits()
	if r.mu.exhausted && r.mu.rec.Scheduled == budget && r.mu.queue.size() == 0 && !r.mu.spent {
		r.mu.spent = true
		close(r.spent)
	}
}

// stop ends the arrivals; err, if any, says why before the time.
func (r *run) stop(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopLocked(err)
}

func (r *run) stopLocked(err error) {
	if r.mu.stopped {
		return
	}
	r.mu.stopped = true
	now := r.offset()
	r.mu.halt, r.mu.haltedAt = err, now
	if err != nil {
		close(r.halted)
	}
	r.mu.judge.Stop(now)
	if r.mu.guard != nil {
		r.mu.guard.Stop()
	}
	for u, ok := r.mu.queue.pop(); ok; u, ok = r.mu.queue.pop() {
		r.mu.rec.Drop(now) // waited, but never started
		r.logDropLocked(u, now)
	}
	r.checkIdleLocked()
}

func (r *run) checkIdleLocked() {
	if r.mu.stopped && r.mu.inFlight.size == 0 && r.mu.preparing.size == 0 && r.mu.resting == 0 && !r.mu.idle {
		r.mu.idle = true
		close(r.idle)
	}
}

// drain gives what is under way its grace, then cancels it, one request after
// the other, and waits a little for those that ignore it.
func (r *run) drain() {
	if r.waitIdle(r.grace(), r.hurry) {
		return
	}
	r.mu.Lock()
	var wakes []func()
	for _, l := range []*list{&r.mu.preparing, &r.mu.inFlight} {
		for u := l.first; u != nil; u = u.next {
			u.req.Interrupted = true
			life := u.life
			wakes = append(wakes, func() { life.end(cancelled) })
		}
	}
	r.mu.Unlock()
	qtests.InTurn(r.clk, wakes...)
	if !r.waitIdle(abandonAfter, nil) {
		r.abandonUsers()
	}
}

func (r *run) waitIdle(d time.Duration, cut <-chan struct{}) bool {
	select {
	case <-r.idle:
		return true
	default:
	}
	timer := r.clk.Timer(d)
	defer timer.Stop()
	select {
	case <-r.idle:
		return true
	case <-timer.C:
		return false
	case <-cut:
		return false
	}
}
