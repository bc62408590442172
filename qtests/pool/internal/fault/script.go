package fault

import (
	"math"
	"slices"
	"time"
)

// A Kind is what a fault does to the calls that it concerns while it lasts.
type Kind uint8

// The kinds. X, Dur and Err are fields of [Fault].
const (
	Outage    Kind = iota // every call fails at once, those under way included
	Freeze                // no call ends
	Slow                  // latencies are multiplied by X
	Errors                // a call fails with Err, with probability X
	Capacity              // at most X connections
	Status                // HTTP: every answer has status X, and a Retry-After of Dur if that is positive
	Bandwidth             // HTTP: X bytes a second
	Reset                 // HTTP: the connection is reset after X bytes of the body
	Stall                 // HTTP: the body stands still after X bytes
	Handshake             // HTTP: no new connection comes up
)

// A Target is what a fault may be limited to: a stub, a route, a connection. A fault
// whose target is nil concerns everything.
type Target any

// Targets are what one call touches. Unused places are nil.
type Targets [3]Target

// A Fault is one entry of a script.
type Fault struct {
	Kind Kind
	On   Target
	X    float64
	Dur  time.Duration
	Err  error
}

// hits reports whether f concerns a call on the given targets.
func (f *Fault) hits(on Targets) bool {
	return f.On == nil || slices.Contains(on[:], f.On)
}

// A Script is the list of the faults that are active, in the order in which they
// began: a plain structure without lock or clock, which never changes. A fault may be
// active more than once. Each begin needs its own end.
type Script struct{ active []*Fault }

// begin returns the script in which f has begun.
func (s *Script) begin(f *Fault) *Script { return &Script{append(slices.Clip(s.active), f)} }

// end returns the script without the latest begin of f, and whether there was one.
func (s *Script) end(f *Fault) (*Script, bool) {
	for i := len(s.active) - 1; i >= 0; i-- {
		if s.active[i] == f {
			return &Script{slices.Concat(s.active[:i], s.active[i+1:])}, true
		}
	}
	return s, false
}

// Empty reports whether no fault is active.
func (s *Script) Empty() bool { return len(s.active) == 0 }

// First returns the earliest active fault of a kind that concerns the targets, or nil.
func (s *Script) First(kind Kind, on Targets) *Fault {
	for _, f := range s.active {
		if f.Kind == kind && f.hits(on) {
			return f
		}
	}
	return nil
}

// slowdown is the product of the factors that apply.
func (s *Script) slowdown(on Targets) float64 {
	factor := 1.0
	for _, f := range s.active {
		if f.Kind == Slow && f.hits(on) {
			factor *= f.X
		}
	}
	return factor
}

// Lowest returns the smallest x of a kind, and limit if there is none below it.
func (s *Script) Lowest(kind Kind, on Targets, limit float64) float64 {
	for _, f := range s.active {
		if f.Kind == kind && f.hits(on) {
			limit = min(limit, f.X)
		}
	}
	return limit
}

// A Chance is an error with its probability.
type Chance struct {
	P   float64 // from 0 to 1
	Err error
}

// chances appends the error rates that apply to those the call has anyway.
func (s *Script) chances(own []Chance, on Targets) []Chance {
	for _, f := range s.active {
		if f.Kind == Errors && f.hits(on) {
			own = append(slices.Clip(own), Chance{f.X, f.Err})
		}
	}
	return own
}

// pick decides which of several independent errors a call meets, or none. The number u
// is uniform in [0, 1). The first error has its own probability. Each further one has
// its own probability times the probability that the call met none before.
func pick(chances []Chance, u float64) error {
	survive := 1.0
	for _, c := range chances {
		if u < 1-survive*(1-c.P) {
			return c.Err
		}
		survive *= 1 - c.P
	}
	return nil
}

// stretch multiplies a duration, saturating.
func stretch(d time.Duration, factor float64) time.Duration {
	if factor == 1 {
		return d
	}
	if x := float64(d) * factor; x < math.MaxInt64 {
		return time.Duration(x)
	}
	return math.MaxInt64
}

// Script returns the present script.
func (e *Engine) Script() *Script { return e.script.Load() }

// Severed returns the error of a call that goes on in the caller's hands, if an outage
// concerns it now.
func (e *Engine) Severed(c Call) error {
	if e.Script().First(Outage, c.On) == nil {
		return nil
	}
	return cutOff(e.name, c.Op)
}

// Frozen reports whether a freeze holds the targets now.
func (e *Engine) Frozen(on Targets) bool { return e.Script().First(Freeze, on) != nil }

// Stretch returns a latency as the present faults stretch it.
func (e *Engine) Stretch(d time.Duration, on Targets) time.Duration {
	return stretch(d, e.Script().slowdown(on))
}
