// Package fault is the machinery of the fakes: a call takes its latency, meets the
// errors and outages of a timeline, and is counted.
//
// A [Call] passes through the [Engine] of its fake. The engine reads the [Script] of
// the faults that are active and the [Behaviour] of the call, draws, and lets the call
// wait on the test's clock. A [Scope] makes the events that begin and end a fault.
//
// The latency and the error of a call are drawn from the stream of the fake by the
// number of the call, so that the draws of one call do not depend on others.
package fault
