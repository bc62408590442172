package bench

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/bench/internal/compare"
)

// groups are all comparisons, in the order of the results.
func groups() []compare.Group {
	return []compare.Group{
		bubbles(), suites(), requests(), fakes(), breakers(), pools(), fakeTime(), realTime(), users(), leakChecks(), parts(), growth(), determinism(),
	}
}

var resultsFile = flag.String("results", "", "make TestResults run in full and write its results to this `file`")

// committed are the results that belong to the code, of the stock runtime and of the ordered one; each has its chart beside it.
var committed = []string{"RESULTS.md", "ordered/RESULTS.md"}

func command() string {
	if orderOfRun().Runtime {
		return "make bench-ordered"
	}
	return "make bench"
}

// fullRun is what the results are made of.
func fullRun() compare.Options {
	return compare.Options{
		Size: compare.Full, Rounds: 5, Turn: 150 * time.Millisecond,
		Profiles: 3, ProfileLength: 2 * time.Second, Own: `^github\.com/go-qtests/qtests/(qtests|fixtures)[/.]`,
	}
}

// TestResults runs every comparison and writes its results. Without -results it
// does as little as shows that all contestants work, that their figures are figures
// and that they can be written down; with it, it takes its time.
func TestResults(t *testing.T) {
	full := *resultsFile != ""
	file, o, tell := *resultsFile, fullRun(), func(string) {}
	start := time.Now()
	if full {
		tell = func(name string) { fmt.Fprintf(os.Stderr, "%8v  %s\n", time.Since(start).Round(time.Second), name) }
	} else {
		file, o = filepath.Join(t.TempDir(), "RESULTS.md"), compare.SmokeRun
	}
	report := newReport(t, start, o)
	report.Fill(t, groups(), tell)
	require.False(t, t.Failed(), "nothing is written of a run that failed")
	require.NoError(t, write(report, file))
	requireComplete(t, report, file)
	if full { // of a smoke run, who is ahead is chance
		require.Empty(t, report.Unexplained(), "these rows miss a target, or a peer is ahead, and there is no Why")
	}
}

// requireComplete reads what is written: all that is declared, if all was run.
func requireComplete(t *testing.T, report *compare.Report, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	outline := compare.OutlineOf(string(text))
	require.NotEmpty(t, outline)
	if report.Run() == report.Declared {
		require.Equal(t, compare.Outline(groups()), outline)
	}
	for _, g := range report.Groups {
		if g.Chart != nil {
			require.FileExists(t, filepath.Join(filepath.Dir(file), g.ChartFile))
		}
	}
}

// TestResultsAreOfTheseRows holds the committed results to what is declared now:
// tables, contestants, rows and targets. (Figures are as old as they say.)
func TestResultsAreOfTheseRows(t *testing.T) {
	declared := compare.Outline(groups())
	without := func(lines, others []string) []string {
		return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return slices.Contains(others, line) })
	}
	for _, file := range committed {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		written := compare.OutlineOf(string(text))
		require.Empty(t, without(declared, written), "declared, but not in %s: run make bench and make bench-ordered", file)
		require.Empty(t, without(written, declared), "in %s, but not declared: run make bench and make bench-ordered", file)
	}
}

// newReport is one before the run.
func newReport(t *testing.T, start time.Time, o compare.Options) *compare.Report {
	report := &compare.Report{
		Command: command(), Code: compare.Revision(written()...), Date: start, Options: o, Declared: declared(),
	}
	var err error
	report.Machine, err = compare.ThisMachine()
	require.NoError(t, err)
	if orderOfRun().Runtime {
		report.Machine.Go += ", the ordered runtime"
	}
	report.Versions, err = compare.Versions()
	require.NoError(t, err)
	report.Versions = append(report.Versions, programVersions()...)
	return report
}

// written are the files of the repository that a run writes.
func written() []string {
	files := slices.Clone(committed)
	for _, results := range committed {
		for _, g := range groups() {
			if g.Chart != nil {
				files = append(files, filepath.Join(filepath.Dir(results), g.ChartFile))
			}
		}
	}
	return files
}

// write writes the report and, beside it, the charts.
func write(report *compare.Report, file string) error {
	for _, g := range report.Groups {
		if g.Chart == nil {
			continue
		}
		chart := filepath.Join(filepath.Dir(file), g.ChartFile)
		if err := os.WriteFile(chart, []byte(g.Chart(g.Results)), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(file, []byte(report.Markdown()), 0o644)
}

func declared() (n int) {
	for _, g := range groups() {
		n += len(g.Comparisons)
	}
	return n
}

// BenchmarkRows is every contestant of every comparison by itself: in full, to be
// profiled, and with -short as little as shows that it works.
func BenchmarkRows(b *testing.B) {
	size := compare.Full
	if testing.Short() {
		size = compare.Smoke
	}
	compare.Benchmark(b, groups(), size)
}
