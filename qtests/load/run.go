package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/internal/monitored"
	"github.com/go-qtests/qtests/qtests/load/internal/picker"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/internal/watch"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

const (
	// abandonAfter is how long a run waits for requests that it has cancelled.
	abandonAfter = 10 * time.Second
	// abortEvery is how often a run looks at the thresholds that may abort it.
	abortEvery = time.Second
)

// A run is one execution of a scenario.
type run struct {
	Scenario
	test     string
	repeat   string       // the command for the test
	made     func(int64)  // is told how many requests there were; may be nil
	watch    *watch.Watch // of a test in real time
	live     *watch.Live  // of a test in fake time
	clk      clock.Clock
	start    time.Time
	began    time.Time // when it did: in a part of a run not quite start
	share    part
	duration time.Duration
	ctx      context.Context // of the caller; its values reach the requests
	users    tb.Stream
	scale    float64
	lost     int  // marks that the event log had dropped before the run
	fake     bool // the clock is tie-free: what happens is repeatable
	real     bool // the run takes real time

	// draw guards the source of an open loop, and keeps the arrivals in order until they are known. It is
	// not mu, because the user's code may draw the gaps. It comes before mu.
	draw sync.Mutex

	mu struct {
		sync.Mutex
		phase machine
		ended ending
		rec   *record.Recorder
		judge *threshold.Judge

		steps    []*record.Tally
		picker   *picker.Picker
		feeds    map[string]*cursor // the places in the rows, by the name of the feed
		requests int64              // that have started

		inFlight  list
		preparing list // users of a closed profile in NewUser
		queue     list // requests that wait for a place
		resting   int  // goroutines that wait for an arrival and cannot be called off

		final *result.Result // of a run that has ended
		guard *clock.Timer   // for the next look at thresholds that abort
	}
}

// An ending is how a run stopped.
type ending struct {
	why     error         // nil when the arrivals came to their end
	at      time.Duration // offset
	spent   bool          // the budget of requests was used up
	aborted bool          // by a threshold: there is no grace
}

// A loop lets requests begin.
type loop interface {
	begin()
	// end gives back what waits for requests that will not come.
	end()
}

func newRun(ctx context.Context, s Scenario) (*run, error) {
	s, err := s.withDefaults()
	if err != nil {
		return nil, err
	}
	return newPart(ctx, s, partOf(isReal(s.Clock)))
}

// newPart is newRun for a part of a scenario that has its defaults.
func newPart(ctx context.Context, s Scenario, p part) (*run, error) {
	err := p.limits(&s)
	if err != nil {
		return nil, err
	}
	r := &run{
		Scenario: s, share: p, clk: s.Clock, duration: s.Traffic.Duration(), ctx: ctx, scale: 1, fake: bubble.TieFree(s.Clock), real: isReal(s.Clock),
		users: tb.NewStream(s.Seed, "load "+s.Name).Sub("users"),
	}
	r.mu.phase = newMachine()
	r.mu.feeds = map[string]*cursor{}
	for name, f := range s.Feeds {
		r.mu.feeds[name] = newCursor(f, p.Share)
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
	r.mu.picker = picker.New(weights)
	r.mu.picker.Skip(p.Nth(1) - 1)
	r.mu.judge, err = threshold.NewJudge(s.Thresholds, s.Limits, r.duration, r.mu.rec)
	if err == nil && !p.takesAll() {
		r.mu.judge.Defer()
	}
	return r, err
}

// isReal reports whether a run that starts here on c takes real time: nothing fakes it,
// neither a bubble around the caller nor a clock that is stepped by hand. The type of the
// clock says nothing more, because the real one may be wrapped.
func isReal(c clock.Clock) bool {
	_, mock := c.(*clock.Mock)
	return !mock && !bubble.TieFree(c) && !stacks.InBubble()
}

// offset is the present instant, counted from the start.
func (r *run) offset() time.Duration { return r.clk.Since(r.start) }

// execute runs the scenario to its end.
func (r *run) execute() (*result.Result, error) {
	conceal, err := r.expose()
	if err != nil {
		return nil, err
	}
	defer conceal()
	if err := r.begin(); err != nil {
		return nil, err
	}
	if r.scale != 1 {
		r.EventLog.Add(r.start, "load", r.Name+": "+threshold.Scaled(r.scale, r.real)+": rates and counts are those of the scaled run")
	}
	r.Metrics.attach(r.Name, r.metrics)
	_, r.lost = r.EventLog.Marks()
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	stopEvents, err := event.Schedule(ctx, r.clk, r.EventLog, r.Events...)
	if err != nil {
		return nil, err
	}
	requests := r.loop()
	defer r.live.End()
	r.watch.Begin(r.start)
	r.guard()
	requests.begin()
	r.await(r.duration)
	r.stop(nil)
	requests.end()
	r.drain()
	r.checkEvents(stopEvents())
	sections := r.sections()
	res := r.result()
	res.Sections = sections
	if r.made != nil {
		r.made(res.Scheduled)
	}
	r.watch.End()
	r.tellLateness(res)
	monitored.Observe(res, r.Monitor, r.clk.Now())
	if r.RequestLog != nil {
		if err := r.RequestLog.Flush(); err != nil {
			res.LogLost = text.Printable(err.Error())
		}
	}
	r.finalize(res)
	return res, r.deliver(res)
}

func (r *run) loop() loop {
	if r.Traffic.Kind() == traffic.Closed {
		return newClosedLoop(r)
	}
	return newOpenLoop(r)
}

// exhaustLocked says that nothing more will arrive.
func (r *run) exhaustLocked() {
	r.mu.phase.turn(exhaust)
	r.checkSpentLocked()
}

// checkSpentLocked sees whether the budget is used up. A request that waits for a place is
// part of the budget, and has time until the profile ends.
func (r *run) checkSpentLocked() {
	budget, _ := r.Traffic.Limits()
	if budget > 0 && r.mu.phase.now == exhausted && r.mu.rec.Scheduled == r.share.Count(budget) && r.mu.queue.size == 0 {
		r.mu.phase.turn(spend)
	}
}

// stop ends the arrivals; err, if any, says why before the time.
func (r *run) stop(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopLocked(err)
}

// stopLocked is stop, and reports whether the run had not been stopped before.
func (r *run) stopLocked(err error) bool {
	before := r.mu.phase.now
	if !r.mu.phase.turn(stop) {
		return false
	}
	now := r.offset()
	r.mu.ended = ending{why: err, at: now, spent: before == spent}
	r.mu.judge.Stop(now)
	if r.mu.guard != nil {
		r.mu.guard.Stop()
	}
	if !r.ServeQueue || err != nil || before == spent {
		r.dropQueueLocked(now)
	}
	r.checkIdleLocked()
	return true
}

// dropQueueLocked drops what waited, and never started.
func (r *run) dropQueueLocked(now time.Duration) {
	for u := r.mu.queue.pop(); u != nil; u = r.mu.queue.pop() {
		r.mu.rec.Drop(now)
		r.logDropLocked(u, now)
	}
}

func (r *run) checkIdleLocked() {
	if r.mu.inFlight.size == 0 && r.mu.queue.size == 0 && r.mu.preparing.size == 0 && r.mu.resting == 0 {
		r.mu.phase.turn(rest)
	}
}

// result closes the run and returns what it leaves.
func (r *run) result() *result.Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.resultLocked()
}

