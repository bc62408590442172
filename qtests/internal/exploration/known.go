package exploration

import (
	"sync"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/settings"
)

// knownChoices are the files below testdata/qtests of the package, by test.
var knownChoices = sync.OnceValues(func() (map[string][]string, error) { return explore.Known(".") })

// MayKnow reports whether TryKnown may have something to do for the test called name.
func (x *Exploration) MayKnow(name string) bool {
	if settings.Replay.Get() != "" {
		return true
	}
	if x == nil {
		return false
	}
	known, err := knownChoices()
	return err != nil || len(known[name]) > 0
}

// TryKnown runs the body under the choices of the files that belong to the test: under
// -qtests.replay that one alone, otherwise those that the package keeps. It reports
// whether the test is over.
func (x *Exploration) TryKnown(t *testing.T, run Run) (over bool) {
	t.Helper()
	if name := settings.Replay.Get(); name != "" {
		return x.replayAsked(t, name, run)
	}
	if x != nil {
		x.replayKept(t, run)
	}
	return false
}

// replayAsked runs the body under the choices of a file, if they are of this test.
func (x *Exploration) replayAsked(t *testing.T, name string, run Run) (mine bool) {
	t.Helper()
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
	x.replay(t, name, f, run)
	return true
}

// replayKept runs the body under the choices of every file of this test that the package keeps.
func (x *Exploration) replayKept(t *testing.T, run Run) {
	t.Helper()
	known, err := knownChoices()
	if err != nil {
		t.Fatalf("qtests: %v", err)
	}
	for _, name := range known[t.Name()] {
		f, err := explore.ReadFile(name)
		if err != nil {
			t.Fatalf("qtests: %v", err)
		}
		x.replay(t, name, f, run)
	}
}

// replay runs the body under the choices of a file, and ends the test when it fails.
func (x *Exploration) replay(t *testing.T, name string, f explore.File, run Run) {
	t.Helper()
	again := *x
	again.replays, again.trial, again.plan = true, f.Trial, nil
	o := run(&again, f.Seed)
	o.Report()
	if n := again.plan.Applied(); n < len(f.Choices) {
		t.Logf("qtests: %d of the %d choices of %s were made: the test has changed, or was built without points", n, len(f.Choices), name)
	}
	if o.Failure != nil || o.Abandoned {
		t.Fatalf("qtests: it fails under the choices of %s", name)
	}
}
