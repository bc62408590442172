package keep_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func scenario(q *qtests.T) load.Scenario {
	return load.Scenario{Name: "shop", Traffic: traffic.Rate(10).For(10 * time.Second), Do: func(_ context.Context, u *load.User) error {
		if u.Request() == 5 {
			q.EventLog().Add(q.Clock().Now(), "shop", "something happened")
		}
		return nil
	}}
}

// what happens to a test that has run a scenario.
var fates = map[string]func(t *testing.T){
	"passes":      func(t *testing.T) { qtests.Run(t, func(q *qtests.T) { load.Run(q, scenario(q)) }) },
	"fails later": func(t *testing.T) { qtests.Run(t, func(q *qtests.T) { load.Run(q, scenario(q)); q.Error("no") }) },
	"after two runs": func(t *testing.T) {
		qtests.Run(t, func(q *qtests.T) {
			load.Run(q, scenario(q))
			load.Run(q, load.Scenario{Name: "stock", Traffic: traffic.Rate(10).For(time.Second), Do: func(context.Context, *load.User) error { return nil }})
			q.Error("no")
		})
	},
	"outside": func(t *testing.T) { qtests.Run(t, func(q *qtests.T) { load.Run(q, scenario(q)) }); t.Error("no") },
	"in a cleanup": func(t *testing.T) {
		qtests.Run(t, func(q *qtests.T) { q.Cleanup(func() { q.Error("no") }); load.Run(q, scenario(q)) })
	},
	"leaks": func(t *testing.T) {
		qtests.Run(t, func(q *qtests.T) { load.Run(q, scenario(q)); go func() { select {} }() })
	},
	"in a threshold": func(t *testing.T) {
		qtests.Run(t, func(q *qtests.T) { s := scenario(q); s.Thresholds = []string{"count<5"}; load.Run(q, s) })
	},
	"never ends": func(t *testing.T) {
		never := make(chan struct{}) // made outside of the bubble: nothing goes on while one waits for it
		qtests.Run(t, func(q *qtests.T) {
			s := scenario(q)
			s.Do = func(_ context.Context, u *load.User) error {
				if u.Request() == 50 {
					<-never
				}
				return nil
			}
			load.Run(q, s)
		})
	},
	"real time": func(t *testing.T) {
		s := load.Scenario{Name: "shop", Traffic: traffic.Rate(100).For(50 * time.Millisecond), Do: func(context.Context, *load.User) error { return nil }}
		load.Run(t, s)
		t.Error("no")
	},
}

// TestFate is run by the others in a process of its own, which may fail.
func TestFate(t *testing.T) {
	fate := fates[os.Getenv("QTESTS_FATE")]
	if fate == nil {
		t.Skip("it is run by the other tests")
	}
	fate(t)
}

func runFate(t *testing.T, fate, cache string, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestFate$", "-test.v"}, args...)...)
	cmd.Env = append(os.Environ(), "QTESTS_FATE="+fate, "QTESTS_STALL=500ms", "XDG_CACHE_HOME="+cache, "HOME="+cache, "LocalAppData="+cache)
	out, err := cmd.CombinedOutput()
	require.Equal(t, fate == "passes", err == nil, "%s", out)
	return string(out)
}

func TestATestThatFailsLeavesItsReportBehind(t *testing.T) {
	for fate := range fates {
		t.Run(fate, func(t *testing.T) {
			t.Parallel()
			cache := t.TempDir()
			var out string
			for range 2 { // the second run takes the place of the first
				out = runFate(t, fate, cache)
			}
			found := regexp.MustCompile(`load: the report of shop is (\S+)/load-shop.html\n`).FindStringSubmatch(out)
			if fate == "passes" {
				require.Nil(t, found, "%s", out)
				return
			}
			require.NotNil(t, found, "%s", out)
			require.NotContains(t, out, "could not be kept")
			names, err := filepath.Glob(found[1] + "/*")
			require.NoError(t, err)
			files := 3
			if fate == "after two runs" {
				files = 6
			}
			require.Len(t, names, files, "%v", names)
			kept, err := os.Open(filepath.Join(found[1], "load-shop.json"))
			require.NoError(t, err)
			defer func() { _ = kept.Close() }()
			res, err := result.Read(kept)
			require.NoError(t, err)
			require.Positive(t, res.Finished)
			require.Equal(t, fate == "never ends", strings.Contains(res.Halted, "the test was over, and the run was not"), res.Halted)
			if fate != "real time" && fate != "never ends" {
				marks, err := os.ReadFile(filepath.Join(found[1], "load-shop.marks.txt"))
				require.NoError(t, err)
				require.Equal(t, "2000-01-01 00:00:00.500000  shop  something happened\n", string(marks))
			}
		})
	}
}

func TestWhatCannotBeKeptIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Contains(t, runFate(t, "fails later", file), "load: what the failed test found could not be kept: ")
}

// With -artifacts the files are where all artifacts are.
func TestWithArtifacts(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	out := runFate(t, "fails later", cache, "-test.artifacts", "-test.outputdir="+dir)
	found := regexp.MustCompile(`load: the report of shop is (\S+)\n`).FindStringSubmatch(out)
	require.NotNil(t, found, "%s", out)
	require.True(t, strings.HasPrefix(found[1], dir), "%s is not below %s", found[1], dir)
	require.FileExists(t, found[1])
	require.NoDirExists(t, filepath.Join(cache, "qtests"))
}
