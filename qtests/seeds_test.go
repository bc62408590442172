package qtests

import (
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

func TestSeedsNamesTheFailingOnes(t *testing.T) {
	out, passed := runChild(t, "^TestChildSeeds$", "-qtests.seeds=10", "-qtests.seed=3")
	require.False(t, passed)
	require.Contains(t, out, "qtests: 3 of 10 seeds failed: 4, 8, 12")
	require.Contains(t, out, "to repeat the first: "+ordered.TestCommand()+" github.com/go-qtests/qtests/qtests -run '^TestChildSeeds$' -qtests.seed=4")
	require.Contains(t, out, "seed 8 is bad")
	require.NotContains(t, out, "never printed")

	out, passed = runChild(t, "^TestChildSeeds$", "-qtests.seed=5")
	require.True(t, passed)
	require.NotContains(t, out, "is bad")
}

func TestChildSeeds(t *testing.T) {
	child(t)
	Run(t, func(q *T) {
		require.Zero(q, q.Elapsed(), "the bubble is fresh")
		q.Sleep(time.Second)
		if q.Seed()%4 == 0 {
			q.Fatalf("seed %d is bad", q.Seed())
		}
	})
	if t.Failed() {
		t.Log("never printed")
	}
}

func TestRunPattern(t *testing.T) {
	require.Equal(t, "^TestX$", RunPattern("TestX"))
	require.Equal(t, `^TestX$/^p\(95\)<1s$/^it.s$`, RunPattern("TestX/p(95)<1s/it's"))
}

// TestPrintedCommandRepeats runs what a failure prints, from elsewhere.
func TestPrintedCommandRepeats(t *testing.T) {
	out, _ := runChild(t, "^TestChildSeeds$", "-qtests.seed=4")
	_, command, ok := strings.Cut(out, "to repeat: ")
	require.True(t, ok)
	command, _, _ = strings.Cut(command, "\n")
	shell := exec.Command("sh", "-c", "cd ../fixtures && "+command)
	shell.Env = append(plainEnviron(), "QTESTS_CHILD=1")
	repeated, err := shell.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(repeated), "seed 4 is bad")
}

func TestSeedsThatSkip(t *testing.T) {
	out, passed := runChild(t, "^TestChildSkips$/^some$", "-qtests.seeds=4")
	require.False(t, passed)
	require.Contains(t, out, "qtests: 1 of 4 seeds failed: 3")
	out, passed = runChild(t, "^TestChildSkips$/^all$", "-qtests.seeds=4")
	require.True(t, passed)
	require.Contains(t, out, "--- SKIP: TestChildSkips/all")
}

func TestChildSkips(t *testing.T) {
	child(t)
	t.Run("some", func(t *testing.T) {
		Run(t, func(q *T) {
			switch q.Seed() {
			case 1, 4:
				q.Skip("not under this seed")
			case 3:
				q.Fatal("bad")
			}
		})
	})
	t.Run("all", func(t *testing.T) {
		Run(t, func(q *T) { q.Skip("never") })
	})
}

func TestVerifyFindsTheFirstDifference(t *testing.T) {
	out, passed := runChild(t, "^TestChildVerify$/^Wait$", "-qtests.verify")
	require.False(t, passed)
	require.Contains(t, out, "two runs with one seed differ at event 4: the first run at 2000-01-01 00:00:03 waited for 1s, at ")
	require.Contains(t, out, "the second at 2000-01-01 00:00:03 waited for 2s, at ")
	require.Regexp(t, `waited for 1s, at \S+/seeds_test.go:\d+,\s+the second`, out)
	require.Regexp(t, `waited for 2s, at \S+/seeds_test.go:\d+\n`, out)
	require.NotContains(t, out, "/clock")

	out, passed = runChild(t, "^TestChildVerify$/^Reset$", "-qtests.verify")
	require.False(t, passed)
	require.Regexp(t, `event 2: the first run at 2000-01-01 00:00:01 waited for 0s, at \S+/seeds_test.go:\d+,`, out)

	out, passed = runChild(t, "^TestChildVerify$/^Mark$", "-qtests.verify")
	require.False(t, passed)
	require.Contains(t, out, `event 1: the first run at 2000-01-01 00:00:00 wrote "test: 1",`)
	require.Contains(t, out, `the second at 2000-01-01 00:00:00 wrote "test: 2"`)

	out, passed = runChild(t, "^TestChildVerify$/^Shorter$", "-qtests.verify")
	require.False(t, passed)
	require.Contains(t, out, "event 3: the second run had ended, the first went on for 2 more")

	out, passed = runChild(t, "^TestChildVerify$/^Longer$", "-qtests.verify")
	require.False(t, passed)
	require.Contains(t, out, "event 3: the first run had ended, the second at ")

	_, passed = runChild(t, "^TestChildVerify$/^Same$", "-qtests.verify", "-qtests.seeds=3")
	require.True(t, passed)
}

