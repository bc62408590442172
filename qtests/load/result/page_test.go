package result

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/load/internal/sketch"
	"github.com/go-qtests/qtests/qtests/section"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// fullResult has something of all that a report shows.
func fullResult() *Result {
	three := 3.0
	r := &Result{
		Version: Version, Scenario: "shop", Profile: "10/s", Seed: 7, Scale: 0.5, Start: begin, Duration: 4 * time.Second, Elapsed: 6 * time.Second,
		Scheduled: 20, Started: 19, Finished: 16, Errors: 4, Dropped: 1, Interrupted: 3, Retries: 4, Abandoned: 2, Panics: 1, FirstPanic: "boom\nstack",
		MeanInFlight: 1.5, MaxInFlight: 7, MarksDropped: 3, LogLost: "disk full", Warning: "too slow", Slow: true, Order: "whole", Repeat: "go test",
		Interval: 2 * time.Second, Timeline: []Point{
			{Arrivals: 10, Finished: 8, Retries: 4, P50: time.Second, P95: 2 * time.Second, P99: 3 * time.Second, Max: 4 * time.Second, InFlight: 5},
			{Offset: 2 * time.Second, Arrivals: 6},
		},
		Heat:       Heat{Width: 2 * time.Second, Tops: []time.Duration{1, 2}, Counts: [][]int64{{1, 2}}},
		Steps:      []StepResult{{Name: "a", Finished: 3, Interval: time.Second, Curve: []StepPoint{{Finished: 2, Sum: 3 * time.Second}, {}}}, {Name: "b", Finished: 13, Interval: time.Second, Curve: []StepPoint{{}}}},
		Checks:     []CheckResult{{Name: "c", Passed: 1, Total: 2}},
		ErrorKinds: []ErrorCount{{Kind: "k", Count: 4}},
		Metrics:    []MetricResult{{Name: "m", Kind: "rate"}},
		Thresholds: []Verdict{
			{Threshold: "p(99)<1s", Pass: true, Actual: "0.5", Levels: []Level{{Of: "response", Value: 1}, {Of: "rate", Value: 2}}},
			{Threshold: "errors<1%", Actual: "25%", Levels: []Level{{Of: "errors", Value: 0.01}}}, {Threshold: "x<1", Error: "no samples"},
		},
		Marks: []Mark{
			{time.Second, "event", "outage: begins"}, {2 * time.Second, "breaker pay", "closed → open: 5 failures"}, {3 * time.Second, "event", "outage: ends early"},
			{3 * time.Second, "alert Slow", "inactive → firing"}, {3 * time.Second, "event", "drain: begins"}, {4 * time.Second, "breaker pay", "open → half-open"},
			{4 * time.Second, "chaos", "a → b"}, {6 * time.Second, "event", "late: begins"}, {6 * time.Second, "event", "nothing: ends"},
		},
		Monitored: &Monitored{
			Panels: []Panel{{Expr: "up", Lines: []Line{{Series: "s", Values: []*float64{&three, nil}}}}}, Failed: map[string]string{"shop": "refused"},
			Rules: []Rule{{Name: "r", State: "inactive", Expr: "up", Now: "1"}, {Name: "f", State: "firing", Error: "bad"}},
		},
		Sections: []section.Section{{Title: "s", Charts: []section.Chart{{Title: "c", Unit: "number", Curves: make([]section.Curve, 10)}}}},
		Baseline: &Summary{Interval: time.Second, Rate: []float32{0, 3}, P99: []float32{2, 0}},
	}
	return r
}

func titles[T any](all []T, of func(T) string) (names []string) {
	for _, x := range all {
		names = append(names, of(x))
	}
	return names
}

// What there is nothing to say of is not on the page.
func TestPageOfNothing(t *testing.T) {
	p := (&Result{}).page()
	require.Equal(t, []string{"Rate", "Response time", "Errors", "Requests in flight and pools"}, titles(p.Charts, func(c report.Chart) string { return c.Title }))
	require.Equal(t, []string{"Counts"}, titles(p.Tables, func(t report.Table) string { return t.Title }))
	require.Equal(t, []string{"seed 0, scale 0, start 0001-01-01T00:00:00Z"}, p.Footer)
	require.Equal(t, 0.001, p.Span)
	require.Empty(t, p.Reasons)
	for _, c := range p.Charts {
		require.NotEmpty(t, c.Series)
		for _, s := range c.Series {
			require.NotContains(t, s.Name, "before")
			require.NotContains(t, []string{"retries", "dropped", "interrupted"}, s.Name)
		}
	}
}

