package realworld

import (
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

var runsFlag = flag.Int("runs", 0, "run every scenario so often; 0 means 20 on the ordered runtime and 5 on the stock one, times QTESTS_STRESS")

// A Log has what a scenario did, a line for each thing, in order.
type Log struct {
	mu    sync.Mutex
	start time.Time
	lines []string
}

// Addf adds a line, which begins with the fake time since the start.
func (l *Log) Addf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf("%v ", l.at())+fmt.Sprintf(format, args...))
}

func (l *Log) at() time.Duration { return time.Since(l.start) }

func (l *Log) text() string { return strings.Join(l.lines, "\n") }

// outcome runs the scenario again and again, and requires one outcome of all runs on the
// ordered runtime: the same lines, in the same order, at the same time. On the stock
// runtime it counts the outcomes.
func outcome(t *testing.T, scenario func(q *qtests.T, log *Log)) {
	t.Helper()
	r := &result{test: t.Name()}
	defer r.report(t)
	ordered := onOrdered(t)
	if why := notOnStock[t.Name()]; why != "" && !ordered {
		r.outcomes = why
		t.Skipf("on the stock runtime this scenario %s", why)
	}
	began := time.Now()
	seen := map[uint64]bool{}
	first := ""
	for range runs(t, ordered) {
		text := once(t, r, scenario)
		if ordered && len(seen) > 0 && text != first {
			t.Fatalf("run %d differs from the first:\n%s", r.runs, parting(first, text))
		}
		if len(seen) == 0 {
			first, r.hash = text, hash(text)
		}
		seen[hash(text)] = true
	}
	r.outcomes, r.took = strconv.Itoa(len(seen)), time.Since(began)
	t.Logf("%d runs of %d lines, %d outcomes, the first is %016x", r.runs, r.lines, len(seen), r.hash)
}

// once runs the scenario in a bubble of its own and returns its lines.
func once(t *testing.T, r *result, scenario func(q *qtests.T, log *Log)) string {
	t.Helper()
	log := &Log{}
	qtests.Run(t, func(q *qtests.T) {
		log.start = time.Now()
		scenario(q, log)
	})
	r.runs++
	r.lines = len(log.lines)
	if r.lines < 100 {
		t.Fatalf("only %d lines: this was no load", r.lines)
	}
	return log.text()
}


func runs(t *testing.T, ordered bool) int {
	t.Helper()
	if *runsFlag > 0 {
		return *runsFlag
	}
	n := 5
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

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

// parting shows where two texts part: the line before, and the first that differs.
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
	return fmt.Sprintf("line %d of both: %s\nthen first: %s\n this one: %s", i, line(as, i-1), line(as, i), line(bs, i))
}
