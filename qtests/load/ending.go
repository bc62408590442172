package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/internal/phase"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/tb"
)

// An ending is how a run stopped.
type ending struct {
	why     error         // nil when the arrivals came to their end
	at      time.Duration // offset
	spent   bool          // the budget of requests was used up
	aborted bool          // by a threshold: there is no grace
}

// stop ends the arrivals, and reports whether they had not been ended before. err, if any, says why before the time.
func (s *state) stop(err error, now time.Duration) bool {
	before := s.phase.Now()
	if !s.phase.Turn(phase.Stop) {
		return false
	}
	s.ended = ending{why: err, at: now, spent: before == phase.Spent}
	s.judge.Stop(now)
	if s.guard != nil {
		s.guard.Stop()
	}
	if !s.scenario.ServeQueue || err != nil || before == phase.Spent {
		s.dropQueue(now)
	}
	s.checkIdle()
	return true
}

// dropQueue drops what waited, and never started.
func (s *state) dropQueue(now time.Duration) {
	for u := s.queue.pop(); u != nil; u = s.queue.pop() {
		s.rec.Drop(now)
		s.logDrop(u, now)
	}
}

// fail stops the run because of an error in the user's code. After the run was stopped the error is reported all
// the same: what users do in the grace must not go unseen.
func (s *state) fail(err error, now time.Duration) {
	if s.stop(err, now) || s.ended.why != nil {
		return
	}
	s.ended.why = err
	if s.budget == 0 && s.each == 0 {
		s.rec.Lasts(s.duration) // it has not ended early
	}
}

// look reports whether thresholds that abort the run are to be looked at again. A broken one stops the run.
func (s *state) look(now time.Duration) (again bool) {
	if s.phase.Stopped() {
		return false
	}
	broken := s.judge.Look(now)
	if broken == nil {
		return true
	}
	s.stop(broken, now)
	s.ended.aborted = true
	return false
}

// blame fails the run because of the user's code outside of a request, which called Goexit if p is nil.
func (s *state) blame(err error, p *usercode.PanicError, now time.Duration) {
	s.fail(err, now)
	if p == nil {
		s.rec.Goexit()
	} else {
		s.rec.Bug(fmt.Sprintf("%v\n%s", err, p.Stack))
	}
}

// hurry ends the grace of what is under way.
func (s *state) hurry(why error, now time.Duration) {
	if s.ended.why == nil { // the arrivals had come to their end
		s.ended.why, s.ended.at = why, now
	}
	s.phase.Turn(phase.Hurry)
}

// grace is how long what is under way may take after the last arrival: no time at all when a threshold aborted the
// run.
func (s *state) grace() time.Duration {
	if s.ended.aborted {
		return 0
	}
	return s.scenario.Grace
}

// cancels returns functions that cancel what is under way, in order. What still waits is dropped.
func (s *state) cancels(now time.Duration) (all []func()) {
	s.dropQueue(now)
	for _, l := range []*list{&s.preparing, &s.inFlight} {
		for u := l.first; u != nil; u = u.next {
			u.req.Interrupted = true
			all = append(all, u.life.Cancel)
		}
	}
	return all
}

// abandonAfter is how long a run waits for requests that it has cancelled.
const abandonAfter = 10 * time.Second

// abandon names one of those whose NewUser does not end.
func (s *state) abandon(now time.Duration) {
	if u := s.preparing.first; u != nil {
		s.fail(fmt.Errorf("load: NewUser of user %d ignored that its context was cancelled %v ago", u.req.User, abandonAfter), now)
	}
}

// endEarly says why a run has not ended that is given up.
func (s *state) endEarly(why error) {
	if s.ended.why == nil {
		s.ended = ending{why: why, at: s.rec.Seen}
		s.judge.Stop(s.rec.Seen)
	}
}

// close makes the result of what was counted, and returns the end of the run. What happens from now on is no part
// of it.
func (s *state) close(now time.Duration, scale float64) (res *result.Result, end time.Duration) {
	s.phase.Turn(phase.Finish)
	end = max(s.rec.LastEnd, 0)
	if s.ended.why == nil && !s.ended.spent {
		end = max(end, s.duration)
	}
	for u := s.inFlight.first; u != nil; u = u.next {
		s.rec.Abandon(&u.req, end)
		s.logAbandoned(u, now)
	}
	res = s.rec.Result(tb.Round(end))
	res.Aborted = s.ended.aborted
	if s.ended.why != nil {
		res.Halted, res.HaltedAt = text.Printable(s.ended.why.Error()), tb.Round(s.ended.at)
	}
	s.judge.Scaled(scale, s.real)
	res.Thresholds = []result.Verdict{}
	if s.share.takesAll() {
		res.Thresholds = s.judge.Verdicts(end)
	}
	if s.share.leaves {
		s.describePart(res, end)
	}
	return res, end
}

// describePart adds to the result what a part leaves for the merge.
func (s *state) describePart(res *result.Result, end time.Duration) {
	res.Part = s.share.describe(s.scenario, s.judge.Until(), s.real)
	if !s.share.takesAll() {
		res.Part.Thresholds, res.Part.Windows = s.judge.Kept(end)
	}
	s.rec.Fill(res.Part, res)
}

// stop ends the arrivals; err, if any, says why before the time.
func (r *run) stop(err error) { r.StopEarly(err) }

// fail stops the run because of an error in the user's code that belongs to no request.
func (r *run) fail(err error) {
	if p := new(usercode.PanicError); errors.As(err, &p) {
		r.panicked(p, "a function of the scenario")
	}
	r.stop(err)
}
