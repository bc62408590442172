package load

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/phase"
	"github.com/go-qtests/qtests/qtests/load/internal/picker"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/internal/watch"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A state is where a run stands: its phase, who is under way and who waits, and what was counted. It has neither
// lock nor clock: the run locks it, and tells it the time, as an offset from the start.
type state struct {
	scenario     *Scenario
	share        *part
	duration     time.Duration
	budget, each int64 // bounds of the profile; 0 for none
	byUser       bool  // the profile is closed
	real         bool
	live         *watch.Live

	phase phase.Machine
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

	guard *clock.Timer // for the next look at thresholds that abort; stop stops it
}

// newState is the state of a run that has not begun, of a scenario that has its defaults.
func newState(s *Scenario, p *part, real bool) (state, error) {
	x := state{scenario: s, share: p, duration: s.Traffic.Duration(), real: real, phase: phase.New(), feeds: map[string]*cursor{}}
	x.budget, x.each = s.Traffic.Limits()
	x.byUser = s.Traffic.Kind() == traffic.Closed
	for name, f := range s.Feeds {
		x.feeds[name] = newCursor(f, p.Share)
	}
	x.rec = record.New(x.duration)
	var weights []int64
	for _, step := range s.Steps {
		x.steps = append(x.steps, x.rec.Step(step.Name, false))
		weights = append(weights, int64(max(step.Weight, 1)))
	}
	if len(s.Steps) == 0 && s.Route == nil {
		x.steps = []*record.Tally{x.rec.Only(s.Name)}
		weights = []int64{1}
	}
	x.picker = picker.New(weights)
	x.picker.Skip(p.Nth(1) - 1)
	var err error
	x.judge, err = threshold.NewJudge(s.Thresholds, s.Limits, x.duration, x.rec)
	if err == nil && !p.takesAll() {
		x.judge.Defer()
	}
	return x, err
}

// admit counts a request that is due, and reports whether it may start.
func (s *state) admit(u *User, now time.Duration) bool {
	s.turn(now)
	s.rec.Arrive(u.req.Intended)
	switch {
	case s.inFlight.size < s.scenario.MaxInFlight:
		s.start(u, now, false)
		return true
	case s.scenario.Overflow == Queue && s.queue.size < s.scenario.MaxQueue:
		s.queue.add(u)
	default:
		s.rec.Drop(u.req.Intended)
		s.logDrop(u, now)
	}
	return false
}

// start lets a request start, which may have waited in the queue before.
func (s *state) start(u *User, now time.Duration, queued bool) {
	s.turn(now)
	s.requests++
	u.req.Number = s.number(u)
	u.req.Started = now
	s.chooseStep(u)
	if !queued {
		late := tb.Round(now - u.req.Intended)
		s.rec.Lateness(late)
		s.judge.Started(late)
	}
	s.inFlight.add(u)
	s.rec.Start(u.req.Step, now)
}

// number returns the number of a request that starts. In a part of a run, an arrival has the number that it has in
// the whole run.
func (s *state) number(u *User) int64 {
	if !s.share.takesAll() && !s.byUser {
		return u.req.User
	}
	return s.share.Nth(s.requests)
}

// chooseStep says what a request does. Of one with a Route, the step is named already.
func (s *state) chooseStep(u *User) {
	switch {
	case s.scenario.Route != nil:
	case len(s.scenario.Steps) > 0:
		if u.req.Choice == 0 {
			u.req.Choice = int16(s.picker.Pick()) + 1
		}
		u.req.Step = s.steps[u.req.Choice-1]
	default:
		u.req.Step = s.steps[0]
	}
}

// finish counts a request that ended, with f if it failed, and returns the one that waited longest for its place.
// That one has started.
func (s *state) finish(u *User, now time.Duration, f *record.Failure) (next *User) {
	s.inFlight.remove(u)
	if s.phase.Now() == phase.Closed {
		return nil
	}
	// A request that was cancelled and succeeded all the same was not interrupted.
	e := record.Ending{At: now, Failed: f != nil, Interrupted: u.req.Interrupted && f != nil}
	s.turn(now)
	s.rec.End(&u.req, &e)
	if s.live.Tell(now, s.rec.All.Finished) {
		s.stop(watch.ErrInterrupted, now)
	}
	if s.scenario.RequestLog != nil {
		s.logEnd(u, &e, f.Name())
	}
	if f != nil {
		s.rec.Fail(&u.req, &e, f)
	}
	if s.judge.LooksAtTimes() && !e.Interrupted {
		s.judge.Ended(&u.req, &e)
	}
	if s.queue.size > 0 { // after the end of the profile only with ServeQueue
		next = s.queue.pop()
		s.start(next, now, true)
		s.checkSpent()
	}
	if s.phase.Stopped() {
		s.checkIdle()
	}
	return next
}

