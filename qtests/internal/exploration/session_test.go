package exploration

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// results is where the only session of this process tells its results.
var results string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "qtests")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // of the system's own
	results = filepath.Join(dir, "results")
	text, err := json.Marshal(explore.Session{Results: results})
	name := filepath.Join(dir, "session")
	if err = errors.Join(err, os.WriteFile(name, text, 0o600), os.Setenv(explore.SessionVar, name)); err != nil {
		panic(err)
	}
	explore.Current()
	if err := os.Unsetenv(explore.SessionVar); err != nil {
		panic(err)
	}
	return m.Run()
}

// told returns what is told of the session from now on.
func told(t *testing.T) func() (all []explore.Result) {
	t.Helper()
	before, err := os.ReadFile(results)
	require.NoError(t, err)
	return func() (all []explore.Result) {
		after, err := os.ReadFile(results)
		require.NoError(t, err)
		for line := range strings.Lines(string(after[len(before):])) {
			var r explore.Result
			require.NoError(t, json.Unmarshal([]byte(line), &r))
			all = append(all, r)
		}
		return all
	}
}

// failsIf is a body that fails where it is told to, on no runtime in particular.
func failsIf(failure func(x *Exploration, seed uint64) *explore.Failure) Run {
	return func(x *Exploration, seed uint64) Outcome {
		x.set = inputs.NewSet(x.trial.Inputs, x.noted) // as Begin does
		return Outcome{Failure: failure(x, seed), Sometimes: map[string]bool{"seen": true}, Report: func() {}}
	}
}

func TestSeeds(t *testing.T) {
	broken := &explore.Failure{Kind: "assertion", Where: "a.go:1"}
	hour := time.Hour.Milliseconds()
	for _, c := range []struct {
		name  string
		s     explore.Session
		seeds []uint64
	}{
		{"up to the first failure", explore.Session{From: 1, To: 20, Stride: 3}, []uint64{1, 4, 7}},
		{"behind it", explore.Session{From: 1, To: 13, Stride: 3, All: true}, []uint64{1, 4, 7, 10}},
		{"from where another process has ended", explore.Session{From: 1, To: 20, Stride: 3, Next: map[string]uint64{t.Name(): 13}}, []uint64{13, 16, 19}},
		{"in time", explore.Session{From: 1, To: 5, Stride: 3, Until: time.Now().UnixMilli() + hour}, []uint64{1, 4}},
		{"too late", explore.Session{From: 1, To: 5, Stride: 3, Until: time.Now().UnixMilli() - hour}, nil},
		{"none", explore.Session{From: 5, To: 5, Stride: 1}, nil},
	} {
		since := told(t)
		var seeds []uint64
		run := failsIf(func(_ *Exploration, seed uint64) *explore.Failure {
			if seeds = append(seeds, seed); seed == 7 {
				return broken
			}
			return nil
		})
		x := &Exploration{plan: ordered.NewPlan(0)}
		(&searching{Session: &c.s, t: t, runBody: run, x: x}).seeds()
		require.Equal(t, c.seeds, seeds, c.name)
		var want []explore.Result
		for _, seed := range c.seeds {
			over := explore.Result{Test: t.Name(), Seed: seed, Over: true, Sometimes: map[string]bool{"seen": true}}
			if seed == 7 {
				over.Failure, over.Whole = broken, true
			}
			want = append(want, explore.Result{Test: t.Name(), Seed: seed}, over)
		}
		require.Equal(t, want, since(), c.name)
	}
}

func TestTrials(t *testing.T) {
	faulty := &inputs.Inputs{Faults: []inputs.Fault{}}
	trials := []explore.Trial{{}, {Inputs: faulty}, {Choices: []ordered.Choice{{Goroutine: 1, N: 1, Target: 2}}}, {}}
	for _, c := range []struct {
		name, want string
		made       int
	}{
		{"whatever fails", "", 2},
		{"one failure", "assertion at b.go:2", 3},
		{"one that does not come", "assertion at c.go:3", 4},
	} {
		since := told(t)
		story := filepath.Join(t.TempDir(), "story")
		dump, err := os.Create(filepath.Join(t.TempDir(), "dump"))
		require.NoError(t, err)
		run := failsIf(func(x *Exploration, seed uint64) *explore.Failure {
			require.True(t, x.replays)
			require.EqualValues(t, 9, seed)
			require.Equal(t, dump.Fd(), x.dump)
			switch {
			case x.trial.Inputs != nil:
				return &explore.Failure{Kind: "assertion", Where: "a.go:1"}
			case len(x.trial.Choices) > 0:
				return &explore.Failure{Kind: "assertion", Where: "b.go:2"}
			}
			return nil
		})
		s := explore.Session{From: 9, Trials: trials, Want: c.want, Story: story}
		(&searching{Session: &s, t: t, runBody: run, x: &Exploration{plan: ordered.NewPlan(0)}, dump: dump}).trials()
		require.NoError(t, dump.Close())
		all := since()
		require.Len(t, all, 2*c.made, c.name)
		require.Equal(t, c.made-1, all[len(all)-1].Trial, c.name)
		require.Nil(t, all[1].Inputs, c.name)
		require.NotNil(t, all[3].Inputs, "of the one that failed: %s", c.name)
		text, err := os.ReadFile(story)
		require.NoError(t, err)
		require.JSONEq(t, `{"Steps": [], "Whole": true}`, string(text))
	}
	s := explore.Session{Trials: trials[:1]}
	run := failsIf(func(x *Exploration, _ uint64) *explore.Failure { require.Zero(t, x.dump); return nil })
	(&searching{Session: &s, t: t, runBody: run, x: &Exploration{plan: ordered.NewPlan(0)}}).trials()
}

