package exploration

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// searching runs the body as the session of a search asks for, and tells of each run. The
// test passes: the process that searches says what failed.
type searching struct {
	*explore.Session
	t       *testing.T
	runBody Run
	x       *Exploration
	dump    *os.File
}

// RunSession does for one test what the session of this process asks for.
func RunSession(t *testing.T, s *explore.Session, run Run) {
	t.Helper()
	if !ordered.Available() {
		t.Fatal("qtests: a search needs the ordered runtime: go tool qtests find")
	}
	if s.Resolve != "" {
		resolve(t, s)
		return
	}
	spec := s.Explore.Over(s.Steps[t.Name()])
	r := &searching{Session: s, t: t, runBody: run, x: &Exploration{spec: spec, plan: ordered.NewPlan(s.Log), Quiet: true}}
	if s.Dump != "" {
		f, err := os.Create(s.Dump)
		if err != nil {
			t.Fatalf("qtests: %v", err)
		}
		defer f.Close() //nolint:errcheck // the runtime writes into it
		r.dump = f
	}
	if len(s.Trials) > 0 {
		r.trials()
	} else {
		r.seeds()
	}
}

// seeds runs one seed after the other, until one fails, unless all are asked for.
func (r *searching) seeds() {
	seed, ok := r.Next[r.t.Name()]
	if !ok {
		seed = r.From
	}
	for ; seed < r.To && !r.over(); seed += r.Stride {
		if f := r.run(seed, 0); f != nil && !r.All {
			return
		}
	}
}

// over reports whether it is too late to begin another run.
func (r *searching) over() bool { return r.Until != 0 && time.Now().UnixMilli() >= r.Until }

// trials makes one after the other, until one fails as it should.
func (r *searching) trials() {
	for i, trial := range r.Trials {
		r.x.replays, r.x.trial = true, trial
		if f := r.run(r.From, i); f != nil && (r.Want == "" || f.Is() == r.Want) {
			break
		}
	}
	if r.Story != "" {
		tellSteps(r.t, r.Story, r.x.plan)
	}
}

// run runs the body once and tells of it.
func (r *searching) run(seed uint64, trial int) *explore.Failure {
	result := explore.Result{Test: r.t.Name(), Seed: seed, Trial: trial}
	r.Tell(result)
	if r.dump != nil {
		r.x.dump = r.dump.Fd()
	}
	r.x.noted = func(in *inputs.Inputs) {
		began := result
		began.Inputs = in
		r.Tell(began)
	}
	o := r.runBody(r.x, seed)
	p := r.x.plan
	result.Over, result.Steps, result.Goroutines, result.Failure = true, p.Steps(), p.Goroutines(), o.Failure
	result.Points, result.Sometimes = p.Points(), o.Sometimes
	if o.Failure != nil {
		result.Choices, result.Whole = p.Choices()
		result.Inputs = r.x.set.Taken()
	}
	r.Tell(result)
	if o.Abandoned {
		os.Exit(0) // the bubble cannot be ended, and would run beside the next one
	}
	return o.Failure
}

// resolve tells the steps of a process that has died.
func resolve(t *testing.T, s *explore.Session) {
	t.Helper()
	f, err := os.Open(s.Resolve)
	if err != nil {
		t.Fatalf("qtests: %v", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	p, err := ordered.ReadDump(f)
	if err != nil {
		t.Fatalf("qtests: %v", err)
	}
	choices, whole := p.Choices()
	s.Tell(explore.Result{Test: t.Name(), Over: true, Steps: p.Steps(), Goroutines: p.Goroutines(), Choices: choices, Whole: whole})
	tellSteps(t, s.Story, p)
}

func tellSteps(t *testing.T, name string, p *ordered.Plan) {
	t.Helper()
	if name == "" {
		return
	}
	steps, whole := p.Log()
	data, err := json.Marshal(explore.Steps{Steps: steps, Whole: whole})
	if err == nil {
		err = os.WriteFile(name, data, 0o644)
	}
	if err != nil {
		t.Fatalf("qtests: %v", err)
	}
}
