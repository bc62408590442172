// Package cause names the rules by which a circuit breaker changes its state. Each
// transition in the log of a breaker has one, and its Detail adds the numbers.
package cause

// A Cause is the rule that made a transition, in words: "consecutive failures".
type Cause string

// The causes, each with the field or method that sets it off.
const (
	ConsecutiveFailures Cause = "consecutive failures" // Config.FailureThreshold
	FailureRate         Cause = "failure rate"         // Config.FailureRate
	SlowCallRate        Cause = "slow-call rate"       // Config.SlowCallRate
	WindowFailures      Cause = "failures in a window" // Config.WindowFailures
	TripWhen            Cause = "trip predicate"       // Config.TripWhen
	ResetTimeout        Cause = "reset timeout"        // the open state has lasted its time
	ProbesSucceeded     Cause = "probes succeeded"     // Config.SuccessThreshold or ProbeFailureRate
	ProbesFailed        Cause = "probes failed"        // the first failed probe, or Config.ProbeFailureRate
	ProbeTimeout        Cause = "probe timeout"        // Config.ProbeTimeout
	Trip                Cause = "trip"                 // Breaker.Trip
	Reset               Cause = "reset"                // Breaker.Reset
	Forced              Cause = "forced"               // Breaker.SetMode
	Script              Cause = "script"               // OpenAt in Breaker.Script
	Recorded            Cause = "recorded"             // Breaker.Record
)
