package compare

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// report is one with all that a report can have: a target that is met, one that
// is missed, a peer that is ahead, one that is absent, and a figure that only
// one of the contestants has.
func report() *Report {
	absent := Peer("k6", Work{})
	absent.Absent = "not on this machine"
	met := result(Figure{Unit: Nanoseconds, Targets: []Target{Times(0.5, "peer")}},
		map[string][]float64{OursName: {10, 12, 11}, "peer": {40, 40, 40}, "floor": {5, 5, 5}}, trio...)
	met.Name = "fast"
	missed := result(Figure{Unit: PerSecond, MoreIsBetter: true, Targets: []Target{Times(1, "peer"), Times(1.5, "k6")}},
		map[string][]float64{OursName: {900}, "peer": {1000}}, append(trio[:2:2], absent)...)
	missed.Name, missed.Rounds, missed.Why, missed.Top = "slow", 1, "It does more.", "flat  flat%"
	bare := result(Figure{Unit: Bytes}, map[string][]float64{OursName: {4096}}, trio...)
	bare.Name = "a|b"
	return &Report{
		Command: "make bench", Profiled: "go test -bench '%s'", Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Took: 61 * time.Second,
		Machine:  Machine{CPU: "A processor", Cores: 2, Procs: 2, Go: "go1.26.0", OS: "linux/amd64"},
		Versions: []Version{{"example.com/peer", "v1.2.3"}},
		Options:  Options{Rounds: 3, Turn: 100 * time.Millisecond},
		Declared: 4,
		Groups: []GroupResult{{
			Group:   &Group{Name: "things", About: "One operation is one thing.", ChartFile: "things.svg"},
			Results: []*Result{met, missed, bare},
		}},
	}
}

// TestMarkdown compares with a report that has been read. QTESTS_BENCH_UPDATE=1
// writes it anew.
func TestMarkdown(t *testing.T) {
	const golden = "testdata/report.md"
	got := report().Markdown()
	if os.Getenv("QTESTS_BENCH_UPDATE") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
	require.Contains(t, got, "**missed**")
	require.Contains(t, got, "- things: slow: figure\n")
}

func TestMarkdownOfNothingAmiss(t *testing.T) {
	r := report()
	r.Groups[0].Results = r.Groups[0].Results[:1]
	r.Declared = 1
	got := r.Markdown()
	require.Contains(t, got, "**Rows that miss a target:** none.")
	require.NotContains(t, got, "A part only")
	require.NotContains(t, got, "Profiles")
}

func TestThisMachine(t *testing.T) {
	m, err := ThisMachine()
	require.NoError(t, err)
	require.NotEmpty(t, m.CPU)
	require.Positive(t, m.Cores)
}

func TestVersions(t *testing.T) {
	versions, err := Versions()
	require.NoError(t, err)
	require.NotEmpty(t, versions)
	for _, v := range versions {
		require.NotEmpty(t, v.Module)
		require.Regexp(t, `^v\d`, v.Version)
	}
}
