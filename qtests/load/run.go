package load

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/internal/watch"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/tb"
)

// abortEvery is how often a run looks at the thresholds that may abort it.
const abortEvery = time.Second

// A run is one execution of a scenario. It owns the lock and the clock: what happens to a run is a method here, which
// takes the lock, and tells the state the time.
type run struct {
	Scenario
	host   host // itself, for its users
	test   string
	repeat string       // the command for the test
	made   func(int64)  // is told how many requests there were; may be nil
	watch  *watch.Watch // of a test in real time
	clk    clock.Clock
	start  time.Time
	began  time.Time // when it did: in a part of a run not quite start
	share  part
	ctx    context.Context // of the caller; its values reach the requests
	users  tb.Stream
	scale  float64
	lost   int  // marks that the event log had dropped before the run
	fake   bool // the clock is tie-free: what happens is repeatable
	real   bool // the run takes real time

	// draw guards the source of an open loop, and keeps the arrivals in order until they are known, where the
	// user's code draws the gaps: that must not run under mu, which guards other sources. It comes before mu.
	draw struct {
		sync.Mutex
		drawing
	}

	mu struct {
		sync.Mutex
		state
		visitors *visitors      // of a closed profile
		arrivals *arrivals      // of the others
		final    *result.Result // of a run that has ended
	}
}

// offset is the present instant, counted from the start.
func (r *run) offset() time.Duration        { return r.clk.Since(r.start) }
func (r *run) clock() clock.Clock           { return r.clk }
func (r *run) random(user int64) *rand.Rand { return r.users.At(uint64(user)) }

// expectFirst draws the first arrivals of an open profile. arm lets a goroutine wait for one.
func (r *run) expectFirst(arm func(due)) {
	r.draw.Lock()
	defer r.draw.Unlock()
	r.mu.arrivals.arm = arm
	for range lookAhead {
		if a, ok := r.draw.next(false, r.fail, r.unrest); ok {
			r.mu.Lock()
			r.mu.arrivals.expect(a, bubble.Reserve(r.clk, a.At))
			r.mu.Unlock()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.arrivals.arrange()
}

func (r *run) unrest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.unrest()
}

// arrived counts the arrival d, which has come, and says whether its request may start.
func (r *run) arrived(u *User, d *due) (admitted bool) {
	if r.draw.source.Foreign() {
		return r.arrivedForeign(u, d)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.arrivals.arrived(u, d, r.draw.source, r.start)
}

// arrivedForeign is arrived, where code of the user's draws the next arrival, without the lock.
func (r *run) arrivedForeign(u *User, d *due) (admitted bool) {
	now := d.place.Pass(r.start)
	r.draw.Lock()
	defer r.draw.Unlock()
	next, more := r.draw.next(d.rested, r.fail, r.unrest)
	r.mu.Lock()
	defer r.mu.Unlock()
	if more && !r.mu.phase.Stopped() {
		r.mu.arrivals.expect(next, bubble.Reserve(r.clk, next.At-now))
	}
	return r.mu.arrivals.serve(u, d, now)
}

// first sets d, for which a goroutine has waited, to the arrival to serve of those that are due.
func (r *run) first(d *due) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.arrivals.first(d)
}

// rest sets d to an arrival to wait for, for a goroutine whose request has ended, and reports whether there is one.
func (r *run) rest(d *due) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.arrivals.rest(d)
}

// nameStep counts a request under the step that Route names.
func (r *run) nameStep(u *User, step string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u.req.Step = r.mu.rec.Route(step)
}

// noMore gives back what waits for requests that will not come.
func (r *run) noMore() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.byUser {
		r.mu.visitors.disarm()
	} else {
		r.mu.arrivals.release()
	}
}

// awaitChange calls apply when a change in the number of users is due, unless the run is stopped before.
func (r *run) awaitChange(at time.Duration, apply func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.mu.phase.Stopped() {
		r.mu.visitors.timer = r.clk.AfterFunc(r.clk.Until(r.start.Add(at)), apply)
	}
}

// allCame says that no further user will come.
func (r *run) allCame() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.visitors.end()
}

// came gives a user a place, and reports whether there is one: not in a run that was stopped.
func (r *run) came(v *visitor) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.visitors.come(v)
}

// left lets user n start nothing more, or returns nil in a run that was stopped.
func (r *run) left(n int) *visitor {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.visitors.leave(n)
}

// graceOf calls end after the grace of a user who has left, if something of the user is under way.
func (r *run) graceOf(v *visitor, end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v.busy() {
		v.timer = r.clk.AfterFunc(r.LeaveGrace, end)
	}
}

// interrupts reports whether something of the user is under way, which counts as interrupted from now on.
func (r *run) interrupts(v *visitor) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return v.interrupt()
}