// failLocked stops the run because of an error in the user's code. After the run was stopped
// the error is reported all the same: what users do in the grace must not go unseen.
func (r *run) failLocked(err error) {
	if r.stopLocked(err) || r.mu.ended.why != nil {
		return
	}
	r.mu.ended.why = err
	if !r.budgeted() {
		r.mu.rec.Lasts(r.duration) // it has not ended early
	}
}

func (r *run) budgeted() bool {
	budget, each := r.Traffic.Limits()
	return budget > 0 || each > 0
}

// guard looks at the thresholds that abort the run, at every full second. It goes by the
// clock and not by the requests: a system that hangs ends no request, and is the first to be
// given up.
func (r *run) guard() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.judge.Aborts() {
		r.guardLocked(1)
	}
}

// guardLocked arms look number k. stopLocked stops its timer.
func (r *run) guardLocked(k int) {
	at := r.start.Add(time.Duration(k) * abortEvery)
	r.mu.guard = r.clk.AfterFunc(r.clk.Until(at), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.mu.phase.stopped() {
			return
		}
		if broken := r.mu.judge.Look(r.offset()); broken != nil {
			r.stopLocked(broken)
			r.mu.ended.aborted = true
			return
		}
		r.guardLocked(k + 1)
	})
}

// grace is how long what is under way may take after the last arrival: no time at all when a
// threshold aborted the run.
func (r *run) grace() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.ended.aborted {
		return 0
	}
	return r.Grace
}

// cancels returns functions that cancel what is under way, in order. What still waits is dropped.
func (r *run) cancels() (all []func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropQueueLocked(r.offset())
	for _, l := range []*list{&r.mu.preparing, &r.mu.inFlight} {
		for u := l.first; u != nil; u = u.next {
			u.req.Interrupted = true
			all = append(all, u.life.Cancel)
		}
	}
	return all
}

// abandonUsers names one of those whose NewUser does not end.
func (r *run) abandonUsers() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if u := r.mu.preparing.first; u != nil {
		r.failLocked(fmt.Errorf("load: NewUser of user %d ignored that its context was cancelled %v ago", u.req.User, abandonAfter))
	}
}

// panicked counts a panic of the user's code that belongs to no request.
func (r *run) panicked(p *usercode.PanicError, where string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.rec.Bug(p.Report(where))
}

// fail stops the run because of an error in the user's code that belongs to no request.
func (r *run) fail(err error) {
	if p := new(usercode.PanicError); errors.As(err, &p) {
		r.panicked(p, "a function of the scenario")
	}
	r.stop(err)
}

// checkEvents counts what became of the events.
func (r *run) checkEvents(err error) {
	var p *event.PanicError
	if errors.As(err, &p) {
		r.panicked(&usercode.PanicError{Value: p.Value, Stack: p.Stack}, fmt.Sprintf("event %q", p.Event))
	}
}

// metrics reads what Scenario.Metrics exports.
func (r *run) metrics(f family) []prometheus.Metric {
	r.mu.Lock()
	defer r.mu.Unlock()
	return metricsOf(f, r.Name, r.mu.rec)
}

// row takes the next row of a feed.
func (r *run) row(name string) (map[string]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.mu.feeds[name]
	if c == nil {
		return nil, text.Unknown("feed", name, text.SortedKeys(r.mu.feeds))
	}
	return c.take(func(round int) *rand.Rand { return r.users.Sub("feed " + name).At(uint64(round)) }), nil
}
