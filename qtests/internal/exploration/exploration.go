// Package exploration makes the choices of the runs of one test body: under a seed as a
// strategy says, or as a file lists them. It runs what the session of a search asks for, cuts
// down a run that failed, and tells it. Package qtests gives it the function that runs a body.
package exploration

import (
	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/settings"
)

// An Exploration makes the choices of the runs of one body, one after the other. A nil one
// makes none, as on the stock runtime.
type Exploration struct {
	// Quiet runs report to nobody but the exploration.
	Quiet bool

	spec       explore.Spec // as asked for
	plan       *ordered.Plan
	fixed      bool   // steps and measured are set
	steps      int    // of the first run with a plan: PCT draws over so many in the others
	measured   uint64 // the seed of that run
	trial      explore.Trial
	replays    bool // the trial is made, and nothing else
	set        *inputs.Set
	noted      func(*inputs.Inputs) // is told what the present run gets; may be nil
	dump       uintptr              // file for the plan of a process that dies, 0 for none
	failure    *explore.Failure     // the first one, of failedSeed and trial
	failedSeed uint64
}

// An Outcome is how a run ended.
type Outcome struct {
	Failure   *explore.Failure // nil where it passed
	Sometimes map[string]bool  // what the test was told to look out for, and whether it was true
	Abandoned bool             // it stands still, and nobody waits for it any more
	Report    func()           // tells the test
}

// A Run runs the body in a bubble that x has begun, under a seed.
type Run func(x *Exploration, seed uint64) Outcome

// New returns nil where there is nothing to explore.
func New() *Exploration {
	if !ordered.Available() {
		return nil
	}
	return &Exploration{spec: settings.Explore.Get()}
}

// Explores reports whether runs under a seed get another order than first come, first served.
func (x *Exploration) Explores(seed uint64) bool {
	return x != nil && x.of(seed).Strategy != ordered.FIFO
}

// of is how choices are made under a seed.
func (x *Exploration) of(seed uint64) explore.Spec {
	s := x.spec
	if s == (explore.Spec{}) {
		s = explore.For(seed, settings.DefaultSeed)
	}
	if s.Strategy == ordered.PCT && s.Steps == 0 && x.fixed && seed != x.measured {
		s.Steps = x.steps
	}
	return s
}

// Begin prepares the caller's bubble, which is ordered.
func (x *Exploration) Begin(seed uint64) error {
	spec, given := x.of(seed), (*inputs.Inputs)(nil)
	if x.replays {
		spec, given = x.trial.As, x.trial.Inputs
	}
	x.set = inputs.NewSet(given, x.noted)
	if x.plan == nil {
		if spec.Strategy == ordered.FIFO && !x.replays && !spec.Asked {
			return nil
		}
		x.plan = ordered.NewPlan(0)
	}
	x.reset(spec, seed)
	if x.dump != 0 {
		x.plan.DumpTo(x.dump)
	}
	return ordered.Explore(x.plan)
}

// reset prepares the plan for another run: under the choices of the trial, or under a spec.
func (x *Exploration) reset(spec explore.Spec, seed uint64) {
	if x.replays && !spec.Asked {
		x.plan.Reset(ordered.Replay, seed, nil)
		x.plan.Replay(x.trial.Choices)
	} else {
		x.plan.Reset(spec.Strategy, seed, spec.Changes(seed))
	}
}

// Inputs are those of the run that has begun, or nil.
func (x *Exploration) Inputs() *inputs.Set {
	if x == nil {
		return nil
	}
	return x.set
}

// Ran takes note of how long the run under a seed was. Where several follow each other, the
// first one with a plan says over how many steps PCT draws its changes in the others.
func (x *Exploration) Ran(seed uint64, several bool) {
	if x == nil || x.plan == nil || x.fixed || !several || x.plan.Steps() == 0 {
		return
	}
	x.steps, x.measured, x.fixed = x.plan.Steps(), seed, true
}

// Flags are those that repeat a run under a seed.
func (x *Exploration) Flags(seed uint64) []string {
	if x == nil || x.replays {
		return nil
	}
	s := x.of(seed)
	if s == explore.For(seed, settings.DefaultSeed) {
		return nil
	}
	return []string{"-" + settings.Explore.Flag + "=" + s.String()}
}

// Check has f called at every point of the caller's bubble, on the goroutine that is there.
// Under -race it does not: f reads without locks what others write.
func (x *Exploration) Check(f func()) {
	if x != nil && x.plan != nil && !ordered.Race {
		ordered.Check(f)
	}
}

// Still calls f, which belongs to no run: its points are none.
func (x *Exploration) Still(f func()) {
	if x == nil || x.plan == nil {
		f()
		return
	}
	x.plan.Still(f)
}
