package result

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHeadAndTail(t *testing.T) {
	for n, want := range map[int][2]int{0: {0, 0}, 23: {23, 0}, 24: {24, 0}, 25: {12, 1}, 30: {12, 6}} {
		first, hidden := headAndTail(n, 24)
		require.Equal(t, want, [2]int{first, hidden}, "%d", n)
	}
}

func TestSpark(t *testing.T) {
	spark := func(values ...int64) string {
		r := &Result{}
		for _, v := range values {
			r.Timeline = append(r.Timeline, Point{Errors: v})
		}
		return r.spark(func(p *Point) float64 { return float64(p.Errors) })
	}
	require.Equal(t, "▁▂▃▄▅▆▇██", spark(1, 10, 20, 30, 40, 50, 60, 70, 80))
	require.Equal(t, "█ ▄", spark(8, 0, 3, 0, 0), "blanks at the end are left out")
	require.Empty(t, spark(0, 0))
	require.Empty(t, spark())
	long := make([]int64, 120)
	long[0], long[1], long[119] = 1, 8, 4 // two intervals a column, the largest counts
	require.Equal(t, "█"+strings.Repeat(" ", 58)+"▅", spark(long...))
	require.Equal(t, "█"+strings.Repeat(" ", 58)+"▅", spark(append([]int64{8}, append(make([]int64, 58), 4)...)...))
}

func TestDistinct(t *testing.T) {
	long := strings.Repeat("x", 70)
	kinds := func(texts ...string) (out []ErrorCount) {
		for _, k := range texts {
			out = append(out, ErrorCount{Kind: k})
		}
		return out
	}
	require.Equal(t, []string{"short", "shore"}, distinct(kinds("short", "shore"), 60))
	require.Equal(t, []string{strings.Repeat("x", 20) + "…" + strings.Repeat("x", 16) + "A", strings.Repeat("x", 20) + "…" + strings.Repeat("x", 16) + "B"},
		distinct(kinds(long+"A", long+"B"), 60))
	early := distinct(kinds("a"+long, "b"+long), 60)
	require.True(t, strings.HasPrefix(early[0], "ax") && strings.HasSuffix(early[0], "…"), "it differs where it is seen: %s", early[0])
	require.Equal(t, 0, commonPrefix("a", "b"))
	require.Equal(t, 2, commonPrefix("ab", "abc"))
	require.Equal(t, 2, commonPrefix("abx", "aby"))
}

// Tables show what there is room for, and how much more there is.
func TestTablesOfTheText(t *testing.T) {
	for n, more := range map[int]bool{0: false, 1: false, 2: false, 12: false, 13: true} {
		r := &Result{Scale: 1}
		for i := range n {
			r.Steps = append(r.Steps, StepResult{Name: fmt.Sprintf("step%d", i), Finished: int64(i + 1)})
			r.ErrorKinds = append(r.ErrorKinds, ErrorCount{Kind: fmt.Sprintf("kind%d", i), Count: 1})
			r.Checks = append(r.Checks, CheckResult{Name: fmt.Sprintf("check%d", i), Passed: 1, Total: 2})
		}
		text := r.String()
		want := 0
		if more {
			want = 2
		}
		require.Equal(t, want, strings.Count(text, "  … and 1 more\n"), "%d", n)
		require.Equal(t, n > 1, strings.Contains(text, "step0"), "a single step is the run: %d", n)
		require.Equal(t, n > 1 && n <= 12, n > 1 && strings.Contains(text, fmt.Sprintf("step%d ", n-1)), "%d", n)
		require.Equal(t, n > 0 && n <= 12, strings.Contains(text, fmt.Sprintf("kind%d ", n-1)), "%d", n)
		require.Equal(t, n > 0, strings.Contains(text, "\n\n  check check0: 1 of 2\n"), "%d", n)
	}
	parts := (&Result{Steps: []StepResult{{Name: "a"}, {Name: "b", Part: true}}, Tags: []StepResult{{Name: "blue"}}}).String()
	require.Contains(t, parts, "\n  a ")
	require.Contains(t, parts, "\n  └ b ")
	require.Contains(t, parts, "\n  tag blue ")
	require.Contains(t, (&Result{Steps: []StepResult{{Name: "a"}}, Tags: []StepResult{{Name: "blue"}}}).String(), "tag blue")
}

// A figure is shown where it says something.
func TestFiguresOfTheText(t *testing.T) {
	bare := (&Result{Scale: 1}).String()
	for _, absent := range []string{"scale", "dropped", "interrupted", "retries", "service", "arrivals", "p99  ", "ended  ", "log  ", "warning", "order", "repeat"} {
		require.NotContains(t, bare, absent)
	}
	require.Contains(t, bare, "response    no request ended\n")
	r := &Result{
		Scale: 0.5, Dropped: 1, Interrupted: 2, Retries: 3, RetriesDenied: 4, Finished: 1000, Errors: 250, Duration: 10 * time.Second, Elapsed: 10 * time.Second,
		Halted: "enough", HaltedAt: 3 * time.Second, LogLost: "disk full", Warning: "slow", Order: "whole", Repeat: "go test",
		Timeline: []Point{{Arrivals: 1, P99: 2, Errors: 1}, {Arrivals: 2, P99: 1}}, MaxInFlight: 7, MeanInFlight: 1.5,
	}
	r.Response.Record(2 * time.Millisecond)
	r.Service.Record(time.Millisecond)
	text := r.String()
	for _, want := range []string{
		", seed 0, scale 0.5\n", "requests    1,000 in 10s, 100/s, 1 dropped, 2 interrupted, 3 retries, 4 retries denied\n",
		"errors      250 (25%)\n", "response    p50 2ms  p90 2ms  p95 2ms  p99 2ms  p99.9 2ms  max 2ms  mean 2ms\n", "service     p50 1ms",
		"in flight   mean 1.5, at most 7\n", "arrivals    ▅█\n", "p99         █▅\n", "errors      █\n",
		"ended       at 3s: enough\n", "log         not written to its end: disk full\n", "warning     slow\n", "order       whole\n", "repeat      go test\n",
	} {
		require.Contains(t, text, want)
	}
	r.Errors, r.Service = 0, r.Response
	require.NotContains(t, r.String(), "service")
	require.NotContains(t, r.String(), "errors      █")
	r.Timeline = r.Timeline[:1]
	require.NotContains(t, r.String(), "arrivals")
}

func TestVerdictInALine(t *testing.T) {
	for want, v := range map[string]Verdict{
		"a<1 cannot be evaluated: no samples":                           {Threshold: "a<1", Error: "no samples"},
		"a<1 kept: 0.5":                                                 {Threshold: "a<1", Pass: true, Actual: "0.5"},
		"a<1 broken: 2; scaled":                                         {Threshold: "a<1", Actual: "2", Note: "scaled"},
		"a<1 broken: 2 in the only window, from 3s":                     {Threshold: "a<1", Actual: "2", Windows: 1, Broken: 1, First: 3 * time.Second},
		"a<1 kept: 0 in the only window":                                {Threshold: "a<1", Pass: true, Actual: "0", Windows: 1},
		"a<1 broken: 1 of 2 windows, the first from 3s, the worst at 2": {Threshold: "a<1", Actual: "2", Windows: 2, Broken: 1, First: 3 * time.Second},
		"a<1 kept: 0 in the worst of 2 windows":                         {Threshold: "a<1", Pass: true, Actual: "0", Windows: 2},
	} {
		require.Equal(t, want, v.String())
	}
}