// turn closes the windows of thresholds that have ended, before anything is counted that comes after them.
func (s *state) turn(now time.Duration) {
	if s.judge.Due(now) {
		s.judge.Turn(now)
	}
}

// hasWindows reports whether turn has anything to do.
func (s *state) hasWindows() bool { return s.phase.Now() != phase.Closed && s.judge.HasWindows() }

// retry takes a retry from the budget, if it allows one.
func (s *state) retry(u *User, now time.Duration) bool {
	s.turn(now)
	if !s.scenario.Retry.allows(s.requests, s.rec.AllRetries(), s.share.Count(freeRetries)) {
		s.rec.Deny(u.req.Step)
		return false
	}
	s.rec.AwaitRetry()
	return true
}

// retried counts a retry that begins, or takes one back that is not made.
func (s *state) retried(u *User, made bool, now time.Duration) {
	if !made {
		s.rec.GiveUpRetry()
		return
	}
	s.turn(now)
	s.rec.Retry(u.req.Step, now)
}

// exhaust says that nothing more will arrive.
func (s *state) exhaust() {
	s.phase.Turn(phase.Exhaust)
	s.checkSpent()
}

// checkSpent sees whether the budget is used up. A request that waits for a place is part of the budget, and has
// time until the profile ends.
func (s *state) checkSpent() {
	if s.budget > 0 && s.phase.Now() == phase.Exhausted && s.rec.Scheduled == s.share.Count(s.budget) && s.queue.size == 0 {
		s.phase.Turn(phase.Spend)
	}
}

// unrest says that a goroutine does not wait for an arrival any more.
func (s *state) unrest() {
	s.resting--
	s.checkIdle()
}

func (s *state) checkIdle() {
	if s.inFlight.size == 0 && s.queue.size == 0 && s.preparing.size == 0 && s.resting == 0 {
		s.phase.Turn(phase.Rest)
	}
}

// check counts the result of a check.
func (s *state) check(name string, ok bool) {
	if s.phase.Now() != phase.Closed {
		s.rec.Check(name, ok)
	}
}

// part counts a part of a request.
func (s *state) part(name string, d time.Duration, failed bool, now time.Duration) {
	if s.phase.Now() == phase.Closed {
		return
	}
	s.turn(now)
	t := s.rec.Part(name, now, d, failed)
	s.judge.PartEnded(t, d)
}

// measure counts a value of a metric of the scenario's own.
func (s *state) measure(v record.Value, now time.Duration) error {
	if s.phase.Now() == phase.Closed {
		return nil
	}
	return s.rec.Measure(v, now)
}

// row takes the next row of a feed.
func (s *state) row(name string, users tb.Stream) (map[string]string, error) {
	c := s.feeds[name]
	if c == nil {
		return nil, text.Unknown("feed", name, text.SortedKeys(s.feeds))
	}
	return c.take(func(round int) *rand.Rand { return users.Sub("feed " + name).At(uint64(round)) }), nil
}

// progress says how the run stands, to fill a line.
func (s *state) progress(at time.Duration) string {
	rec := s.rec
	line := fmt.Sprintf("real: %s %v of %v: %s requests, %s/s, %d in flight, p99 %v, %s", s.scenario.Name,
		at.Round(time.Second), s.duration, text.Grouped(rec.All.Finished), text.Significant(result.RateOf(rec.All.Finished, at)), rec.InFlight,
		text.Short(rec.All.Response.Percentile(99)), errorShare(rec))
	if rec.Dropped > 0 {
		line += fmt.Sprintf(", %s dropped", text.Grouped(rec.Dropped))
	}
	if s.ended.why != nil {
		line += "; ending, Ctrl-C again to end at once"
	}
	return line
}

// brief is a shorter progress, for one of several runs.
func (s *state) brief(at time.Duration) string {
	n := s.rec.All.Finished
	return fmt.Sprintf("%s %s, %s/s, %s", s.scenario.Name, text.Grouped(n), text.Significant(result.RateOf(n, at)), errorShare(s.rec))
}

func errorShare(rec *record.Recorder) string {
	return fmt.Sprintf("%.3g%% errors", 100*float64(rec.All.Errors)/float64(max(rec.All.Finished, 1)))
}
