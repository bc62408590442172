// Package inputs is what a run gets beside its seed and its choices, and what a search may make
// smaller: the faults of its plans, the events of its load scenarios, and how much load there is.
// It knows neither bubbles nor goroutines.
package inputs

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// Inputs are those of one run.
type Inputs struct {
	Faults []Fault
	Loads  []Load
}

// A Fault is one event that happens.
type Fault struct {
	Plan string // its plan, or "load " and the scenario
	Name string // of the event
	N    int    // its number among the events of this plan and name, from 1
	// At is when it begins, since the plan did; For how long it lasts, 0 for ever.
	At, For time.Duration
	// Before is the operation of its component, counted from At on, before which it begins; 0
	// for at once.
	Before int
	// Start is when the plan began, since the bubble did. It is for the account alone.
	Start time.Duration
}

// A Load is how much there is of a scenario.
type Load struct {
	Name     string
	N        int     // its number among the scenarios of this name, from 1
	Requests int64   // at most so many; 0 for all
	Scale    float64 // of rates and users; 1 for all
	Made     int64   // how many requests there were; for the cut alone
}

// String says it to people.
func (f Fault) String() string {
	s := fmt.Sprintf("%s, at %v", f.Name, f.Start+f.At)
	if f.Before > 0 {
		s = fmt.Sprintf("%s, before operation %d from %v on", f.Name, f.Before, f.Start+f.At)
	}
	if f.For > 0 {
		s += fmt.Sprintf(", for %v", f.For)
	}
	return s
}

// Whole reports whether nothing of the load is left out.
func (l Load) Whole() bool { return l.Requests == 0 && l.Scale == 1 }

// String says it to people.
func (l Load) String() string {
	s := l.Name
	if l.N > 1 {
		s += fmt.Sprintf(", number %d", l.N)
	}
	if l.Requests > 0 {
		s += ": the first " + text.Plural(int(l.Requests), "request")
	}
	if l.Scale != 1 {
		s += fmt.Sprintf(", at scale %g", l.Scale)
	}
	return s
}

// Empty reports whether the run has no faults and no load that could be cut.
func (in *Inputs) Empty() bool { return in == nil || len(in.Faults)+len(in.Loads) == 0 }

// faultsOf are the faults of a plan.
func (in *Inputs) faultsOf(plan string) (faults []Fault) {
	for _, f := range in.Faults {
		if f.Plan == plan {
			faults = append(faults, f)
		}
	}
	return faults
}

// cutLoad leaves as much of a load as the inputs say, and all of one that they do not name.
func (in *Inputs) cutLoad(l *Load) {
	for _, given := range in.Loads {
		if given.Name == l.Name && given.N == l.N {
			l.Requests, l.Scale = given.Requests, given.Scale
		}
	}
}

// Clone is a copy that shares nothing.
func (in *Inputs) Clone() *Inputs {
	if in == nil {
		return nil
	}
	return &Inputs{Faults: slices.Clone(in.Faults), Loads: slices.Clone(in.Loads)}
}

// Same reports whether two runs get the same.
func (in *Inputs) Same(other *Inputs) bool {
	if in == nil || other == nil {
		return in == other
	}
	return slices.EqualFunc(in.Faults, other.Faults, func(a, b Fault) bool { a.Start, b.Start = 0, 0; return a == b }) &&
		slices.EqualFunc(in.Loads, other.Loads, func(a, b Load) bool { a.Made, b.Made = 0, 0; return a == b })
}
