package load

import (
	"context"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// await waits until d has passed and nothing more will arrive, or the budget of
// requests is used up, or the run is stopped.
func (r *run) await(d time.Duration) {
	timer := r.clk.Timer(r.clk.Until(r.start.Add(d)))
	defer timer.Stop()
	select {
	case <-timer.C:
		if r.Traffic.Kind() != traffic.Closed {
			r.awaitLast()
		}
	case <-r.mu.phase.reached[spent]:
	case <-r.mu.phase.reached[draining]:
	case <-r.ctx.Done():
		r.stop(context.Cause(r.ctx))
	}
}

// awaitLast waits for the arrivals at the very end of the profile.
func (r *run) awaitLast() {
	select {
	case <-r.mu.phase.reached[exhausted]:
	case <-r.mu.phase.reached[draining]:
	case <-r.ctx.Done():
		r.stop(context.Cause(r.ctx))
	}
}

// drain gives what is under way its grace, then cancels it, one request after
// the other, and waits a little for those that ignore it.
func (r *run) drain() {
	if r.waitIdle(r.grace(), r.mu.phase.reached[hurried]) {
		return
	}
	bubble.InTurn(r.clk, r.cancels()...)
	if !r.waitIdle(abandonAfter, nil) {
		r.abandonUsers()
	}
}

// waitIdle waits until nothing is under way, at most for d or until cut is closed.
func (r *run) waitIdle(d time.Duration, cut <-chan struct{}) bool {
	nothing := r.mu.phase.reached[idle]
	select {
	case <-nothing:
		return true
	default:
	}
	over := r.clk.Timer(d)
	defer over.Stop()
	select {
	case <-nothing:
		return true
	case <-over.C:
		return false
	case <-cut:
		return false
	}
}

// resultLocked closes the run and returns what it leaves.
func (r *run) resultLocked() *result.Result {
	r.mu.phase.turn(finish)
	rec, ended := r.mu.rec, r.mu.ended
	end := max(rec.LastEnd, 0)
	if ended.why == nil && !ended.spent {
		end = max(end, r.duration)
	}
	for u := r.mu.inFlight.first; u != nil; u = u.next {
		rec.Abandon(&u.req, end)
	}
	r.logAbandonedLocked()
	res := rec.Result(tb.Round(end))
	res.Scenario, res.Test, res.Repeat, res.Profile = r.Name, r.test, r.repeat, r.Traffic.String()
	res.Seed, res.Scale, res.Start, res.Duration = r.Seed, r.scale, r.began.UTC(), r.duration
	res.Origin = r.Traffic.Origin()
	res.Marks, res.MarksDropped = r.marks(end)
	res.Aborted, res.Order = ended.aborted, qtests.OrderHere().Brief()
	if ended.why != nil {
		res.Halted, res.HaltedAt = text.Printable(ended.why.Error()), tb.Round(ended.at)
	}
	r.mu.judge.Scaled(r.scale, r.real)
	res.Thresholds = []result.Verdict{}
	if r.share.takesAll() {
		res.Thresholds = r.mu.judge.Verdicts(end)
	}
	r.describeLocked(res, end)
	return res
}

// marks are those of the event log that fall into the run, and the events that the run
// ended too early for. dropped is how many marks the log had no room for since the start.
func (r *run) marks(end time.Duration) (out []result.Mark, dropped int) {
	out = []result.Mark{}
	all, dropped := r.EventLog.Marks()
	for _, m := range all {
		if at := m.At.Sub(r.start); at >= 0 && at <= max(end, r.duration)+r.Grace {
			out = append(out, result.Mark{Offset: tb.Round(at), Source: m.Source, Text: m.Text})
		}
	}
	now := tb.Round(r.offset())
	for _, e := range r.Events {
		if e.Offset > now {
			out = append(out, result.Mark{Offset: now, Source: "event", Text: e.Name + ": did not happen: the run had ended"})
		}
	}
	return out, dropped - r.lost
}

// maxLateness is how much later than intended one request in a hundred may start. From there
// on the load is not the one that was asked for.
const maxLateness = 10 * time.Millisecond

// tellLateness says in the result of a run in real time that the machine which generates the
// load was the bottleneck, if it was.
func (r *run) tellLateness(res *result.Result) {
	late := res.Late.Percentile(99)
	if !r.real || late <= maxLateness {
		return
	}
	res.Warning = fmt.Sprintf("the load generator was the bottleneck: 1%% of the requests started %v or more after they were due (limit %v); lower the rate or use a faster machine",
		text.Short(late), maxLateness)
	res.Slow = r.FailWhenSlow
}

// logLocked adds a request that ended to the request log.
//
//go:noinline
func (r *run) logLocked(u *User, e *record.Ending, kind string) {
	state := result.StateOK
	switch {
	case e.Interrupted:
		state = result.StateInterrupted
	case e.Failed:
		state = result.StateError
	}
	r.RequestLog.Put(result.LoggedRequest{
		Scenario: r.Name, Request: u.req.Number, User: u.req.User, Step: u.req.Step.Name, State: state, Tags: u.req.JoinedTags(),
		Intended: u.req.Intended, Started: u.req.Started, Finished: e.At, Attempts: u.Attempt(), Error: kind,
	})
}

// logDropLocked adds a request that will not start, and may not have a step.
//
//go:noinline
func (r *run) logDropLocked(u *User, at time.Duration) {
	if r.RequestLog == nil {
		return
	}
	x := result.LoggedRequest{Scenario: r.Name, User: u.req.User, State: result.StateDropped, Intended: u.req.Intended, Started: at, Finished: at}
	if u.req.Step != nil {
		x.Step = u.req.Step.Name
	}
	r.RequestLog.Put(x)
}

// logAbandonedLocked adds what is still under way when the run gives it up. Tags and attempts are not
// read, because goroutines that still run may change them.
func (r *run) logAbandonedLocked() {
	if r.RequestLog == nil {
		return
	}
	now := r.offset()
	for u := r.mu.inFlight.first; u != nil; u = u.next {
		r.RequestLog.Put(result.LoggedRequest{
			Scenario: r.Name, Request: u.req.Number, User: u.req.User, Step: u.req.Step.Name, State: result.StateAbandoned,
			Intended: u.req.Intended, Started: u.req.Started, Finished: now,
		})
	}
}
