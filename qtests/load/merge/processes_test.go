package merge_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/merge"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// childVar says to a process of this binary what it does: it is a part of a run.
const childVar = "MERGE_TEST_CHILD"

// TestChild is a part, in a process of its own.
func TestChild(t *testing.T) {
	switch os.Getenv(childVar) {
	case "":
		t.Skip("runs in a process of its own, started by other tests")
	case "sweep":
		sweepChild(t)
	case "fake":
		qtests.Run(t, func(q *qtests.T) {
			load.Run(q, scenarioOf(func(ctx context.Context, u *load.User) error { return u.Sleep(ctx, 7*time.Millisecond) }))
		})
	default:
		loadChild(t)
	}
}

func scenarioOf(do func(context.Context, *load.User) error) load.Scenario {
	return load.Scenario{
		Name:       "shop",
		Traffic:    traffic.Rate(0).To(300, 500*time.Millisecond).Jump(120).For(317 * time.Millisecond),
		Steps:      []load.Step{{Name: "read", Weight: 3, Do: do}, {Name: "write", Do: do}},
		Thresholds: []string{"errors==0", "count==113", "dropped==0", "p(50)<1h every 100ms"},
	}
}

func loadChild(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	s := scenarioOf(func(ctx context.Context, u *load.User) error {
		req, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("%s/%s/%d/%d", os.Getenv("MERGE_TEST_URL"), u.Step(), u.ID(), u.Rand().IntN(1e6)), nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		if os.Getenv(childVar) == "killed" && strings.HasPrefix(os.Getenv("QTESTS_SHARE"), "3/") {
			self, _ := os.FindProcess(os.Getpid()) // on Unix it never fails
			_ = self.Kill()
		}
		return res.Body.Close()
	})
	file, err := os.Create(os.Getenv("MERGE_TEST_LOG"))
	require.NoError(t, err)
	defer file.Close()
	s.RequestLog = result.CSVRequestLog(file)
	if os.Getenv(childVar) == "clock" && strings.HasPrefix(os.Getenv("QTESTS_SHARE"), "2/") {
		s.Clock = ahead{clock.New()}
	}
	load.Run(t, s)
}

// ahead is a real clock that is an hour fast.
type ahead struct{ clock.Clock }

const fast = time.Hour

func (a ahead) Now() time.Time                  { return a.Clock.Now().Add(fast) }
func (a ahead) Since(t time.Time) time.Duration { return a.Now().Sub(t) }
func (a ahead) Until(t time.Time) time.Duration { return t.Sub(a.Now()) }

// A group is processes that are the parts of a run.
type group struct {
	dir     string
	outputs []string
	failed  []int // parts
	got     []string
}

// processes runs n parts, or a single run without parts for n = 0.
func processes(t *testing.T, kind string, n int, env ...string) *group {
	g := &group{dir: t.TempDir(), outputs: make([]string, max(n, 1))}
	var mu sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		g.got = append(g.got, r.URL.Path)
	}))
	defer srv.Close()
	defer func() { mu.Lock(); defer mu.Unlock(); slices.Sort(g.got) }()
	var wg sync.WaitGroup
	failed := make([]bool, max(n, 1))
	for i := range g.outputs {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v", "-test.timeout=60s")
			cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
				return strings.HasPrefix(v, "QTESTS_") || strings.HasPrefix(v, "CI_NODE")
			}), childVar+"="+kind, "MERGE_TEST_URL="+srv.URL, "MERGE_TEST_LOG="+filepath.Join(g.dir, fmt.Sprintf("%d.csv", i)))
			if n > 0 {
				cmd.Env = append(cmd.Env, fmt.Sprintf("QTESTS_SHARE=%d/%d", i+1, n), "QTESTS_RESULTS="+g.dir)
			}
			cmd.Env = append(cmd.Env, env...)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			err := cmd.Run()
			g.outputs[i], failed[i] = out.String(), err != nil
		})
	}
	wg.Wait()
	for i, f := range failed {
		if f {
			g.failed = append(g.failed, i+1)
		}
	}
	return g
}

// expected is what requests returns of a single run under a fake clock, which is never late.
func expected(t *testing.T) (all []string) {
	var log bytes.Buffer
	qtests.Run(t, func(q *qtests.T) {
		s := scenarioOf(func(ctx context.Context, u *load.User) error { return nil })
		s.RequestLog = result.CSVRequestLog(&log)
		load.Run(q, s)
	})
	all, _ = logged(t, log.Bytes())
	slices.Sort(all)
	return all
}

// requests are what the request logs of all parts have: which user, step and instant.
func (g *group) requests(t *testing.T) (all []string, response []time.Duration) {
	files, err := filepath.Glob(filepath.Join(g.dir, "*.csv"))
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		requests, times := logged(t, data)
		all, response = append(all, requests...), append(response, times...)
	}
	slices.Sort(all)
	slices.Sort(response)
	return all, response
}

