package fake

import (
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// Faults makes the faults of a fake, as events for a timeline: of the whole fake when
// it is embedded in a fake, and of one query, route or connection when it is embedded
// in a stub.
//
//	db.Outage().At(20 * time.Minute).For(90 * time.Second)
//
// What runs the timeline (load.Scenario, event.Schedule) writes to the event log when
// a fault begins and when it ends. Faults may overlap, and one event may be placed
// several times: each end undoes one begin. Outages end when the last one ends,
// factors multiply, error rates are independent of each other, and of several
// capacities the lowest counts.
//
// An argument without meaning fails the test at once. All methods are safe for
// concurrent use.
type Faults struct{ scope fault.Scope }

// FaultsOf returns the faults of a scope. Only the fakes of this module can call it.
func FaultsOf(scope fault.Scope) Faults { return Faults{scope} }

// Outage makes every call fail at once with [ErrOutage], those under way when it
// begins included, in the order in which they began.
func (f *Faults) Outage() event.Event {
	return f.scope.Event("outage", fault.Fault{Kind: fault.Outage})
}

// Slow multiplies the latency of every call that begins meanwhile by factor,
// finite and above 0. A fake without latency stays without.
func (f *Faults) Slow(factor float64) event.Event {
	f.scope.T.Helper()
	f.scope.Require(factor > 0 && !math.IsInf(factor, 1), "Slow", factor, "is not a finite number above 0")
	return f.scope.Event(fmt.Sprintf("%v times slower", factor), fault.Fault{Kind: fault.Slow, X: factor})
}

// ErrorRate makes each call that begins meanwhile fail with [ErrInjected], with
// probability p from 0 to 1, when its latency is over.
func (f *Faults) ErrorRate(p float64) event.Event {
	f.scope.T.Helper()
	return f.ErrorRateOf(p, ErrInjected)
}

// ErrorRateOf is ErrorRate with an error of the caller's, for example
// driver.ErrBadConn.
func (f *Faults) ErrorRateOf(p float64, err error) event.Event {
	f.scope.T.Helper()
	f.scope.Require(p >= 0 && p <= 1, "ErrorRate", p, "is not between 0 and 1")
	f.scope.Require(err != nil, "ErrorRateOf", err, "is no error")
	return f.scope.Event(fmt.Sprintf("error rate %v", p), fault.Fault{Kind: fault.Errors, X: p, Err: err})
}

// Freeze holds every call, those under way included, until the freeze or the call's
// context ends. When the freeze ends, the calls whose latency is over go on at once, the
// longest held first.
func (f *Faults) Freeze() event.Event {
	return f.scope.Event("freeze", fault.Fault{Kind: fault.Freeze})
}

// Flap is an outage that comes and goes: the fake is up for a while, then down for a
// while, and so on. Both durations must be above 0. Every change after the begin is in
// the event log.
func (f *Faults) Flap(up, down time.Duration) event.Event {
	f.scope.T.Helper()
	f.scope.Require(up > 0, "Flap: up", up, "is not above 0")
	f.scope.Require(down > 0, "Flap: down", down, "is not above 0")
	return f.scope.Flap(up, down)
}
