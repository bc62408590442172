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

// Explain cuts down the run that was remembered, writes them under the
// artifacts of the test, and logs the account of the run. Nothing of the runs that this
// takes is reported.
func (x *Exploration) Explain(t *testing.T, run Run) {
	t.Helper()
	if x == nil || x.failure == nil {
		return
	}
	end := time.Now().Add(mostExplaining)
	again := &Exploration{replays: true, Quiet: true, plan: ordered.NewPlan(0)}
	fails := func(trial explore.Trial) bool {
		again.trial = trial
		o := run(again, x.failedSeed)
		return !o.Abandoned && o.Failure.Is() == x.failure.Is()
	}
	if !fails(x.trial) {
		return // what differs was done once per process
	}
	trial := explore.Shrink(x.trial, func(all []explore.Trial) int {
		for i, l := range all {
			if time.Now().After(end) {
				return -2
			}
			if fails(l) {
				return i
			}
		}
		return -1
	})
	again.plan = ordered.NewPlan(mostSteps)
	if !fails(trial) {
		return
	}
	steps, _ := again.plan.Log()
	told := story.Tell(t.Name(), x.failure, steps, trial.Inputs, story.Sources())
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