// prepares gives NewUser a context, and reports whether it is to be called.
func (r *run) prepares(v *visitor) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.visitors.prepare(v, r.offset())
}

// prepared says that NewUser has ended.
func (r *run) prepared(v *visitor, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.visitors.prepared(v, err, r.offset())
}

// visits starts a request of the user, unless there is nothing left to do.
func (r *run) visits(v *visitor) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.visitors.start(v, r.offset())
}

// over reports whether the user starts nothing more.
func (r *run) over(v *visitor) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.visitors.over(v)
}

// pauses calls visit after d, if the user, who has nothing under way, may then start something.
func (r *run) pauses(v *visitor, d time.Duration, visit func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.visitors.waits(v, d, r.offset()) {
		v.timer = r.clk.AfterFunc(d, visit)
	}
}

// ended counts a request that ended at now, with f if it failed, and returns the one that starts in its place. If there
// is none, it may set then, as rest does: under one lock, as in arrived, which together saves 60 ns of a request. With a
// request log, the goroutine may have to write that before.
func (r *run) ended(u *User, now time.Duration, f *record.Failure, then *due) (next *User) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next = r.mu.finish(u, now, f)
	if then != nil && next == nil && r.RequestLog == nil {
		r.mu.arrivals.rest(then)
	}
	return next
}

// mayRetry takes a retry from the budget.
func (r *run) mayRetry(u *User) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.retry(u, r.offset())
}

// retried counts a retry that begins, or gives one back to the budget that is not made.
func (r *run) retried(u *User, made bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.retried(u, made, r.offset())
}

func (r *run) check(name string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.hasWindows() {
		r.mu.turn(r.offset())
	}
	r.mu.check(name, ok)
}

func (r *run) part(name string, d time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.part(name, tb.Round(d), err != nil, r.offset())
}

func (r *run) measure(v record.Value) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.measure(v, r.offset())
}

// row takes the next row of a feed.
func (r *run) row(name string) (map[string]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.row(name, r.users)
}

// watchThresholds looks at the thresholds that abort the run, at every full second. It goes by the clock and not by
// the requests: a system that hangs ends no request, and is the first to be given up.
func (r *run) watchThresholds() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.judge.Aborts() {
		r.lookLaterLocked(1)
	}
}

// lookLaterLocked arms look number k.
func (r *run) lookLaterLocked(k int) {
	at := r.start.Add(time.Duration(k) * abortEvery)
	r.mu.guard = r.clk.AfterFunc(r.clk.Until(at), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.mu.look(r.offset()) {
			r.lookLaterLocked(k + 1)
		}
	})
}

// StopEarly ends the arrivals, and reports whether they had not been ended before. With Progress, Brief and EndGrace
// it is for the watch.
func (r *run) StopEarly(why error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.stop(why, r.offset())
}

// EndGrace ends the grace of what is under way.
func (r *run) EndGrace(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.hurry(why, r.offset())
}

// Progress says in a line how the run stands.
func (r *run) Progress() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.progress(r.offset())
}

// Brief is a shorter Progress.
func (r *run) Brief() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.brief(r.offset())
}

// panicked counts a panic of the user's code that belongs to no request.
func (r *run) panicked(p *usercode.PanicError, where string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.rec.Bug(p.Report(where))
}

// blame stops the run because of the user's code outside of a request, which called Goexit if p is nil.
func (r *run) blame(err error, p *usercode.PanicError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.blame(err, p, r.offset())
}

// grace is how long what is under way may take after the last arrival.
func (r *run) grace() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.grace()
}

// cancels returns functions that cancel what is under way, in order. What still waits is dropped.
func (r *run) cancels() []func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.cancels(r.offset())
}

// abandon names one of those whose NewUser does not end.
func (r *run) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.abandon(r.offset())
}

// close returns what was counted, and the end of the run. What happens from now on is no part of it.
func (r *run) close() (res *result.Result, end time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.close(r.offset(), r.scale)
}

// closeEarly is close for a run that may not have ended: why then says so. Of a run that has, it returns the result.
func (r *run) closeEarly(why error) (final, res *result.Result, end time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.final != nil {
		return r.mu.final, nil, 0
	}
	r.mu.endEarly(why)
	res, end = r.mu.close(r.offset(), r.scale)
	return nil, res, end
}

// finalize notes the result, for a test that fails later.
func (r *run) finalize(res *result.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.final = res
}

// metrics reads what Scenario.Metrics exports.
func (r *run) metrics(f family) []prometheus.Metric {
	r.mu.Lock()
	defer r.mu.Unlock()
	return metricsOf(f, r.Name, r.mu.rec)
}