func TestPage(t *testing.T) {
	r := fullResult()
	p := r.page()
	require.Equal(t, []string{
		"Rate", "Response time", "Response times, each", "Mean response time by step", "Errors", "Requests in flight and pools", "up", "Breakers", "Alerts", "s: c",
	}, titles(p.Charts, func(c report.Chart) string { return c.Title }))
	require.Equal(t, []string{
		"Thresholds", "Steps", "Errors by kind", "Checks", "Metrics", "Counts", "Scrapes that failed at the end", "Rules at the end", "What happened when",
	}, titles(p.Tables, func(t report.Table) string { return t.Title }))
	require.Equal(t, []string{
		"seed 7, scale 0.5, start 2026-03-01T12:00:00Z",
		"The panels are those of monitor.Config.Panels. A query box is in the live page, dashboard.Handler; after a run, Monitor.QueryRange answers.",
		"Of what happened, 3 further marks are missing: the event log was full.", "The request log was not written to its end: disk full",
		"Warning: too slow", "Order: whole", "Repeat with: go test",
	}, p.Footer)
	require.Equal(t, []string{"event", "breaker", "event", "alert", "event", "breaker", "other", "event", "event"}, titles(p.Marks, func(m report.Mark) string { return m.Kind }))
	require.Equal(t, []report.Band{{From: 1, To: 3, Text: "outage"}, {From: 3, To: 6, Text: "drain"}}, p.Bands)
	require.Equal(t, 6.0, p.Span)
	require.Equal(t, report.Fact{Label: "Errors", Value: "25%", Note: "4 requests"}, p.Facts[4])
	require.Equal(t, report.Fact{Label: "In flight", Value: "1.5", Note: "at most 7"}, p.Facts[5])
	require.Equal(t, []string{
		"threshold errors<1% broken: 25%", "threshold x<1 cannot be evaluated: no samples", "code of the scenario panicked once, the first time: boom",
		"2 requests ignored that their context was cancelled", "the request log was not written to its end: disk full", "too slow",
	}, r.Reasons())
	r.Duration = 10 * time.Second
	require.Equal(t, 10.0, r.page().Span)
	r.Halted = "enough"
	require.Equal(t, 6.0, r.page().Span, "it ended early")
	require.Contains(t, r.Reasons(), "the run ended early, at 6s: enough")
	r.HaltedAt = 4 * time.Second
	require.Contains(t, r.Reasons(), "the run ended early, at 4s: enough")
}

func TestReasonsOfNoRequest(t *testing.T) {
	require.Equal(t, []string{"no request came in 2s, and so nothing was tested"}, (&Result{Version: Version, Elapsed: 2 * time.Second}).Reasons())
	require.Empty(t, (&Result{Elapsed: 2 * time.Second}).Reasons(), "it is no result of a run")
	require.Empty(t, (&Result{Version: Version, Scheduled: 1}).Reasons())
	require.Equal(t, []string{"the run ended early, at 0s: x"}, (&Result{Version: Version, Halted: "x"}).Reasons())
}

func TestInFlightIsMeanOrMost(t *testing.T) {
	for mean, want := range map[float64][2]string{0: {"at most 5", "the most at any instant"}, 0.0099: {"at most 5", "the most at any instant"}, 0.01: {"mean 0.01, at most 5", "at most 5"}} {
		r := &Result{MeanInFlight: mean, MaxInFlight: 5}
		require.Equal(t, want, [2]string{r.inFlight(), r.inFlightFact().Note})
	}
}

