package pool

import (
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// Faults makes the faults of a fake, as events for a timeline: of the whole fake
// when it is embedded in [SQL], [HTTP] or [Fake], and of one query, route or
// connection when it is embedded in a stub.
//
//	db.Outage().At(20 * time.Minute).For(90 * time.Second)
//
// Whoever runs the timeline (load.Scenario, qtests.Schedule) writes to the event
// log when a fault begins and when it ends. Faults may overlap, and one event may
// be placed several times: each end undoes one begin. Outages end when the last
// of them does, factors multiply, error rates are independent of each other, and
// of several capacities the lowest counts.
//
// A parameter without meaning fails the test at once. All methods are safe for
// concurrent use.
type Faults struct {
	engine *faultEngine
	t      qtests.TB
	on     target
	what   string // the fake and the target, as events name them
}

// Outage makes every call fail at once with [ErrOutage], those under way when it
// begins included, in the order in which they began.
func (f *Faults) Outage() qtests.Event { return f.event("outage", fault{kind: faultOutage}) }

// Slow multiplies the latency of every call that begins meanwhile by factor,
// finite and above 0. A fake without latency stays without.
func (f *Faults) Slow(factor float64) qtests.Event {
	f.t.Helper()
	f.require(factor > 0 && !math.IsInf(factor, 1), "Slow", factor, "is not a finite number above 0")
	return f.event(fmt.Sprintf("%v times slower", factor), fault{kind: faultSlow, x: factor})
}

// ErrorRate makes each call that begins meanwhile fail with [ErrInjected], with
// probability p from 0 to 1, when its latency is over.
func (f *Faults) ErrorRate(p float64) qtests.Event {
	f.t.Helper()
	return f.ErrorRateOf(p, ErrInjected)
}

// ErrorRateOf is ErrorRate with an error of the caller's, for example
// driver.ErrBadConn or [ErrDeadlock].
func (f *Faults) ErrorRateOf(p float64, err error) qtests.Event {
	f.t.Helper()
	f.require(p >= 0 && p <= 1, "ErrorRate", p, "is not between 0 and 1")
	f.require(err != nil, "ErrorRateOf", err, "is no error")
	return f.event(fmt.Sprintf("error rate %v", p), fault{kind: faultErrors, x: p, err: err})
}

// Freeze keeps every call from ending, those under way included, until it ends
// itself or the call's context does. A call whose latency is over when the
// freeze ends goes on at once, the longest held first.
func (f *Faults) Freeze() qtests.Event { return f.event("freeze", fault{kind: faultFreeze}) }

// Flap is an outage that comes and goes: up for a while, then down for a while,
// and so on, beginning up. Both must be above 0. Every change after the begin is
// in the event log.
func (f *Faults) Flap(up, down time.Duration) qtests.Event {
	f.t.Helper()
	f.require(up > 0, "Flap: up", up, "is not above 0")
	f.require(down > 0, "Flap: down", down, "is not above 0")
	fl := &flap{engine: f.engine, name: f.what, up: up, down: down, fault: &fault{kind: faultOutage, on: f.on}}
	return qtests.NewEvent(fmt.Sprintf("%s: flapping, %v up, %v down", f.what, up, down), fl.begin, fl.end)
}

// of returns the faults of one target within those of f.
func (f *Faults) of(on target, name string) Faults {
	return Faults{engine: f.engine, t: f.t, on: on, what: f.what + " " + name}
}

func (f *Faults) event(text string, ft fault) qtests.Event {
	ft.on = f.on
	return qtests.NewEvent(f.what+": "+text, func() { f.engine.begin(&ft) }, func() { f.engine.end(&ft) })
}

func (f *Faults) require(ok bool, name string, value any, problem string) {
	f.t.Helper()
	if !ok {
		qtests.Fatalf(f.t, "pool: %s: %s: %v %s", f.what, name, value, problem)
	}
}

// capacity is the event behind the Brownout of each fake.
func (f *Faults) capacity(n int) qtests.Event {
	f.t.Helper()
	f.require(n > 0, "Brownout", n, "is not above 0")
	return f.event(fmt.Sprintf("brownout to %d", n), fault{kind: faultCapacity, x: float64(n)})
}
