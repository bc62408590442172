package realworld

import (
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/tb"
)

var runsFlag = flag.Int("runs", 0, "how often to run each scenario; 0 means 20 times on the ordered runtime, and on the stock one 5 times, a recipe 2 times; all times QTESTS_STRESS")

var hourFlag = flag.Bool("hour", false, "instead of comparing outcomes, run each scenario once, for an hour with 50 requests a second, and tell how long that takes")

// notOnStock says what a scenario does on the stock runtime, where it comes to no end of
// its own.
var notOnStock = map[string]string{
	"TestCron":   "stands still: a job waits in a mutex for the job before it, and a goroutine that waits for a mutex keeps the time of a stock bubble from passing",
	"TestRedis":  "may end the process: the client keeps timers in a sync.Pool when all of its connections are busy, and the next bubble may get one of the last",
	"TestOAuth2": "stands still: the requests wait in a mutex for the one that asks for a token, and a goroutine that waits for a mutex keeps the time of a stock bubble from passing",
}

// A Log has what a scenario did, a line for each thing, in order. It is safe for
// concurrent use.
type Log struct {
	plan     plan
	counts   bool         // requests alone, and keeps no lines: they cost more than some requests
	requests atomic.Int64 // that began

	mu    sync.Mutex
	start time.Time
	lines []string
}

// asks counts a request that begins.
func (l *Log) asks() { l.requests.Add(1) }

// Addf adds a line, which begins with the fake time since the start, to the nanosecond.
func (l *Log) Addf(format string, args ...any) {
	if l.counts {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf("%v ", l.at())+fmt.Sprintf(format, args...))
}

// at is the fake time since the start.
func (l *Log) at() time.Duration { return time.Since(l.start) }

// A result is what became of a scenario.
type result struct {
	test     string
	ordered  bool
	runs     int
	lines    int          // of the last run
	order    qtests.Order // of the last run
	outcomes string       // how many, or why none

	hour     bool // and not compared
	requests int64
	took     time.Duration // of real time
}

// outcome runs the scenario again and again, each time in a fresh bubble with the same
// seed. On the ordered runtime it requires one outcome of all runs, and of one more in
// another process, alone and on one processor: the same lines, in the same order, at the
// same times. On the stock runtime it counts the outcomes.
func outcome(t *testing.T, scenario func(q *qtests.T, log *Log)) {
	t.Helper()
	compared(t, scenario, limits{lines: 1000, stock: 5})
}

// limits are how many lines a run has at least, and how often it runs on the stock runtime.
type limits struct{ lines, stock int }

func compared(t *testing.T, scenario func(q *qtests.T, log *Log), l limits) {
	t.Helper()
	r := &result{test: t.Name(), ordered: onOrdered(t), outcomes: "fails", hour: *hourFlag}
	defer r.keep()
	if why := notOnStock[t.Name()]; why != "" && !r.ordered {
		r.outcomes, _, _ = strings.Cut(why, ":")
		t.Skipf("on the stock runtime this scenario %s", why)
	}
	if *hourFlag {
		r.oneHour(t, scenario)
		return
	}
	seen := map[uint64]bool{}
	first := r.once(t, scenario, l.lines)
	seen[hash(first)] = true
	for n := runs(t, r.ordered, l.stock); r.runs < n; {
		text := r.once(t, scenario, l.lines)
		if r.ordered && text != first {
			t.Fatalf("run %d differs from the first (its order: %v):\n%s", r.runs, r.order, parting(first, text))
		}
		seen[hash(text)] = true
	}
	if r.ordered {
		elsewhere(t, hash(first))
	}
	r.outcomes = strconv.Itoa(len(seen))
	t.Logf("%d lines, outcomes of %d runs: %d (the first %016x); the order of the last run: %v", r.lines, r.runs, len(seen), hash(first), r.order)
}

// once runs the scenario in a bubble of its own and returns its lines. There are at least so many.
func (r *result) once(t *testing.T, scenario func(q *qtests.T, log *Log), least int) string {
	t.Helper()
	var log *Log
	qtests.Run(t, func(q *qtests.T) {
		log = &Log{plan: tenMinutes, start: time.Now()}
		scenario(q, log)
		r.order = q.Order()
	})
	r.runs++
	r.lines = len(log.lines)
	if r.lines < least {
		t.Fatalf("only %d lines, and not %d: that was no load", r.lines, least)
	}
	return strings.Join(log.lines, "\n")
}

// oneHour runs the scenario once, with an hour of load, and takes the time.
func (r *result) oneHour(t *testing.T, scenario func(q *qtests.T, log *Log)) {
	t.Helper()
	began := time.Now()
	qtests.Run(t, func(q *qtests.T) {
		log := &Log{plan: oneHour, counts: true, start: time.Now()}
		scenario(q, log)
		r.requests = log.requests.Load()
	})
	if r.took = time.Since(began); t.Failed() || r.requests == 0 {
		t.Fatalf("after %d requests: that was no load", r.requests)
	}
	r.outcomes = ""
	t.Logf("an hour: %d requests in %v, ns/op %.1f", r.requests, r.took.Round(time.Millisecond), float64(r.took)/float64(r.requests))
}

func runs(t *testing.T, ordered bool, stock int) int {
	t.Helper()
	if *runsFlag > 0 {
		return *runsFlag
	}
	n := stock
	if ordered {
		n = 20
	}
	if text := os.Getenv("QTESTS_STRESS"); text != "" {
		stress, err := strconv.Atoi(text)
		if err != nil || stress < 1 {
			t.Fatalf("QTESTS_STRESS=%s: want a whole number of at least 1", text)
		}
		n *= stress
	}
	return n
}

// child is set in the process that elsewhere starts.
const child = "REALWORLD_CHILD"

var firstOutcome = regexp.MustCompile(`\(the first ([0-9a-f]{16})\)`)

// elsewhere runs the test's scenario in another process, once, and requires the outcome
// that has the hash.
func elsewhere(t *testing.T, want uint64) {
	t.Helper()
	if os.Getenv(child) != "" {
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-runs=1", fmt.Sprint("-qtests.seed=", tb.SeedOf(t)))
	cmd.Env = append(os.Environ(), child+"=1", "GOMAXPROCS=1", "GOGC=20")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("in another process: %v\n%s", err, out)
	}
	if got := firstOutcome.FindSubmatch(out); got == nil || string(got[1]) != fmt.Sprintf("%016x", want) {
		t.Fatalf("the outcome is %016x here, and in another process it is another one:\n%s", want, out)
	}
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // cannot fail
	return h.Sum64()
}

// parting shows where two texts part: the last line that both have, and the first that
// differs.
func parting(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	i := 0
	for i < len(as) && i < len(bs) && as[i] == bs[i] {
		i++
	}
	line := func(lines []string, i int) string {
		if i < 0 || i >= len(lines) {
			return "(no line)"
		}
		return lines[i]
	}
	return fmt.Sprintf("line %d of both: %s\nthe first run goes on: %s\nthis one goes on:      %s", i, line(as, i-1), line(as, i), line(bs, i))
}

// onOrdered reports whether the tests run on the ordered runtime.
func onOrdered(t *testing.T) (ordered bool) {
	t.Helper()
	qtests.Run(t, func(q *qtests.T) { ordered = q.Order().Runtime })
	return ordered
}