func TestTables(t *testing.T) {
	r := fullResult()
	bad := func(text string) report.Cell { return report.Cell{Text: text, Tone: "bad"} }
	require.Equal(t, [][]report.Cell{
		{{Text: "kept", Tone: "good"}, {Text: "p(99)<1s"}, {Text: "0.5"}}, {bad("broken"), {Text: "errors<1%"}, {Text: "25%"}}, {bad("error"), {Text: "x<1"}, {Text: "no samples"}},
	}, r.thresholdTable().Rows)
	require.Equal(t, [][]report.Cell{{{Text: "r"}, {Text: "inactive"}, {Text: "up"}, {Text: "1"}}, {{Text: "f"}, bad("firing"), {}, bad("bad")}}, r.rulesTable().Rows)
	require.Equal(t, [][]report.Cell{{{Text: "shop"}, bad("refused")}}, r.failedTable().Rows)
	rows := r.marksTable().Rows
	require.Len(t, rows, 10)
	require.Equal(t, report.Cell{Text: "3 further marks are missing: the event log was full", Tone: "warn"}, rows[9][2])
	r.MarksDropped = 0
	require.Len(t, r.marksTable().Rows, 9)
	r = &Result{Sections: []section.Section{{Title: "lines", Lines: []string{"a"}}, {Title: "t", Tables: []section.Table{{Title: "one of each", Rows: [][]string{{"x"}}, More: 1}}}}}
	require.Equal(t, []string{"lines", "t: one of each", "Counts"}, titles(r.tables(), func(t report.Table) string { return t.Title }))
}

func TestFilesOfTheReport(t *testing.T) {
	r, dir := &Result{Scenario: "a b"}, t.TempDir()
	for _, want := range []string{"load-a-b", "load-a-b-2", "load-a-b-3"} {
		page, err := r.SaveTo(dir)
		require.NoError(t, err)
		require.Equal(t, filepath.Join(dir, want+".html"), page)
		require.FileExists(t, filepath.Join(dir, want+".json"))
	}
	_, err := r.SaveTo(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = r.save(dir, ".txt", func(io.Writer) error { return errors.New("no ink") })
	require.EqualError(t, err, "no ink")
	page := ""
	rec := tbtest.Run("report", func(tb *tbtest.TB) { page = r.SaveHTML(tb) })
	require.Empty(t, rec.Errors())
	require.Equal(t, "load-a-b.html", filepath.Base(page))
}

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "shop-1_b": "shop-1_b", "a/b c.d": "a-b-c-d", "läden٣": "läden٣", strings.Repeat("x", 100): strings.Repeat("x", 100), strings.Repeat("x", 101): strings.Repeat("x", 100),
		strings.Repeat("é", 60): strings.Repeat("é", 50), "a" + strings.Repeat("é", 60): "a" + strings.Repeat("é", 49), "a" + strings.Repeat("店", 60): "a" + strings.Repeat("店", 33),
		"ab" + strings.Repeat("店", 60): "ab" + strings.Repeat("店", 32),
	} {
		require.Equal(t, want, FileName(name))
	}
}

func TestStepByName(t *testing.T) {
	s, ok := fullResult().Step("b")
	require.True(t, ok)
	require.EqualValues(t, 13, s.Finished)
	_, ok = fullResult().Step("c")
	require.False(t, ok)
}

// The text has what there is no room for in a line of its own, and nothing of what there is not.
func TestLinesOfTheText(t *testing.T) {
	text := fullResult().String()
	for _, want := range []string{
		"\n\n  metric m: 0%, 0 of 0\n", "\n\n  ✓ p(99)<1s  (0.5)\n  ✗ errors<1%  (25%)\n  ✗ x<1  (no samples)\n", "  3 further marks are missing: the event log was full\n",
	} {
		require.Contains(t, text, want)
	}
	bare := (&Result{Steps: make([]StepResult, 2), ErrorKinds: make([]ErrorCount, 1), Metrics: make([]MetricResult, 2), Thresholds: make([]Verdict, 2)}).String()
	for _, absent := range []string{"more", "missing", "\n\n  metric : \n\n", "(no samples)"} {
		require.NotContains(t, bare, absent)
	}
	require.Equal(t, 2, strings.Count(bare, "  ✗ "))
	require.NotContains(t, bare, "\n\n  ✗   ()\n\n  ✗")
}

