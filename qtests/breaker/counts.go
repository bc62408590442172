package breaker

import "time"

// A Window is what one rolling window holds.
type Window struct {
	Calls    int // results in the window, ignored ones excepted
	Failures int
	Slow     int // longer than Config.SlowCall, whether success or failure
}

// Counts is what a breaker has counted since it entered its state. Every
// transition, and every change of mode, starts it at zero.
type Counts struct {
	Successes uint64
	Failures  uint64
	Ignored   uint64
	// Slow is how many of the successes and failures took longer than SlowCall.
	Slow uint64
	// ConsecutiveSuccesses and ConsecutiveFailures end with the latest result;
	// one of them is zero. Ignored results do not interrupt them.
	ConsecutiveSuccesses uint64
	ConsecutiveFailures  uint64
	// ByCalls is the window over the last Config.WindowCalls results and ByTime
	// the one over Config.Window. Both are zero when not configured, and in
	// every state but Closed.
	ByCalls Window
	ByTime  Window
}

// Stats is one consistent reading of a breaker. At any moment the calls ever
// admitted are Successes + Failures + Ignored + Stale + InFlight.
type Stats struct {
	Name  string
	State State
	Mode  Mode
	// Since is the instant at which the state was entered.
	Since time.Time
	// RetryAfter is how long an open breaker goes on rejecting. It is zero while calls
	// may pass, and the longest time.Duration there is while the breaker is forced open.
	RetryAfter time.Duration
	// Counts is what was counted since the state was entered, with the windows as they
	// are at this moment.
	Counts Counts

	// Totals since the breaker was made.
	Successes uint64
	Failures  uint64
	Ignored   uint64
	Rejected  uint64 // calls that were not admitted
	Stale     uint64 // results that came in a later generation than their call
	// WouldReject is how many calls passed only because the mode is Observing. Their
	// results are in Successes, Failures and Ignored.
	WouldReject uint64
	// InFlight is how many calls were admitted and have not finished.
	InFlight int
	// Scripted is how many openings, rejections and failures of the script have not
	// happened.
	Scripted int
	// Transitions counts the changes to each state, indexed by State.
	Transitions [3]uint64
	// TransitionsDropped is how many entries the bounded log has lost, and
	// HooksDropped how many transitions OnTransition was not called for, because it
	// blocked too long.
	TransitionsDropped uint64
	HooksDropped       uint64
}

// totals is the part of Stats that only ever grows.
type totals struct {
	successes, failures, ignored, rejected, stale, wouldReject uint64
	transitions                                                [3]uint64
}
