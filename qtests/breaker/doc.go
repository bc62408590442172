// Package breaker is a circuit breaker that a test can force, script and read
// back, and that serves in production as it is.
//
// A [Breaker] decides whether a call may be made, from the results of earlier
// calls. It needs no test: [New] makes one from a [Config]. [NewT] makes one that
// takes its clock, its seed and its event log from a test. Package registry keeps
// breakers by name, and package metrics shows them to Prometheus. This package links neither
// package testing nor net/http.
//
//	br := breaker.NewT(q, breaker.Config{Name: "payments", FailureThreshold: 5})
//	err := br.Do(ctx, charge)             // or Call, CallJudged, or Allow and Permit.Done
//	if errors.Is(err, breaker.ErrOpen) {  // not admitted: fall back
//	}
//	br.RequireTransitions(q, breaker.Open.At(20*time.Minute), breaker.HalfOpen, breaker.Closed)
//
// # Terms
//
// A call is admitted or rejected. An admitted call is in flight until it
// finishes, and its result is then one of these:
//
//   - success or failure, as [Config].IsFailure says. A panic and a
//     runtime.Goexit are failures.
//   - ignored: it counts as nothing. Cancellation by the caller, unless
//     [Config].CountCanceled, and what [Config].Ignore chooses.
//   - stale: the breaker has begun another generation since it admitted the
//     call, so the result says nothing about the present one. It is counted as
//     stale and as nothing else.
//
// A generation begins with every change of state, every change of mode and
// every [Breaker.Reset]. Its [Counts] begin at zero.
//
// A result counts at the instant at which its call ends, so that a call longer
// than the rolling window still counts.
//
// # Closed to open
//
// After every success and every failure the conditions are evaluated in this
// order, and the first that holds opens the breaker: consecutive failures, the
// failure rate over the last WindowCalls results, the failure rate over the last
// Window, the rates of slow calls over the same two, the number of failures in the
// same two, and the user's own condition, [Config].TripWhen. A rate is compared with
// >= and needs MinCalls results in its window. The [Transition] says which one it
// was, with the numbers.
//
// # Open to half-open
//
// Exactly ResetTimeout after it opened, the breaker is half-open. A reopening
// waits ResetTimeout*BackoffFactor^k, where k counts the reopenings since the last
// close. [Config].OpenFor can ask for another time, as a Retry-After does. Jitter
// spreads each of these waits, the first one included, so that the replicas of a
// program do not probe in step. No wait is longer than MaxResetTimeout.
//
// No goroutine and no timer does this: the first call, and the first look with
// [Breaker.State] or [Breaker.Stats], finds it done. The log has the exact
// instant, and not the one of the look. A hook that must come at that instant,
// also without traffic, needs [Config].Punctual.
//
// # Half-open to closed or open
//
// A half-open breaker admits Probes calls. SuccessThreshold consecutive
// successes close it and the first failure opens it again; with
// ProbeFailureRate it decides when all Probes have reported. An ignored probe
// gives its permit back. When one probe has been in flight for ProbeTimeout
// the breaker opens again, and the results of its probes will be stale.
//
// # Control
//
// [Breaker.Trip] and [Breaker.Reset] change the state as a condition would, and
// the breaker goes on from there. [Breaker.SetMode] changes who decides: the
// conditions, nothing at all, or the conditions while every call passes.
// [Breaker.Script] prepares what a test wants to happen: an opening at an
// instant, the next rejections, the next failures.
//
// # Reading back
//
// [Breaker.Stats] and [Breaker.Transitions] are consistent readings, brought up to
// this moment. The Require methods fail a test with the transition log as a table.
// Package breaker/metrics shows it to Prometheus. [Breaker.Record] gives all of that to a
// breaker of another library.
//
// # Hooks
//
// OnTransition is called outside every lock, once for each transition, in their
// order, and by one goroutine at a time: the one whose call found no other
// delivering. Breakers with the same [Hooks] call it one at a time, too. It may
// call the breaker; a transition that it causes is delivered
// after it returns. It may panic or exit its goroutine: the caller that was
// delivering panics or exits, after the remaining deliveries have been made, and
// no permit is lost. While it blocks, deliveries queue up to Config.LogSize for
// each breaker, and what exceeds that is counted in Stats.HooksDropped.
//
// # Clocks
//
// A breaker reads the time that has passed since it was made, which on the real
// clock is the monotonic one. On a clock that is set by hand, time that goes back
// is no time: the breaker waits until the clock has come to where it was. A call
// during which the clock went back is not slow.
//
// # Cost
//
// A call through a closed breaker takes no lock and reads no clock as long as
// nothing but consecutive failures is configured and the latest result was a
// success. With SlowCall it reads the clock twice, and with a window or TripWhen it
// takes the lock once. Neither a passed nor a rejected call allocates.
package breaker