func TestSectionsOfTheText(t *testing.T) {
	rows := func(n int) (all [][]string) {
		for i := range n {
			all = append(all, []string{"row" + string(rune('a'+i))})
		}
		return all
	}
	told := func(table section.Table) string {
		table.Title, table.Head = "table", []string{"head"}
		return (&Result{Sections: []section.Section{{Title: "sec", Tables: []section.Table{table}}}}).String()
	}
	require.NotContains(t, told(section.Table{More: 3}), "table", "it has no rows")
	require.Contains(t, told(section.Table{Rows: rows(1)}), "\n  table\n  head\n  rowa\n")
	require.NotContains(t, told(section.Table{Rows: rows(12)}), "more")
	require.Contains(t, told(section.Table{Rows: rows(13)}), "rowl\n  … and 1 more\n")
	require.NotContains(t, told(section.Table{Rows: rows(13)}), "rowm")
	require.Contains(t, told(section.Table{Rows: rows(13), More: 4}), "  … and 5 more\n")
	require.Contains(t, told(section.Table{Rows: rows(1), More: 4}), "rowa\n  … and 4 more\n")
}

// Of kinds that are cut, the place where they differ is shown as soon as the cut hides it.
func TestDistinctAtItsBounds(t *testing.T) {
	kinds := func(same, long int) []string {
		head := strings.Repeat("x", same)
		all := []ErrorCount{{Kind: head + strings.Repeat("a", long-same)}, {Kind: head + strings.Repeat("b", long-same)}}
		return distinct(all, 60)
	}
	require.Equal(t, strings.Repeat("x", 59)+"a", kinds(59, 60)[0], "there is room for all")
	require.Equal(t, strings.Repeat("x", 44)+strings.Repeat("a", 16)+"…", kinds(44, 80)[0])
	require.Equal(t, strings.Repeat("x", 20)+"…"+strings.Repeat("x", 16)+strings.Repeat("a", 24)+"…", kinds(45, 100)[0])
}

// What the parts counted of a step adds up, with a curve at the wider of their widths.
func TestMergeAddsUpSteps(t *testing.T) {
	parts := someParts(4)
	point := func(n int64) StepPoint { return StepPoint{Finished: n, Sum: time.Duration(n) * time.Second} }
	parts[0].Steps = []StepResult{{Name: "a", Interval: time.Second, Curve: []StepPoint{point(1), point(2), point(3), point(4), point(5)}}, {Name: "b"}}
	parts[0].Part.Steps = []PartCounts{{Timeouts: 1, Retries: 2, Denied: 3}}
	parts[1].Steps = []StepResult{{Name: "a", Interval: 2 * time.Second, Curve: []StepPoint{point(10), point(20)}}}
	parts[1].Part.Steps = []PartCounts{{Timeouts: 10, Retries: 20, Denied: 30}}
	parts[2].Checks = []CheckResult{{Name: "c", Passed: 1, Total: 2}}
	parts[3].Checks = []CheckResult{{Name: "c", Passed: 3, Total: 5}}
	parts[1].ErrorKinds, parts[2].ErrorKinds = []ErrorCount{{Kind: "k", First: 7, Text: "one"}}, []ErrorCount{{Kind: "k", First: 7, Text: "other"}}
	parts[3].Metrics = []MetricResult{{Name: "m"}}
	parts[1].Halted, parts[1].HaltedAt, parts[2].Halted, parts[2].HaltedAt, parts[3].HaltedAt = "x", 5*time.Second, "y", 3*time.Second, time.Second
	m, err := Merge(parts...)
	require.NoError(t, err)
	require.Equal(t, []StepPoint{point(13), point(27), point(5)}, m.Steps[0].Curve)
	require.Equal(t, 2*time.Second, m.Steps[0].Interval)
	require.Equal(t, []PartCounts{{Timeouts: 11, Retries: 22, Denied: 33}, {}}, m.Part.Steps)
	require.Equal(t, []CheckResult{{Name: "c", Passed: 4, Total: 7}}, m.Checks)
	require.Equal(t, "one", m.ErrorKinds[0].Text)
	require.Equal(t, 3*time.Second, m.HaltedAt)
	require.Equal(t, []time.Duration{0, 100 * time.Millisecond}, []time.Duration{m.Timeline[0].Offset, m.Timeline[1].Offset})
	for _, p := range parts {
		p.Elapsed, p.Timeline, p.Part.Intervals = 0, nil, []sketch.Sketch{}
	}
	m, err = Merge(parts...)
	require.NoError(t, err)
	require.Zero(t, m.MeanInFlight)
	parts[1].Part = nil
	_, err = Merge(parts[0], parts[1])
	require.ErrorContains(t, err, `result 2 of 2, of the scenario "shop", is not a part of a run`)
}
