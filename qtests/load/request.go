package load

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// admitLocked counts a request that is due, and says whether it may start.
func (r *run) admitLocked(u *User, now time.Duration) bool {
	r.turnLocked(now)
	r.mu.rec.arrive(u.intended)
	switch {
	case r.mu.inFlight.size < r.MaxInFlight:
		r.startLocked(u, now)
		return true
	case r.Overflow == Queue && r.mu.queue.size() < r.MaxQueue:
		u.queued = true
		r.mu.queue.push(u)
	default:
		r.mu.rec.drop(u.intended)
	}
	return false
}

func (r *run) startLocked(u *User, now time.Duration) {
	r.turnLocked(now)
	r.mu.requests++
	u.request = r.mu.requests
	u.started = now
	u.do = r.Do
	switch {
	case r.Route != nil:
		// named before the lock, see openLoop
	case len(r.Steps) > 0:
		i := r.mu.picker.pick()
		u.step, u.do = r.mu.steps[i], r.Steps[i].Do
	default:
		u.step = r.mu.steps[0]
	}
	if !u.queued {
		late := qtests.Round(now - u.intended)
		r.mu.rec.late.Record(late)
		r.mu.rules.started(late)
	}
	r.mu.inFlight.add(u)
	r.mu.rec.start(u.step, now)
}

// perform runs an admitted request to its end, and then those that waited for
// its place.
func (r *run) perform(u *User) {
	for u != nil {
		if u = r.once(u); u != nil && r.fake {
			// The request that ended may have woken others, which run now. What
			// starts in its place starts when they have come to rest: otherwise
			// it would race with them.
			r.clk.AfterFunc(0, func() { r.perform(u) })
			return
		}
	}
}

// once runs one request and returns the next one to run in this goroutine. Every way
// out of the user's code passes through its deferred function: a return, a
// panic, and runtime.Goexit, after which this goroutine cannot go on.
func (r *run) once(u *User) (next *User) {
	returned := false
	var err error
	defer func() {
		exiting := false
		if !returned {
			err, exiting = r.bug(recover())
		}
		next = r.finish(u, err)
		if exiting && next != nil {
			go r.perform(next)
		}
	}()
	err = r.attempt(u)
	returned = true
	return nil
}

// attempt runs the step, again and again as Retry allows.
func (r *run) attempt(u *User) error {
	u.attempts = 1
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
		d := r.Retry.backoff(u, n)
		if d == 0 && r.fake {
			<-r.clk.Timer(0).C // comes to rest first, as in perform
		}
		if sleep(u.life, r.clk, d) != nil {
			break
		}
		u.attempts = int32(n) + 1
		if err = r.try(u); err == nil {
			break
		}
	}
	return err
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
	attempt := &limitedLife{life: life{parent: u.life}}
	timer := attempt.expire(r.clk, r.clk.Now(), r.Timeout)
	stop := u.life.AfterFunc(func() { attempt.end(cancelled) })
	defer func() {
		timer.Stop()
		stop()
		attempt.end(cancelled)
	}()
	return u.do(attempt, u)
}

func (r *run) mayRetry(u *User) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.offset()
	r.turnLocked(now)
	if !r.Retry.allows(r.mu.requests, r.mu.rec.retries) {
		r.mu.rec.denied++
		u.step.denied++
		return false
	}
	r.mu.rec.retries++
	u.step.retries++
	r.mu.rec.timeline.at(now).Retries++
	return true
}

// bug makes an error of a panic's value, which is nil for runtime.Goexit.
//
//go:noinline
func (r *run) bug(value any) (err error, exiting bool) {
	if value == nil {
		return &goexitError{}, true
	}
	return &panicError{value: value, stack: string(debug.Stack())}, false
}

type goexitError struct{}

func (*goexitError) Error() string {
	return "goexit: the step ended its goroutine (t.FailNow, require)"
}

type panicError struct {
	value any
	stack string
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// finish counts a request that ended, and hands its place to the longest
// waiting one.
//
// It runs on the small stack that a goroutine starts with, below the frames of
// the timer and the request: what only some requests need is kept out of its
// frame, because growing that stack costs as much as all the rest (1 µs, and 2
// KiB for every request under way).
func (r *run) finish(u *User, err error) (next *User) {
	now := r.offset()
	u.life.end(cancelled)
	kind := ""
	if err != nil {
		kind = r.kind(err)
	}
	if r.Samples != nil {
		r.sample(u, now, kind) // before it is counted: the run must not end and flush first
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.inFlight.remove(u)
	if r.mu.closed {
		return nil
	}
	// A request that came to a good end all the same was not interrupted.
	e := ending{at: now, failed: err != nil, interrupted: u.interrupted && err != nil}
	r.turnLocked(now)
	r.mu.rec.end(u, &e)
	if err != nil && !e.interrupted {
		r.countLocked(u, kind, err, now)
	}
	if len(r.mu.rules.timed) > 0 && !e.interrupted {
		r.mu.rules.ended(u, &e)
	}
	if r.mu.queue.size() > 0 && !r.mu.stopped {
		next, _ = r.mu.queue.pop()
		r.startLocked(next, now)
	}
	if r.mu.stopped {
		r.checkIdleLocked()
	}
	return next
}

// turnLocked closes the windows of thresholds that are over, before anything is
// counted that came after them.
func (r *run) turnLocked(now time.Duration) {
	if now >= r.mu.rules.next {
		r.mu.rules.turn(now)
	}
}

// kind calls the user's function, which may misbehave as well.
func (r *run) kind(err error) (kind string) {
	defer func() {
		if recover() != nil {
			kind = "ErrorKind panicked"
		}
	}()
	return r.ErrorKind(err)
}

// countLocked counts the error of a request.
//
//go:noinline
func (r *run) countLocked(u *User, kind string, err error, now time.Duration) {
	rec := r.mu.rec
	rec.fault(kind, u.step.name, clip(err.Error(), 200), now)
	var p *panicError
	var g *goexitError
	switch {
	case errors.As(err, &p):
		rec.panics++
		if rec.firstBug == "" {
			rec.firstBug = fmt.Sprintf("%v\n%s", p, p.stack)
		}
	case errors.As(err, &g):
		rec.goexits++
	case errors.Is(err, context.DeadlineExceeded):
		rec.timeout(u)
	}
}

func (r *run) check(name string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.closed {
		return
	}
	if r.mu.rules.next != never {
		r.turnLocked(r.offset())
	}
	r.mu.rec.check(name, ok)
}

func (r *run) part(name string, d time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.closed {
		return
	}
	now := r.offset()
	r.turnLocked(now)
	t := r.mu.rec.step(name, true)
	t.started++
	d = qtests.Round(d)
	t.count(now, d, d, err != nil)
	r.mu.rules.partEnded(t, d)
}
