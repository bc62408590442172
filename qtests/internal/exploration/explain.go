package exploration

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/story"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

const (
	mostExplaining = 10 * time.Second // real time that a failure is cut down in
	mostSteps      = 1 << 14          // of the run that is told
)

// Remember keeps the choices of the run that has just failed, if it is the first.
func (x *Exploration) Remember(seed uint64, f *explore.Failure) {
	if x == nil || x.plan == nil || f == nil || x.failure != nil {
		return
	}
	choices, whole := x.plan.Choices()
	x.failure, x.failedSeed, x.trial = f, seed, explore.Trial{Choices: choices, Inputs: x.set.Taken()}
	if !whole {
		x.trial.Choices, x.trial.As = nil, x.of(seed)
		x.trial.As.Asked = true
	}
}

// Explain cuts down the run that was remembered, writes its choices and its account under the
// artifacts of the test, and logs the account. Nothing of the runs that this takes is reported.
func (x *Exploration) Explain(t *testing.T, run Run) {
	t.Helper()
	if x == nil || x.failure == nil {
		return
	}
	r := newRepeater(x, run)
	if !r.fails(x.trial) {
		return // what differs was done once per process
	}
	trial := explore.Shrink(x.trial, r.first)
	r.plan = ordered.NewPlan(mostSteps)
	if r.fails(trial) {
		steps, _ := r.plan.Log()
		x.tell(t, trial, story.Tell(t.Name(), x.failure, steps, trial.Inputs, story.Sources()))
	}
}

// A repeater makes the run that failed again, under other choices, and tells nobody.
type repeater struct {
	*Exploration
	failed *Exploration
	run    Run
	end    time.Time // when it begins no more runs
}

func newRepeater(failed *Exploration, run Run) *repeater {
	again := &Exploration{replays: true, Quiet: true, plan: ordered.NewPlan(0)}
	return &repeater{again, failed, run, time.Now().Add(mostExplaining)}
}

// fails reports whether the run fails under a trial as it did first.
func (r *repeater) fails(trial explore.Trial) bool {
	r.trial = trial
	o := r.run(r.Exploration, r.failed.failedSeed)
	return !o.Abandoned && o.Failure.Is() == r.failed.failure.Is()
}

// first is what Shrink asks: the index of the first trial that fails, -1 for none, -2 when time is up.
func (r *repeater) first(all []explore.Trial) int {
	for i, trial := range all {
		if time.Now().After(r.end) {
			return -2
		}
		if r.fails(trial) {
			return i
		}
	}
	return -1
}

// tell logs the account of the run that was cut down to a trial, and where its files are.
func (x *Exploration) tell(t *testing.T, trial explore.Trial, told *story.Story) {
	t.Helper()
	t.Logf("qtests: %s other than first come, first served, and this comes of it:\n%s", text.Plural(len(trial.Choices), "choice"), told)
	name, err := keepChoices(t, explore.File{Test: t.Name(), Seed: x.failedSeed, Trial: trial, Notes: []string{x.failure.Is()}}, told)
	if err != nil {
		t.Logf("qtests: the choices were not written: %v", err)
		return
	}
	t.Logf("qtests: with -artifacts these files stay; in testdata/qtests of the package the choices are tried first in every run: %s", name)
}

// keepChoices writes a run that failed, and its account, under the artifacts of the test, and
// returns the name of the file of choices.
func keepChoices(t *testing.T, f explore.File, told *story.Story) (string, error) {
	base := filepath.Join(t.ArtifactDir(), explore.FileName(t.Name()))
	err := writeTo(base+".choices", func(w *os.File) error { _, err := f.WriteTo(w); return err })
	if err == nil {
		err = writeTo(base+".html", func(w *os.File) error { return told.WriteHTML(w) })
	}
	return base + ".choices", err
}

func writeTo(name string, write func(w *os.File) error) error {
	w, err := os.Create(name)
	if err != nil {
		return err
	}
	err = write(w)
	if err2 := w.Close(); err == nil {
		err = err2
	}
	return err
}
