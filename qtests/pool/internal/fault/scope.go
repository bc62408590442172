package fault

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Scope is what a fault of one fake concerns: all of the fake, or one target
// within it.
type Scope struct {
	Engine *Engine
	T      tb.TB  // fails when an argument has no meaning
	On     Target // nil: all of the fake
	What   string // the fake and the target, as events name them
	pkg    string // begins the failures of T
}

// NewScope returns the scope of a whole fake, which package pkg makes.
func NewScope(pkg string, t tb.TB, e *Engine) Scope {
	return Scope{Engine: e, T: t, What: e.name, pkg: pkg}
}

// Of returns the scope of one target within s.
func (s Scope) Of(on Target, name string) Scope {
	s.On, s.What = on, s.What+" "+name
	return s
}

// Event returns the event during which f is active in the scope.
func (s Scope) Event(text string, f Fault) event.Event {
	f.On = s.On
	return event.New(s.What+": "+text, func() { s.Engine.begin(&f) }, func() { s.Engine.end(&f) })
}

// Flap returns the event of an outage that is up, then down, and so on.
func (s Scope) Flap(up, down time.Duration) event.Event {
	f := &flap{engine: s.Engine, name: s.What, up: up, down: down, fault: &Fault{Kind: Outage, On: s.On}}
	return event.New(fmt.Sprintf("%s: flapping, %v up, %v down", s.What, up, down), f.begin, f.end)
}

// Brownout returns the event behind the Brownout of each fake.
func (s Scope) Brownout(n int) event.Event {
	s.T.Helper()
	s.Require(n > 0, "Brownout", n, "is not above 0")
	return s.Event(fmt.Sprintf("brownout to %d", n), Fault{Kind: Capacity, X: float64(n)})
}

// Require fails the test unless ok: "<package>: <what>: <name>: <value> <problem>".
func (s Scope) Require(ok bool, name string, value any, problem string) {
	s.T.Helper()
	if !ok {
		s.Fatalf("%s: %v %s", name, value, problem)
	}
}

// Fatalf fails the test.
func (s Scope) Fatalf(format string, args ...any) {
	s.T.Helper()
	tb.Fatalf(s.T, "%s: %s: %s", s.pkg, s.What, fmt.Sprintf(format, args...))
}