// TestVerifyComparesTurns: what does not wait on the clock differs in its turns, which
// only the ordered runtime sees.
func TestVerifyComparesTurns(t *testing.T) {
	out, passed := runChild(t, "^TestChildVerify$/^Turns$", "-qtests.verify")
	require.Equal(t, !ordered.Available(), passed)
	if ordered.Available() {
		require.Regexp(t, `two runs with one seed differ at turn or choice \d+:\s+one run went on at \S+/seeds_test.go:\d+,\s+the other at \S+/seeds_test.go:\d+\n`, out)
		require.Contains(t, out, "state left by the run before")
	}

	out, passed = runChild(t, "^TestChildVerify$/^Once$", "-qtests.verify")
	require.True(t, passed, "what is done once per process")
	require.Equal(t, ordered.Available(), strings.Contains(out, "qtests: the first run differs from those that follow, which are alike, at turn or choice "))
}

// The end of a server with more connections than a small map has room for: their order is the one in which they came.
func TestVerifyAgreesOnTheEndOfAServer(t *testing.T) {
	out, passed := runChild(t, "^TestChildVerify$/^Server$", "-qtests.verify")
	require.True(t, passed, out)
}

func TestChildVerify(t *testing.T) {
	child(t)
	run := 0 // state that the first run leaves behind
	verify := func(name string, body func(q *T)) {
		t.Run(name, func(t *testing.T) {
			run = 0
			Run(t, func(q *T) { run++; body(q) })
		})
	}
	sleeps := func(q *T, n int) {
		for range n {
			q.Sleep(time.Second)
		}
	}
	verify("Server", func(q *T) {
		s := q.Serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) }))
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				resp, err := s.Client().Get(s.URL)
				if err != nil {
					q.Error(err)
					return
				}
				_ = resp.Body.Close()
			})
		}
		all.Wait()
	})
	verify("Wait", func(q *T) { sleeps(q, 3); q.Sleep(time.Duration(run) * time.Second) })
	verify("Reset", func(q *T) {
		q.Clock().AfterFunc(time.Hour, func() {}).Reset(time.Duration(run) * time.Second)
		<-time.After(3 * time.Second)
	})
	verify("Mark", func(q *T) { q.EventLog().Add(q.Clock().Now(), "test", string(rune('0'+run))) })
	turns := func(n int) {
		done := make(chan bool)
		for range n {
			go func() { runtime.Gosched(); done <- true }()
		}
		for range n {
			<-done
		}
	}
	verify("Turns", func(*T) { turns(run) })
	verify("Once", func(*T) { turns(max(1, 3-run)) })
	verify("Shorter", func(q *T) { sleeps(q, 6-2*run) })
	verify("Longer", func(q *T) { sleeps(q, 2*run) })
	verify("Same", func(q *T) {
		for range 1000 {
			q.Clock().Sleep(time.Duration(q.Rand("sleeps").IntN(1000)))
		}
	})
}

func TestSettingsFromTheEnvironment(t *testing.T) {
	t.Setenv("CHILD_ENV", "QTESTS_SEED=12")
	out, passed := runChild(t, "^TestChildSeeds$")
	require.False(t, passed)
	require.Contains(t, out, "seed 12 is bad")

	// The flag wins.
	_, passed = runChild(t, "^TestChildSeeds$", "-qtests.seed=0x5")
	require.True(t, passed)

	t.Setenv("CHILD_ENV", "QTESTS_SEED=twelve")
	out, passed = runChild(t, "^TestChildSeeds$")
	require.False(t, passed)
	require.Contains(t, out, `qtests: QTESTS_SEED: "twelve" is neither a number from 0 to 2^64-1 nor random`)

	out, passed = runChild(t, "^TestChildSeeds$", "-qtests.seeds=0")
	require.False(t, passed)
	require.Contains(t, out, `invalid value "0" for flag -qtests.seeds: "0" is not a number of at least 1`)
	out, passed = runChild(t, "^TestChildSeeds$", "-qtests.stall=-1s")
	require.False(t, passed)
	require.Contains(t, out, `"-1s" is not a duration like 10s`)
}

func TestRandomSeedIsPrintedOnFailure(t *testing.T) {
	out, _ := runChild(t, "^TestChildFailure$/^Fatal$", "-qtests.seed=random")
	require.Regexp(t, `qtests: seed \d{4,}, drawn`, out)
	require.Regexp(t, `-qtests\.seed=\d{4,}\n`, out)
}
