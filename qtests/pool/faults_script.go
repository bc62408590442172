package pool

import (
	"math"
	"slices"
	"time"
)

// faultKind is what a fault does to the calls in its scope while it lasts.
type faultKind uint8

const (
	faultOutage    faultKind = iota // every call fails at once, those under way included
	faultFreeze                     // no call ends
	faultSlow                       // latencies are multiplied by x
	faultErrors                     // a call fails with probability x
	faultCapacity                   // at most x connections
	faultStatus                     // HTTP: every answer has status x, and Retry-After of dur if that is positive
	faultBandwidth                  // HTTP: x bytes a second
	faultReset                      // HTTP: the connection is reset after x bytes of the body
	faultStall                      // HTTP: the body stands still after x bytes
	faultHandshake                  // HTTP: no new connection comes up
)

// A target is what a fault may be limited to: a stub, a route, a connection. Nil
// as the target of a fault means everything.
type target any

// A fault is one entry of a script. It is a value.
type fault struct {
	kind faultKind
	on   target
	x    float64
	dur  time.Duration
	err  error
}

// A script is the list of the faults that are active, in the order in which they
// began, a plain structure without lock or clock. A fault may be active more than
// once, and each begin needs its own end.
type script struct{ active []*fault }

func (s *script) begin(f *fault) { s.active = append(s.active, f) }

// end removes the latest begin of f and reports whether there was one.
func (s *script) end(f *fault) bool {
	for i := len(s.active) - 1; i >= 0; i-- {
		if s.active[i] == f {
			s.active = slices.Delete(s.active, i, i+1)
			return true
		}
	}
	return false
}

// hits reports whether f concerns a call on the given targets.
func (f *fault) hits(on targets) bool {
	return f.on == nil || slices.Contains(on[:], f.on)
}

// targets are what one call touches; unused places are nil.
type targets [3]target

// first returns the earliest active fault of a kind that concerns the targets.
func (s *script) first(kind faultKind, on targets) *fault {
	for _, f := range s.active {
		if f.kind == kind && f.hits(on) {
			return f
		}
	}
	return nil
}

// slowdown is the product of the factors that apply.
func (s *script) slowdown(on targets) float64 {
	factor := 1.0
	for _, f := range s.active {
		if f.kind == faultSlow && f.hits(on) {
			factor *= f.x
		}
	}
	return factor
}

// lowest returns the smallest x of a kind, and limit if there is none below it.
func (s *script) lowest(kind faultKind, on targets, limit float64) float64 {
	for _, f := range s.active {
		if f.kind == kind && f.hits(on) {
			limit = min(limit, f.x)
		}
	}
	return limit
}

// A chance is an error with its probability.
type chance struct {
	p   float64
	err error
}

// chances appends the error rates that apply to those the call has anyway.
func (s *script) chances(own []chance, on targets) []chance {
	for _, f := range s.active {
		if f.kind == faultErrors && f.hits(on) {
			own = append(slices.Clip(own), chance{f.x, f.err})
		}
	}
	return own
}

// pick decides with one number u, uniform in [0, 1), which of several
// independent errors a call meets, or none. The first has its own probability,
// each further one its own times that of meeting none before.
func pick(chances []chance, u float64) error {
	survive := 1.0
	for _, c := range chances {
		if u < 1-survive*(1-c.p) {
			return c.err
		}
		survive *= 1 - c.p
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
