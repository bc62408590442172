package load

import (
	"context"
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/life"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/tb"
)

// perform runs an admitted request to its end, and then the requests that waited for its place.
func (r *run) perform(u *User) { r.follow(r.once(u, nil)) }

// follow runs the request that starts in the place of one that has ended, and those after it. There may be none.
func (r *run) follow(next *User) {
	for next != nil {
		if r.fake {
			r.handOver(next)
			return
		}
		next = r.once(next, nil)
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

// once runs one request and returns the next one to run in this goroutine. If there is none, it sets then to an arrival
// that the goroutine is to wait for, unless that is nil, as rest does. Every way out of the user's code passes through the
// deferred function: a return, a panic, and runtime.Goexit, after which this goroutine cannot go on.
func (r *run) once(u *User, then *due) (next *User) {
	returned := false
	var err error
	defer func() {
		exiting := false
		if !returned {
			if err, exiting = unreturned(recover()); exiting {
				then = nil
			}
		}
		next = r.finish(u, err, then)
		if exiting && next != nil {
			r.handOver(next)
		}
		r.RequestLog.Pump()
	}()
	u.req.Attempts = 1
	// As try, but without its frame: a processor does not foresee the way back from a step that has waited, and so each
	// frame on that way takes ten nanoseconds.
	if r.Timeout > 0 {
		err = r.tryWithin(u)
	} else {
		err = r.do(u)(u.life, u)
	}
	if err != nil && r.Retry.Max > 0 {
		err = r.retry(u, err)
	}
	returned = true
	return nil
}

// do returns the function that a request calls. A field of User would take memory for every request.
func (r *run) do(u *User) func(context.Context, *User) error {
	if i := u.req.Choice; i > 0 {
		return r.Steps[i-1].Do
	}
	return r.Do
}

// try is one attempt.
func (r *run) try(u *User) error {
	if r.Timeout > 0 {
		return r.tryWithin(u)
	}
	return r.do(u)(u.life, u)
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
	u.req.TimedOut = false
	err := r.do(u)(attempt, u)
	// Not asked of the error: a library may make any of it, such as the status of a
	// gRPC call whose server noticed first. It may also be a hair ahead of our timer.
	deadline, _ := attempt.Deadline()
	u.req.TimedOut = err != nil && (attempt.Err() == context.DeadlineExceeded || tb.Round(r.clk.Until(deadline)) <= 0)
	return err
}

// finish counts a request that ended, and returns the request that waited longest for its place.
//
// It runs on the small stack that a goroutine starts with, below the frames of the timer and the
// request. To grow that stack costs as much as all the rest: 1 µs, and 2 KiB for every request under
// way. So its frame has nothing that only some requests need.
func (r *run) finish(u *User, err error, then *due) (next *User) {
	now := r.offset()
	u.life.Cancel()
	if err != nil {
		return r.finishFailed(u, now, err, then)
	}
	return r.ended(u, now, nil, then)
}

// finishFailed finishes a request that failed. The user's code tells how it failed, and may misbehave
// again: the place of the request comes back all the same.
//
//go:noinline
func (r *run) finishFailed(u *User, now time.Duration, err error, then *due) (next *User) {
	f := &record.Failure{Kind: "ErrorKind exited", Text: "runtime.Goexit in Scenario.ErrorKind or the error's methods"}
	told := false
	defer func() {
		if told {
			return
		}
		if next = r.ended(u, now, f, nil); next != nil { // Goexit
			r.handOver(next)
		}
	}()
	f = tell(err, r.ErrorKind)
	if u.req.TimedOut {
		tellTimeout(f, r.ErrorKind, r.Timeout)
	}
	told = true
	return r.ended(u, now, f, then)
}