// logged reads a request log.
func logged(t *testing.T, log []byte) (all []string, response []time.Duration) {
	rows, err := csv.NewReader(bytes.NewReader(log)).ReadAll()
	require.NoError(t, err)
	for _, r := range rows[min(1, len(rows)):] {
		all = append(all, fmt.Sprintf("user %s due at %s: request %s, %s, %s", r[2], r[6], r[1], r[3], r[4]))
		due, err := strconv.ParseInt(r[6], 10, 64)
		require.NoError(t, err)
		end, err := strconv.ParseInt(r[8], 10, 64)
		require.NoError(t, err)
		response = append(response, (time.Duration(end - due)).Round(time.Microsecond))
	}
	return all, response
}

// arrivals are who was due when. A single run in real time numbers requests, and chooses their steps, when
// they start, which on a busy machine may be in another order.
func arrivals(requests []string) (out []string) {
	for _, r := range requests {
		who, _, _ := strings.Cut(r, ":")
		out = append(out, who)
	}
	return out
}

// TestEightProcessesAgainstOne: the same arrivals to the nanosecond, with the same numbers, steps and
// draws, the same counts, and the percentiles of all response times.
func TestEightProcessesAgainstOne(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short leaves a tenth of the load, and every request is compared")
	}
	one := processes(t, "load", 0)
	require.Empty(t, one.failed, "%s", one.outputs)
	eight := processes(t, "load", 8)
	require.Empty(t, eight.failed, "%s", eight.outputs)
	wanted, _ := one.requests(t)
	all, response := eight.requests(t)
	require.Len(t, wanted, 113)
	require.Equal(t, arrivals(wanted), arrivals(all))
	require.Equal(t, expected(t), all, "with numbers and steps")
	require.Len(t, eight.got, 113)
	draws := func(paths []string) (out []string) {
		for _, p := range paths {
			out = append(out, strings.Join(strings.Split(p, "/")[2:], "/"))
		}
		slices.Sort(out)
		return out
	}
	require.Equal(t, draws(one.got), draws(eight.got), "users, and what they drew, as the server saw them")

	runs, err := merge.Dir(eight.dir)
	require.NoError(t, err)
	require.Len(t, runs, 1)
	require.NoError(t, runs[0].Err)
	require.Empty(t, runs[0].Report)
	res := runs[0].Result
	require.EqualValues(t, 113, res.Finished)
	require.EqualValues(t, 113, res.Response.Count())
	for _, p := range []float64{0, 50, 90, 99, 100} {
		exact := response[result.RankOf(p, 113)-1]
		require.GreaterOrEqual(t, res.Response.Percentile(p), exact, p)
		require.LessOrEqual(t, float64(res.Response.Percentile(p)), float64(exact)*1.001+1000, p)
	}
	require.Contains(t, eight.outputs[4], "this is part 5 of 8: thresholds are judged when the parts are put together")
	require.NotContains(t, eight.outputs[4], "errors==0 kept", "a part judges nothing")

	out := filepath.Join(eight.dir, "merged")
	require.NoError(t, merge.Write(out, runs))
	for _, name := range []string{"summary.txt", "junit.xml", runs[0].Name + ".json", runs[0].Name + ".html", runs[0].Name + ".hlog"} {
		require.FileExists(t, filepath.Join(out, name))
	}
	again, err := merge.Dir(eight.dir)
	require.NoError(t, err)
	require.Equal(t, runs, again, "what merge has written is no part")
}

// TestOneOfEightIsKilled: the merge names it, and has no result.
func TestOneOfEightIsKilled(t *testing.T) {
	t.Parallel()
	g := processes(t, "killed", 8)
	require.Equal(t, []int{3}, g.failed, "%s", g.outputs)
	runs, err := merge.Dir(g.dir)
	require.NoError(t, err)
	require.EqualError(t, runs[0].Err, "part 3 of 8: missing; part 3 began, and left no result")
	require.Nil(t, runs[0].Result)
	require.True(t, runs[0].Failing())
	require.Contains(t, merge.Summary(runs), "cannot be put together from 8 parts\n  part 3 of 8: missing")
}

// TestOneClockIsOff: nothing runs, and every part names the clock.
func TestOneClockIsOff(t *testing.T) {
	t.Parallel()
	g := processes(t, "clock", 4)
	require.Equal(t, []int{1, 2, 3, 4}, g.failed)
	for _, out := range g.outputs {
		require.Regexp(t, `the clocks are (1h0m|59m59)\S*s apart, and may be 1s: the clock of part 2 of 4 is (1h0m|59m59)\S*s ahead of the others`, out)
	}
	require.Empty(t, g.got)
}

// TestOneDoesNotCome: the others wait for a bounded time, and name it.
func TestOneDoesNotCome(t *testing.T) {
	t.Parallel()
	g := processes(t, "load", 2, "QTESTS_SHARE=1/3", "QTESTS_START_WAIT=300ms")
	require.Equal(t, []int{1, 2}, g.failed)
	text := strings.Join(g.outputs, "")
	require.Contains(t, text, "for parts 2, 3, which did not come: all parts need one shared directory, or QTESTS_START")
	require.Contains(t, text, "is there already: the parts of another run are in the directory", "two are the same part")
}

