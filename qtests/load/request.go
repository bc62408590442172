package load

import (
	"context"
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/life"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// admitLocked counts a request that is due, and reports whether it may start.
func (r *run) admitLocked(u *User, now time.Duration) bool {
	r.turnLocked(now)
	r.mu.rec.Arrive(u.req.Intended)
	switch {
	case r.mu.inFlight.size < r.MaxInFlight:
		r.startLocked(u, now)
		return true
	case r.Overflow == Queue && r.mu.queue.size < r.MaxQueue:
		u.queued = true
		r.mu.queue.add(u)
	default:
		r.mu.rec.Drop(u.req.Intended)
		r.logDropLocked(u, now)
	}
	return false
}

func (r *run) startLocked(u *User, now time.Duration) {
	r.turnLocked(now)
	r.mu.requests++
	u.req.Number = r.numberLocked(u)
	u.req.Started = now
	u.do = r.Do
	switch {
	case r.Route != nil:
		// openLoop has named the step, without the lock
	case len(r.Steps) > 0:
		i := int(u.step) - 1
		if i < 0 {
			i = r.mu.picker.Pick()
		}
		u.req.Step, u.do = r.mu.steps[i], r.Steps[i].Do
	default:
		u.req.Step = r.mu.steps[0]
	}
	if !u.queued {
		late := tb.Round(now - u.req.Intended)
		r.mu.rec.Lateness(late)
		r.mu.judge.Started(late)
	}
	r.mu.inFlight.add(u)
	r.mu.rec.Start(u.req.Step, now)
}

// numberLocked is the number of a request that starts. In a part of a run that of an arrival is the
// number of the arrival in the whole.
func (r *run) numberLocked(u *User) int64 {
	if !r.share.takesAll() && r.Traffic.Kind() != traffic.Closed {
		return u.req.User
	}
	return r.share.Nth(r.mu.requests)
}

// perform runs an admitted request to its end, and then the requests that waited for its place.
func (r *run) perform(u *User) {
	for u != nil {
		if u = r.once(u); u != nil && r.fake {
			r.handOver(u)
			return
		}
	}
}

// handOver lets another goroutine perform u. Under a fake clock that goroutine begins when all that
// runs now has come to rest: the request that ended in this event may have woken others, and u would
// race with them.
func (r *run) handOver(u *User) {
	if r.fake {
		r.clk.AfterFunc(0, func() { r.perform(u) })
		return
	}
	go r.perform(u)
}

// once runs one request and returns the next one to run in this goroutine. Every way out of the
// user's code passes through the deferred function: a return, a panic, and runtime.Goexit, after
// which this goroutine cannot go on.
func (r *run) once(u *User) (next *User) {
	returned := false
	var err error
	defer func() {
		exiting := false
		if !returned {
			err, exiting = unreturned(recover())
		}
		next = r.finish(u, err)
		if exiting && next != nil {
			r.handOver(next)
		}
		r.RequestLog.Pump()
	}()
	err = r.attempt(u)
	returned = true
	return nil
}

// attempt runs the step, again and again as Retry allows.
func (r *run) attempt(u *User) error {
	u.req.Attempts = 1
	err := r.try(u)
	if err != nil && r.Retry.Max > 0 {
		return r.retry(u, err)
	}
	return err
}

// retry repeats a request that failed with err.
//
//go:noinline
func (r *run) retry(u *User, err error) error {
	for n := 1; n <= r.Retry.Max && u.life.Err() == nil && r.Retry.worth(err) && r.mayRetry(u); n++ {
		d := r.Retry.backoff(u.Rand, n)
		if d == 0 && r.fake {
			<-r.clk.Timer(0).C // all else comes to rest, as in handOver
		}
		if sleep(u.life, r.clk, d) != nil {
			r.retried(u, false)
			break
		}
		r.retried(u, true)
		u.req.Attempts = int32(n) + 1
		if err = r.try(u); err == nil {
			break
		}
	}
	return err
}

// mayRetry takes a retry from the budget.
func (r *run) mayRetry(u *User) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turnLocked(r.offset())
	if !r.Retry.allows(r.mu.requests, r.mu.rec.AllRetries(), r.share.Count(freeRetries)) {
		r.mu.rec.Deny(u.req.Step)
		return false
	}
	r.mu.rec.AwaitRetry()
	return true
}

