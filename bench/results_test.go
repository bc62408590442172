package bench

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/bench/internal/compare"
)

// groups are all comparisons, in the order of the results.
func groups() []compare.Group {
	return []compare.Group{
		breakers(), pools(), fakes(), fakeTime(), realTime(), users(), leakChecks(), parts(), growth(), determinism(),
	}
}

var resultsFile = flag.String("results", "", "make TestResults run in full and write its results to this `file`")

// fullRun is what the results are made of.
var fullRun = compare.Options{Size: compare.Full, Rounds: 31, Turn: 100 * time.Millisecond, Profile: 5 * time.Second}

const (
	command  = "make bench"
	profiled = "go test -run '^$' -bench '%s' -cpuprofile cpu.prof ."
)

// TestResults runs every comparison. Without -results it does as little as shows
// that all contestants work and that their figures are figures; with it, it takes
// its time and writes what it finds to the file.
func TestResults(t *testing.T) {
	if *resultsFile == "" {
		compare.Results(t, groups(), compare.SmokeRun, func(string) {})
		return
	}
	start := time.Now()
	report := &compare.Report{Command: command, Profiled: profiled, ProfiledOutside: profiledOutside, Date: start, Options: fullRun, Declared: declared()}
	var err error
	report.Machine, err = compare.ThisMachine()
	require.NoError(t, err)
	report.Versions, err = compare.Versions()
	require.NoError(t, err)
	report.Versions = append(report.Versions, k6Version(t)...)

	report.Groups = compare.Results(t, groups(), fullRun, func(name string) {
		fmt.Fprintf(os.Stderr, "%8v  %s\n", time.Since(start).Round(time.Second), name)
	})
	report.Took = time.Since(start)
	require.False(t, t.Failed(), "nothing is written of a run that failed")
	require.NoError(t, write(report, *resultsFile))
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

// BenchmarkRows is every contestant of every comparison by itself, to be profiled.
func BenchmarkRows(b *testing.B) { compare.Benchmark(b, groups()) }