// TestStartIsGiven: with QTESTS_START nobody waits for the others, and one who comes late fails.
func TestStartIsGiven(t *testing.T) {
	t.Parallel()
	g := processes(t, "load", 1, "QTESTS_SHARE=2/5", "QTESTS_START="+time.Now().Add(-time.Minute).Format(time.RFC3339))
	require.Equal(t, []int{1}, g.failed)
	require.Regexp(t, `part 2/5: QTESTS_START was 1m\S+ ago: set it further ahead`, g.outputs[0])
	g = processes(t, "load", 1, "QTESTS_SHARE=2/5", "QTESTS_START=tomorrow")
	require.Contains(t, g.outputs[0], `QTESTS_START: "tomorrow" is not a time of RFC 3339`)
	g = processes(t, "load", 1, "QTESTS_SHARE=2/5", "QTESTS_START="+time.Now().Add(20*time.Second).Format(time.RFC3339), "QTESTS_START_WAIT=never")
	require.Contains(t, g.outputs[0], `QTESTS_START_WAIT: "never" is not a duration over 0`)
}

// TestFakeTimeIsWhole: under a fake clock every part runs the whole, and all come to the same, to the
// byte.
func TestFakeTimeIsWhole(t *testing.T) {
	t.Parallel()
	g := processes(t, "fake", 3)
	require.Empty(t, g.failed, "%s", g.outputs)
	runs, err := merge.Dir(g.dir)
	require.NoError(t, err)
	require.NoError(t, runs[0].Err)
	require.EqualValues(t, 113, runs[0].Result.Finished)
	require.Len(t, runs[0].Result.Thresholds, 4)

	// One that came to something else is not repeatable.
	parts, err := filepath.Glob(filepath.Join(g.dir, "*", "load-2-of-3.json"))
	require.NoError(t, err)
	data, err := os.ReadFile(parts[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(parts[0], bytes.Replace(data, []byte(`"attempts":113`), []byte(`"attempts":114`), 1), 0o666))
	runs, err = merge.Dir(g.dir)
	require.NoError(t, err)
	require.ErrorContains(t, runs[0].Err, "part 1 of 3 and part 2 of 3 ran the same under a fake clock, and came to different results")
}

// TestWithoutDirectory: a part that can leave its result nowhere runs nothing.
func TestWithoutDirectory(t *testing.T) {
	t.Parallel()
	g := processes(t, "load", 1, "QTESTS_RESULTS=")
	require.Empty(t, g.failed, "part 1 of 1 is the whole: %s", g.outputs)
	g = processes(t, "load", 1, "QTESTS_RESULTS=", "QTESTS_SHARE=1/2")
	require.Contains(t, g.outputs[0], "QTESTS_RESULTS names no directory for the results of the parts")
	require.Empty(t, g.got)
}

// sweepChild fails with some seeds.
func sweepChild(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		q.Sleep(time.Second)
		fmt.Printf("seed=%d\n", q.Seed())
		if q.Seed()%97 == 13 {
			q.Errorf("97")
		}
	})
}

// TestSweepOverProcesses: a sweep over eight processes reports what one process reports.
func TestSweepOverProcesses(t *testing.T) {
	t.Parallel()
	n := 300
	if stress() > 1 {
		n = 10_000
	}
	env := []string{fmt.Sprintf("QTESTS_SEEDS=%d", n), "QTESTS_SEED=5"}
	one, eight := processes(t, "sweep", 0, env...), processes(t, "sweep", 8, env...)
	require.Equal(t, []int{1}, one.failed)
	runs, err := merge.Dir(eight.dir)
	require.NoError(t, err)
	require.NoError(t, runs[0].Err)
	require.Equal(t, n, runs[0].Seeds)
	require.NotEmpty(t, runs[0].Failed)
	require.Len(t, runs[0].Report, 1)
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	require.Contains(t, flat(one.outputs[0]), flat(runs[0].Report[0]))
	ran := map[string]int{}
	for part, out := range eight.outputs {
		for _, seed := range regexp.MustCompile(`seed=\d+\n`).FindAllString(out, -1) {
			// On the ordered runtime a part runs a seed that fails once more, for its account.
			if of, again := ran[seed]; again {
				require.Equal(t, of, part, "parts that ran %s", seed)
			}
			ran[seed] = part
		}
	}
	require.Len(t, ran, n, "the seeds that ran")
}

// TestMoreProcessesThanSeeds: a part without a seed passes.
func TestMoreProcessesThanSeeds(t *testing.T) {
	t.Parallel()
	g := processes(t, "sweep", 4, "QTESTS_SEEDS=3")
	require.Empty(t, g.failed, "%s", g.outputs)
	runs, err := merge.Dir(g.dir)
	require.NoError(t, err)
	require.NoError(t, runs[0].Err)
	require.Equal(t, 3, runs[0].Seeds)
	require.Empty(t, runs[0].Report)
}
