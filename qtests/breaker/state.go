package breaker

import (
	"fmt"
	"time"
)

// A State is one of the three states of a breaker. The zero value is Closed.
type State uint8

// The states.
const (
	Closed   State = iota // calls pass and are counted
	Open                  // calls are rejected
	HalfOpen              // a few calls, the probes, pass; the others are rejected
)

// states lists every state in the order in which metrics show them.
var states = [...]State{Closed, Open, HalfOpen}

// String returns "closed", "open" or "half-open".
func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case Open:
		return "open"
	case HalfOpen:
		return "half-open"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// At returns the expectation of a transition to s at an offset from the instant
// the breaker was made, for [Breaker.RequireTransitions].
func (s State) At(offset time.Duration) Expectation {
	return timedState{state: s, offset: offset, byOffset: true}
}

// AtTime returns the expectation of a transition to s at an absolute instant.
func (s State) AtTime(at time.Time) Expectation { return timedState{state: s, at: at} }

// A Mode says who decides about the state.
type Mode uint8

// The modes. A new breaker is Automatic.
const (
	Automatic    Mode = iota // the conditions of the Config
	ForcedOpen               // nobody: open until released
	ForcedClosed             // nobody: closed until released; calls are counted
	Observing                // the conditions, but no call is rejected
)

// String returns "automatic", "forced-open", "forced-closed" or "observing".
func (m Mode) String() string {
	switch m {
	case Automatic:
		return "automatic"
	case ForcedOpen:
		return "forced-open"
	case ForcedClosed:
		return "forced-closed"
	case Observing:
		return "observing"
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// A Cause says which rule made a transition; Detail of the [Transition] adds
// the numbers.
type Cause string

// The causes.
const (
	CauseConsecutiveFailures Cause = "consecutive failures" // Config.FailureThreshold
	CauseFailureRate         Cause = "failure rate"         // Config.FailureRate
	CauseSlowCallRate        Cause = "slow-call rate"       // Config.SlowCallRate
	CauseResetTimeout        Cause = "reset timeout"        // Config.ResetTimeout, or the back-off, has passed
	CauseProbesSucceeded     Cause = "probes succeeded"     // Config.SuccessThreshold or ProbeFailureRate
	CauseProbesFailed        Cause = "probes failed"        // the first failed probe, or ProbeFailureRate
	CauseProbeTimeout        Cause = "probe timeout"        // Config.ProbeTimeout
	CauseTrip                Cause = "trip"                 // Breaker.Trip
	CauseReset               Cause = "reset"                // Breaker.Reset
	CauseForced              Cause = "forced"               // Breaker.ForceOpen or ForceClosed
	CauseScript              Cause = "script"               // OpenAt in Breaker.Script
	CauseRecorded            Cause = "recorded"             // Recorder.Record
)

// A Transition is one entry of the transition log: a change of state.
type Transition struct {
	From, To State
	// At is the nominal instant of the change: openedAt + ResetTimeout for a
	// breaker that becomes half-open, however late somebody looked.
	At    time.Time
	Cause Cause
	// Detail is the cause in numbers, such as "5 consecutive failures".
	Detail string
	// Counts are those of the state that was left, up to the change.
	Counts Counts
	// Observed says that the breaker was observing: calls went on passing.
	Observed bool
}

// String returns "closed → open: 5 consecutive failures".
func (t Transition) String() string {
	s := fmt.Sprintf("%v → %v: %s", t.From, t.To, t.Detail)
	if t.Observed {
		s += " (observed)"
	}
	return s
}
