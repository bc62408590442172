package qtests

import (
	"fmt"
	"sync"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/internal/userline"
)

// An exploration makes the choices of the runs of one body.
type exploration struct {
	spec       explore.Spec // as asked for
	plan       *ordered.Plan
	steps      int  // the most steps of the runs so far
	fixed      bool // steps is what PCT draws over
	choices    []ordered.Choice
	replays    bool             // the choices are made, and no others
	dump       uintptr          // file for the plan of a process that dies, 0 for none
	failure    *explore.Failure // the first one, of failedSeed and choices
	failedSeed uint64
	quiet      bool // the run reports to nobody but the exploration
}

// newExploration returns nil where there is nothing to explore.
func newExploration() *exploration {
	if !ordered.Available() {
		return nil
	}
	return &exploration{spec: settings.Explore.Get(), plan: nil}
}

// warmed is done when the process has had a bubble. In the first one qtests does what it
// does once per process, which starts goroutines and so changes the names of others.
var warmed sync.Once

func warmUp(t *testing.T) {
	warmed.Do(func() { runBubble(t, bubbleConfig{seed: settings.DefaultSeed}, func(*T) {}) })
}

// of is how choices are made under a seed.
func (x *exploration) of(seed uint64) explore.Spec {
	s := x.spec
	if s == (explore.Spec{}) {
		s = explore.For(seed, settings.DefaultSeed)
	}
	if s.Strategy == ordered.PCT && s.Steps == 0 && x.fixed {
		s.Steps = x.steps
	}
	return s
}

// begin prepares the caller's bubble, which is ordered.
func (x *exploration) begin(seed uint64) error {
	spec := x.of(seed)
	if x.plan == nil {
		if spec.Strategy == ordered.FIFO && !x.replays && !spec.Asked {
			return nil
		}
		x.plan = ordered.NewPlan(0)
	}
	if x.replays {
		x.plan.Reset(ordered.Replay, seed, nil)
		x.plan.Replay(x.choices)
	} else {
		x.plan.Reset(spec.Strategy, seed, spec.Changes(seed))
	}
	if x.dump != 0 {
		x.plan.DumpTo(x.dump)
	}
	return ordered.Explore(x.plan)
}

// ran takes note of how long a run was. Where several follow each other, the first says
// over how many steps PCT draws its changes.
func (x *exploration) ran(several bool) {
	if x == nil || x.plan == nil || x.fixed {
		return
	}
	x.steps, x.fixed = x.plan.Steps(), several && x.plan.Steps() > 0
}

// quiet reports whether the run reports to a search alone.
func (q *T) quiet() bool {
	x := q.run.config.explore
	return x != nil && x.quiet
}

// flags are those that repeat a run under a seed.
func (x *exploration) flags(seed uint64) []string {
	if x == nil || x.replays {
		return nil
	}
	s := x.of(seed)
	if s == explore.For(seed, settings.DefaultSeed) {
		return nil
	}
	return []string{"-" + settings.Explore.Flag + "=" + s.String()}
}

// A failing is what a run of the exploration came to.
type failing struct {
	once  sync.Once
	first *explore.Failure
}

// failed takes note of the first failure of a run, at a place of the user.
func (q *T) failed(kind, text string) {
	q.failing.once.Do(func() {
		where := ""
		if stack := q.cleaning.Load(); stack != nil {
			where = userline.Of(*stack)
		}
		if here := userline.Of(userline.Stack()); here != "" {
			where = here
		}
		q.failing.first = &explore.Failure{Kind: kind, Text: firstLine(text), Where: where, Full: text}
	})
}

// failure says how a run failed, or nil.
func (b *bubbleRun) failure(o outcome) *explore.Failure {
	if b.q == nil {
		return nil
	}
	f := b.q.failing.first
	switch {
	case f != nil:
		return f
	case len(o.problems) > 0:
		kind := o.kind
		if kind == "" {
			kind = "failure"
		}
		return &explore.Failure{Kind: kind, Text: firstLine(o.problems[0]), Full: o.problems[0]}
	case o.failed:
		return &explore.Failure{Kind: "race", Text: "the race detector, or the test, says no more"}
	}
	return nil
}

// knownChoices are the files below testdata/qtests of the package, by test.
var knownChoices = sync.OnceValues(func() (map[string][]string, error) { return explore.Known(".") })

// tryKnown runs the body under the choices of the files that belong to the test: under
// -qtests.replay that one alone, otherwise those that the package keeps. It reports
// whether the test is over.
func (x *exploration) tryKnown(t *testing.T, here func() command, body func(*T)) (over bool) {
	t.Helper()
	if name := settings.Replay.Get(); name != "" {
		f, err := explore.ReadFile(name)
		if err != nil {
			t.Fatalf("qtests: -%s: %v", settings.Replay.Flag, err)
		}
		if f.Test != t.Name() {
			return false
		}
		if x == nil {
			t.Fatalf("qtests: -%s: choices are made on the ordered runtime: go tool qtests test", settings.Replay.Flag)
		}
		x.replay(t, name, f, here, body)
		return true
	}
	if x == nil {
		return false
	}
	known, err := knownChoices()
	if err != nil {
		t.Fatalf("qtests: %v", err)
	}
	for _, name := range known[t.Name()] {
		f, err := explore.ReadFile(name)
		if err != nil {
			t.Fatalf("qtests: %v", err)
		}
		x.replay(t, name, f, here, body)
	}
	return false
}

// replay runs the body under the choices of a file, and ends the test when it fails.
func (x *exploration) replay(t *testing.T, name string, f explore.File, here func() command, body func(*T)) {
	t.Helper()
	warmUp(t)
	again := *x
	again.replays, again.choices, again.plan = true, f.Choices, nil
	o := runBubble(t, bubbleConfig{seed: f.Seed, here: here, explore: &again}, body)
	o.report(t)
	if n := again.plan.Applied(); n < len(f.Choices) {
		t.Logf("qtests: %d of the %d choices of %s were made: the test has changed, or was built without points", n, len(f.Choices), name)
	}
	if o.failed || o.abandoned {
		t.Fatalf("qtests: it fails under the choices of %s", name)
	}
}

func firstLine(text string) string {
	for start := 0; start < len(text); {
		end := start
		for end < len(text) && text[end] != '\n' {
			end++
		}
		if end > start {
			return text[start:end]
		}
		start = end + 1
	}
	return fmt.Sprintf("%q", text)
}
