package load

import (
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// logEnd adds a request that ended to the request log.
//
//go:noinline
func (s *state) logEnd(u *User, e *record.Ending, kind string) {
	state := result.StateOK
	switch {
	case e.Interrupted:
		state = result.StateInterrupted
	case e.Failed:
		state = result.StateError
	}
	s.scenario.RequestLog.Put(result.LoggedRequest{
		Scenario: s.scenario.Name, Request: u.req.Number, User: u.req.User, Step: u.req.Step.Name, State: state, Tags: u.req.JoinedTags(),
		Intended: u.req.Intended, Started: u.req.Started, Finished: e.At, Attempts: u.Attempt(), Error: kind,
	})
}

// logDrop adds a request that will not start, and may not have a step.
//
//go:noinline
func (s *state) logDrop(u *User, at time.Duration) {
	if s.scenario.RequestLog == nil {
		return
	}
	x := result.LoggedRequest{Scenario: s.scenario.Name, User: u.req.User, State: result.StateDropped, Intended: u.req.Intended, Started: at, Finished: at}
	if u.req.Step != nil {
		x.Step = u.req.Step.Name
	}
	s.scenario.RequestLog.Put(x)
}

// logAbandoned adds what is still under way when the run gives it up. Tags and attempts are not read, because a
// goroutine that still runs may change them.
func (s *state) logAbandoned(u *User, now time.Duration) {
	if s.scenario.RequestLog == nil {
		return
	}
	s.scenario.RequestLog.Put(result.LoggedRequest{
		Scenario: s.scenario.Name, Request: u.req.Number, User: u.req.User, Step: u.req.Step.Name, State: result.StateAbandoned,
		Intended: u.req.Intended, Started: u.req.Started, Finished: now,
	})
}
