package bench

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// runtimesFile is where TestRuntimes writes what the ordered runtime costs beside the stock
// one. It builds this package twice and runs the two binaries in turn.
var runtimesFile = flag.String("runtimes", "", "make TestRuntimes run in full and write its results to this `file`")

// runtimeVariable names the job that a binary is to do, and how often.
const runtimeVariable = "QTESTS_BENCH_RUNTIME"

// latencyThere is how long a request of the loops sleeps.
const latencyThere = 10 * time.Millisecond

// runtimeJobs are what is measured on both runtimes, per operation.
var runtimeJobs = map[string]func(n int) error{
	"synctest.Test": bubbled(func(t *testing.T) { synctest.Test(t, func(*testing.T) {}) })(nil),
	"qtests.Run":    bubbled(func(t *testing.T) { qtests.Run(t, func(*qtests.T) {}) })(nil),
	"contended": func(n int) error {
		return inTest(func(t *testing.T) {
			for range n {
				onOurClock(t, func(string) {})
			}
		})
	},
	"raw loop": func(n int) error {
		if (qtests.Order{}) == orderOfRun() {
			return bubble(rawLoop, latencyThere)(n)
		}
		return inRun(func(*qtests.T) { rawLoop(n, latencyThere, func() { time.Sleep(latencyThere) }) })
	},
	"ours, recorded": ourLoop(latencyThere, sleepOnPackageTime),
	"small tests": func(n int) error {
		return inTest(func(t *testing.T) {
			for range n {
				t.Run(strconv.FormatInt(tests.Add(1), 10), retryInRun)
			}
		})
	},
	"sweep": sweep,
	"real request, Serve": func(n int) error {
		return inRun(func(q *qtests.T) { failWith(q, askOverServe(q, ourShop(q), n)) })
	},
	"real request, Direct": func(n int) error {
		return inRun(func(q *qtests.T) { failWith(q, askDirect(q, ourShop(q), n)) })
	},
}

func failWith(q *qtests.T, err error) {
	if err != nil {
		q.Error(err)
	}
}

// orderOfRun is zero on the stock runtime.
func orderOfRun() (o qtests.Order) {
	_ = inRun(func(q *qtests.T) { o = q.Order() })
	o.Turns = 0
	return o
}

// A runtimeRow is a job on one runtime beside a job on the other.
type runtimeRow struct {
	ordered, stock string
	n              int // operations in a round
	most           float64
}

var runtimeRows = []runtimeRow{
	{"qtests.Run", "qtests.Run", 30_000, 1.1},
	{"synctest.Test", "synctest.Test", 100_000, 1.1},
	{"contended", "contended", 200, 1},
	{"raw loop", "raw loop", 200_000, 0.95},
	{"ours, recorded", "raw loop", 200_000, 1},
	{"small tests", "small tests", 5000, 1.1},
	{"sweep", "sweep", 10_000, 1.1},
	{"real request, Serve", "real request, Serve", 10_000, 1.1},
	{"real request, Direct", "real request, Direct", 10_000, 1.1},
}

// realworldRows are the tests of the module realworld that run on both runtimes: an hour of fake time with 50 requests a
// second each, the same on either, so that the ratio is one of an hour.
var realworldRows = []string{
	"TestChi", "TestRetryableHTTP", "TestBackoff", "TestSingleflight", "TestExpirableLRU", "TestRistretto",
	"TestGobreaker", "TestFailsafe", "TestKafkaWriter", "TestGRPC", "TestPgxPool", "TestWebSocket", "TestHTTP2",
}

// realworldDir is the directory of that module.
const realworldDir = "../realworld"

// mostOfAnHour is the limit of these rows.
const mostOfAnHour = 1.1

// TestRealworldRowsExist: a test that went, or that a row forgets, is found out.
func TestRealworldRowsExist(t *testing.T) {
	sources, err := filepath.Glob(filepath.Join(realworldDir, "*_test.go"))
	require.NoError(t, err)
	var scenarios []string
	for _, source := range sources {
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(`func (Test\w+)\(t \*testing\.T\) \{\n\toutcome\(`).FindAllStringSubmatch(string(text), -1) {
			scenarios = append(scenarios, found[1])
		}
	}
	notOnStock := []string{"TestCron", "TestOAuth2", "TestRedis"}
	require.ElementsMatch(t, slices.Concat(realworldRows, notOnStock), scenarios)
}

// TestRuntimeJob does one job in a process of its own.
func TestRuntimeJob(t *testing.T) {
	name, times, ok := strings.Cut(os.Getenv(runtimeVariable), "*")
	if !ok {
		t.Skip("runs in a process of its own, started by another test")
	}
	n, err := strconv.Atoi(times)
	require.NoError(t, err)
	job := runtimeJobs[name]
	require.NotNil(t, job, name)
	require.NoError(t, job(max(n/20, 1))) // what is made once
	start := time.Now()
	require.NoError(t, job(n))
	fmt.Printf("ns/op %.1f\n", float64(time.Since(start))/float64(n))
}