// TestRunSession does what the session says: seeds, or trials where there are some, with a file for the dump of a process that dies.
func TestRunSession(t *testing.T) {
	needsOrdered(t)
	var seeds []uint64
	dumps := map[bool]int{}
	run := failsIf(func(x *Exploration, seed uint64) *explore.Failure {
		seeds = append(seeds, seed)
		dumps[x.dump != 0]++
		require.Equal(t, 40, x.spec.Steps)
		return nil
	})
	dump := filepath.Join(t.TempDir(), "dump")
	session := func(s explore.Session) *explore.Session {
		s.Explore, s.Steps = explore.Spec{Strategy: ordered.PCT}, map[string]int{t.Name(): 40}
		return &s
	}
	RunSession(t, session(explore.Session{From: 3, To: 5, Stride: 1, Dump: dump}), run)
	require.Equal(t, []uint64{3, 4}, seeds)
	require.FileExists(t, dump)
	RunSession(t, session(explore.Session{From: 8, To: 20, Stride: 1, Trials: make([]explore.Trial, 2)}), run)
	require.Equal(t, []uint64{3, 4, 8, 8}, seeds)
	require.Equal(t, map[bool]int{true: 2, false: 2}, dumps)
}

// TestExplainKeepsWhatFails: of four choices the two that matter are written under the artifacts of the test, with its account.
func TestExplainKeepsWhatFails(t *testing.T) {
	failure := &explore.Failure{Kind: "assertion", Where: "a.go:1"}
	x := &Exploration{failure: failure, failedSeed: 17}
	for i := range uint64(4) {
		x.trial.Choices = append(x.trial.Choices, ordered.Choice{Goroutine: 10 + i, N: 1, Target: 2})
	}
	runs := 0
	x.Explain(t, failsIf(func(again *Exploration, seed uint64) *explore.Failure {
		require.True(t, again.Quiet)
		require.EqualValues(t, 17, seed)
		runs++
		matter := 0
		for _, c := range again.trial.Choices {
			if c.Goroutine == 10 || c.Goroutine == 12 {
				matter++
			}
		}
		if matter == 2 {
			return failure
		}
		return &explore.Failure{Kind: "assertion", Where: "another.go:1"}
	}))
	require.Greater(t, runs, 3)
	base := filepath.Join(t.ArtifactDir(), explore.FileName(t.Name()))
	f, err := explore.ReadFile(base + ".choices")
	require.NoError(t, err)
	require.Equal(t, t.Name(), f.Test)
	require.EqualValues(t, 17, f.Seed)
	require.Equal(t, []ordered.Choice{x.trial.Choices[0], x.trial.Choices[2]}, f.Choices)
	page, err := os.ReadFile(base + ".html")
	require.NoError(t, err)
	require.Contains(t, string(page), t.Name())
}

// TestExplainGivesUp where the failure does not come again.
func TestExplainGivesUp(t *testing.T) {
	x := &Exploration{failure: &explore.Failure{Kind: "assertion", Where: "a.go:1"}}
	x.Explain(t, failsIf(func(*Exploration, uint64) *explore.Failure { return nil }))
	files, err := os.ReadDir(t.ArtifactDir())
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestWriteTo(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	broken := errors.New("broken")
	require.Equal(t, broken, writeTo(name, func(*os.File) error { return broken }))
	require.ErrorIs(t, writeTo(name, func(w *os.File) error { return w.Close() }), os.ErrClosed)
	require.ErrorIs(t, writeTo(filepath.Join(t.TempDir(), "none", "file"), nil), os.ErrNotExist)
	require.NoError(t, writeTo(name, func(w *os.File) error { _, err := w.WriteString("text"); return err }))
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "text", string(text))
}