// retried counts a retry that begins. A retry whose request was cancelled during the back-off is not
// made, and goes back to the budget.
func (r *run) retried(u *User, made bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !made {
		r.mu.rec.GiveUpRetry()
		return
	}
	now := r.offset()
	r.turnLocked(now)
	r.mu.rec.Retry(u.req.Step, now)
}

// try is one attempt.
func (r *run) try(u *User) error {
	if r.Timeout > 0 {
		return r.tryWithin(u)
	}
	return u.do(u.life, u)
}

// tryWithin is one attempt with a timeout of its own.
//
//go:noinline
func (r *run) tryWithin(u *User) error {
	attempt, timer := life.WithTimeout(u.life, r.clk, r.Timeout)
	leave := u.life.AfterFunc(attempt.Cancel)
	defer func() {
		timer.Stop()
		leave()
		attempt.Cancel()
	}()
	u.timedOut = false
	err := u.do(attempt, u)
	// Not asked of the error: a library may make any of it, such as the status of a
	// gRPC call whose server noticed first. It may also be a hair ahead of our timer.
	deadline, _ := attempt.Deadline()
	u.timedOut = err != nil && (attempt.Err() == context.DeadlineExceeded || tb.Round(r.clk.Until(deadline)) <= 0)
	return err
}

// finish counts a request that ended, and returns the request that waited longest for its place.
//
// It runs on the small stack that a goroutine starts with, below the frames of the timer and the
// request. To grow that stack costs as much as all the rest: 1 µs, and 2 KiB for every request under
// way. So its frame has nothing that only some requests need.
func (r *run) finish(u *User, err error) (next *User) {
	now := r.offset()
	u.life.Cancel()
	if err != nil {
		return r.finishFailed(u, now, err)
	}
	return r.complete(u, now, nil)
}

// finishFailed finishes a request that failed. The user's code tells how it failed, and may misbehave
// again: the place of the request comes back all the same.
//
//go:noinline
func (r *run) finishFailed(u *User, now time.Duration, err error) (next *User) {
	f := &record.Failure{Kind: "ErrorKind exited", Text: "runtime.Goexit in Scenario.ErrorKind or the error's methods"}
	told := false
	defer func() {
		if told {
			return
		}
		if next = r.complete(u, now, f); next != nil { // Goexit
			r.handOver(next)
		}
	}()
	f = tell(err, r.ErrorKind)
	r.tellTimeout(u, f)
	told = true
	return r.complete(u, now, f)
}

// complete counts a request that ended at now, with f if it failed.
func (r *run) complete(u *User, now time.Duration, f *record.Failure) (next *User) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.inFlight.remove(u)
	if r.mu.phase.now == closed {
		return nil
	}
	// A request that was cancelled and succeeded all the same was not interrupted.
	e := record.Ending{At: now, Failed: f != nil, Interrupted: u.req.Interrupted && f != nil}
	r.turnLocked(now)
	r.mu.rec.End(&u.req, &e)
	if r.live.Tell(now, r.mu.rec.All.Finished) {
		r.interruptLocked()
	}
	if r.RequestLog != nil {
		r.logLocked(u, &e, f.Name())
	}
	if f != nil {
		r.mu.rec.Fail(&u.req, &e, f)
	}
	if r.mu.judge.LooksAtTimes() && !e.Interrupted {
		r.mu.judge.Ended(&u.req, &e)
	}
	if r.mu.queue.size > 0 { // after the end of the profile only with ServeQueue
		next = r.mu.queue.pop()
		r.startLocked(next, now)
		r.checkSpentLocked()
	}
	if r.mu.phase.stopped() {
		r.checkIdleLocked()
	}
	return next
}

// turnLocked closes the windows of thresholds that have ended, before anything is counted that comes
// after them.
func (r *run) turnLocked(now time.Duration) {
	if r.mu.judge.Due(now) {
		r.mu.judge.Turn(now)
	}
}

func (r *run) check(name string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.phase.now == closed {
		return
	}
	if r.mu.judge.HasWindows() {
		r.turnLocked(r.offset())
	}
	r.mu.rec.Check(name, ok)
}

func (r *run) part(name string, d time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.phase.now == closed {
		return
	}
	now := r.offset()
	r.turnLocked(now)
	d = tb.Round(d)
	t := r.mu.rec.Part(name, now, d, err != nil)
	r.mu.judge.PartEnded(t, d)
}