// TestRuntimes does every job once; in full, with -runtimes, in turn on both runtimes.
func TestRuntimes(t *testing.T) {
	if *runtimesFile == "" {
		for _, row := range runtimeRows {
			require.NoError(t, runtimeJobs[row.ordered](2), row.ordered)
			require.NoError(t, runtimeJobs[row.stock](2), row.stock)
		}
		return
	}
	const rounds, hours = 5, 3
	stock, ordered := buildBoth(t, ".")
	var b strings.Builder
	fmt.Fprintf(&b, "# The ordered runtime beside the stock one\n\n`make bench-runtimes`: %s, %d processors; medians of %d rounds, of %d where a row is an hour, in turn, each in a process of its own.\n\n"+
		"| on the ordered runtime | on the stock one | ordered | stock | ratio | of processor time | at most |\n|---|---|---|---|---|---|---|\n", runtime.Version(), runtime.NumCPU(), rounds, hours)
	for _, row := range runtimeRows {
		b.WriteString(row.line(rounds, func() (jobCost, jobCost) {
			return doJob(t, ordered, row.ordered, row.n), doJob(t, stock, row.stock, row.n)
		}))
	}
	stock, ordered = buildBoth(t, realworldDir)
	for _, name := range realworldRows {
		row := runtimeRow{ordered: "an hour of " + name, stock: "an hour of " + name, most: mostOfAnHour}
		b.WriteString(row.line(hours, func() (jobCost, jobCost) { return doHour(t, ordered, name), doHour(t, stock, name) }))
	}
	b.WriteString(aboutRuntimes)
	t.Log("\n" + b.String())
	require.NoError(t, os.WriteFile(*runtimesFile, []byte(b.String()), 0o666))
}

// line is the line of the table after so many rounds of once, which does the job on the ordered runtime and on the stock one.
func (row runtimeRow) line(rounds int, once func() (ordered, stock jobCost)) string {
	var its, others, ratios, ofCPU []float64
	for range rounds {
		a, o := once()
		its, others = append(its, a.wall), append(others, o.wall)
		ratios, ofCPU = append(ratios, a.wall/o.wall), append(ofCPU, a.cpu/o.cpu)
	}
	return fmt.Sprintf("| %s | %s | %.0f ns | %.0f ns | %.2f | %.2f | %.2f |\n",
		row.ordered, row.stock, median(its), median(others), median(ratios), median(ofCPU), row.most)
}

const aboutRuntimes = `
qtests.Run, synctest.Test: a bubble with an empty body. contended: 50 users in step share a pool of five, with timeouts and an outage on
the same milliseconds. raw loop: a goroutine for each request, which sleeps, and nothing else; on the ordered runtime with the turn.
ours, recorded: the same load as a scenario of package load, with everything that it counts. small tests, sweep, real request: as in
[RESULTS.md](RESULTS.md). an hour: a request of a test of [realworld](../realworld/README.md), which loads modules as they are published
for an hour of fake time, three times on each runtime. What such a test waits for, and how often it tries again, is drawn: the two runtimes do not
have quite the same work.

The ratio is one of real time, an operation. Beside it stands the ratio of the processor time of the whole process, its start included: all
its threads, those too that look for work and find none, and less of what else the machine did.
`

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// buildBoth builds the tests of the package in a directory for both runtimes.
func buildBoth(t *testing.T, source string) (stock, ordered string) {
	dir := t.TempDir()
	command, stock, ordered := filepath.Join(dir, "qtests"), filepath.Join(dir, "stock.test"), filepath.Join(dir, "ordered.test")
	for _, args := range [][]string{
		{"go", "build", "-o", command, "github.com/go-qtests/qtests/qtests/cmd/qtests"},
		{"go", "test", "-c", "-o", stock, "."},
		{command, "test", "-c", "-o", ordered, "."},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = source
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%v: %s", args, out)
	}
	return stock, ordered
}

// A jobCost is the nanoseconds of an operation, and of processor time the process took.
type jobCost struct{ wall, cpu float64 }

// doJob does a job in a process of its own.
func doJob(t *testing.T, binary, name string, n int) jobCost {
	cmd := exec.Command(binary, "-test.run=^TestRuntimeJob$", "-test.v")
	cmd.Env = append(os.Environ(), runtimeVariable+"="+name+"*"+strconv.Itoa(n))
	return costOf(t, cmd)
}

// doHour has a test of realworld run for its hour, in a process of its own.
func doHour(t *testing.T, binary, name string) jobCost {
	cmd := exec.Command(binary, "-test.run=^"+name+"$", "-test.v", "-hour")
	cmd.Dir = realworldDir
	return costOf(t, cmd)
}

func costOf(t *testing.T, cmd *exec.Cmd) jobCost {
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%v: %s", cmd.Args, out)
	_, rest, ok := strings.Cut(string(out), "ns/op ")
	require.True(t, ok, "%s", out)
	x, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	require.NoError(t, err)
	return jobCost{x, float64(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime())}
}
