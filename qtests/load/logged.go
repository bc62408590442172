package load

import (
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// logLocked logs a request that ended.
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

// logDropLocked logs a request that will not start, and may not have a
// step.
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

// logAbandonedLocked logs what is still under way when the run gives it
// up. Tags and attempts belong to goroutines that still run.
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
