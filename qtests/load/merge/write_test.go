package merge

import (
	"bytes"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// outcomes are a run that failed, one that could not be put together, and one that passed.
func outcomes() []Run {
	return []Run{
		{
			Name: "a", Parts: 2, Report: []string{"threshold errors<1%: 2%", "code of the scenario panicked once"},
			Result: &result.Result{
				Test: "TestA", Scenario: "shop", Elapsed: 1500 * time.Millisecond, Scheduled: 1, Panics: 1,
				Thresholds: []result.Verdict{{Threshold: "p(99)<1s", Pass: true}, {Threshold: "errors<1%"}},
			},
		},
		{Name: "b", Parts: 2, Err: errors.New("part 2 of 2 left no result\nit began")},
		{Name: "c", Parts: 1, Result: &result.Result{Test: "TestC", Scheduled: 1, Part: &result.Part{}}},
	}
}

func TestJUnitCounts(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteJUnit(&b, outcomes()))
	var got junitSuites
	require.NoError(t, xml.Unmarshal(b.Bytes(), &got))
	require.Equal(t, []int{5, 2, 1}, []int{got.Tests, got.Failures, got.Errors})
	counts := map[string][]int{}
	for _, s := range got.Suites {
		counts[s.Name] = []int{s.Tests, s.Failures, s.Errors}
	}
	require.Equal(t, map[string][]int{"TestA shop": {3, 2, 0}, "b": {1, 0, 1}, "TestC": {1, 0, 0}}, counts)
	require.Equal(t, "1.500", got.Suites[0].Time)
	require.Equal(t, "code of the scenario panicked once", got.Suites[0].Cases[0].Failure.Message)
	require.Equal(t, "part 2 of 2 left no result", got.Suites[1].Cases[0].Error.Message)
	require.Equal(t, "part 2 of 2 left no result\nit began", got.Suites[1].Cases[0].Error.Text)
}

func TestSummaryCountsWhatFailed(t *testing.T) {
	text := Summary(outcomes())
	require.Contains(t, text, "3 runs put together, 2 failed\n")
	require.Contains(t, text, "b: cannot be put together from 2 parts\n  part 2 of 2 left no result\n  it began\n")
	require.Contains(t, text, "  FAILED: code of the scenario panicked once\n")
	for i, want := range []bool{true, true, false} {
		run := outcomes()[i]
		require.Equal(t, want, run.Failing())
	}
}

func TestWrittenReports(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	require.NoError(t, Write(dir, outcomes()))
	var names []string
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	require.Equal(t, []string{"a.hlog", "a.html", "a.json", "c.hlog", "c.html", "c.json", "junit.xml", "summary.txt"}, names)
	data, err := os.ReadFile(filepath.Join(dir, "c.json"))
	require.NoError(t, err)
	require.NotContains(t, string(data), `"part"`, "it is no part any more")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d.json"), 0o755))
	run := outcomes()[2]
	run.Name = "d"
	require.ErrorContains(t, Write(dir, []Run{run}), "merge: d.json: ")
}

func TestAbsentPartsAreNamed(t *testing.T) {
	f := files{of: 3, readys: []file{{index: 3}}}
	require.EqualError(t, f.absent([]file{{index: 1}}), "parts 2, 3 of 3: missing; part 3 began, and left no result")
	require.EqualError(t, f.absent(nil), "parts 1, 2, 3 of 3: missing; part 3 began, and left no result")
	require.EqualError(t, f.absent([]file{{index: 1}, {index: 3}}), "part 2 of 3: missing")
	require.NoError(t, (&files{of: 1}).absent([]file{{index: 1}}))
}
