package compare

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// report is one with all that a report can have: a target that is met, one that
// is missed, a peer that is ahead, one that is absent, and a figure that only
// one of the contestants has.
func report() *Report {
	absent := Peer("absent", Work{})
	absent.Absent = "not on this machine"
	met := result(Figure{Unit: Nanoseconds, Targets: []Target{Times(0.5, "peer")}},
		map[string][]float64{OursName: {10, 12, 11}, "peer": {40, 40, 40}, "floor": {5, 5, 5}}, trio...)
	met.Name = "fast"
	missed := result(Figure{Unit: PerSecond, MoreIsBetter: true, Targets: []Target{Times(1, "peer"), Times(1.5, "absent")}},
		map[string][]float64{OursName: {900}, "peer": {1000}}, append(trio[:2:2], absent)...)
	missed.Name, missed.Rounds, missed.Why = "slow", 1, "It does more."
	bare := result(Figure{Unit: Bytes}, map[string][]float64{OursName: {4096}}, trio...)
	bare.Name = "a|b"
	return &Report{
		Command: "make bench", Code: "v1.2.3-4-gabcdef0", Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Took: 61 * time.Second,
		Machine:  Machine{CPU: "A processor", Cores: 2, Procs: 2, Go: "go1.26.0", OS: "linux/amd64"},
		Versions: []Version{{"example.com/peer", "v1.2.3"}},
		Options:  Options{Rounds: 3, Turn: 100 * time.Millisecond},
		Declared: 4, Shares: []float64{0.99, 1},
		Profiles: []Profile{{Group: "things", Comparison: "slow", Behind: 1.5, Text: "flat  flat%"}},
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
}

func TestMarkdownOfNothingAmiss(t *testing.T) {
	r := report()
	r.Groups[0].Results = r.Groups[0].Results[:1]
	r.Declared, r.Profiles = 1, nil
	got := r.Markdown()
	require.Contains(t, got, "**Rows that miss a target:** none.")
	require.NotContains(t, got, "A part only")
	require.NotContains(t, got, "Profiles")
}

// rowOf is the line of a made-up row.
func rowOf(f Figure, readings map[string][]float64) string {
	r := result(f, readings, trio...)
	w := &strings.Builder{}
	g := &GroupResult{Group: &Group{}, Results: []*Result{r}}
	r.Rows()[0].line(w, g.contestants())
	return w.String()
}

func TestLine(t *testing.T) {
	ns := func(targets ...Target) Figure { return Figure{Unit: Nanoseconds, MayBeZero: true, Targets: targets} }
	for _, c := range []struct {
		name       string
		figure     Figure
		ours, peer []float64
		want       string
	}{
		{"one round has no quartiles", ns(), []float64{1}, []float64{2}, "| 1 ns | 2 ns | 4 ns | 0.50 peer | — | — |"},
		{"more have, also if they are alike", ns(), []float64{1000, 1000, 1000}, []float64{2000, 2000, 2000},
			"| 1 µs | 2 µs | 4 ns | 0.50 [0.50–0.50] peer | — | — |"},
		{"equal in all rounds", ns(), []float64{2, 3, 4}, []float64{2, 3, 4}, "| 3 ns | 3 ns | 4 ns | equal to peer | — | — |"},
		{"equal in one round", ns(), []float64{0}, []float64{0}, "| 0 ns | 0 ns | 4 ns | equal to peer | — | — |"},
		{"equal in the middle only", ns(), []float64{1, 2, 4}, []float64{2, 2, 2}, "| 2 ns | 2 ns | 4 ns | 1 [0.75–1.50] peer | — | — |"},
		{"equal below the middle only", ns(), []float64{2, 2, 4}, []float64{2, 2, 2}, "| 2 ns | 2 ns | 4 ns | 1 [1–1.50] peer | — | — |"},
		{"equal above the middle only", ns(), []float64{1, 2, 2}, []float64{2, 2, 2}, "| 2 ns | 2 ns | 4 ns | 1 [0.75–1] peer | — | — |"},
		{"a floor is compared with where it is in the target", ns(Times(3, "floor")), []float64{8}, []float64{16},
			"| 8 ns | 16 ns | 4 ns | 0.50 peer<br>2 floor | ≤ 3 × floor | met |"},
		{"met within", ns(Times(0.5, "peer")), []float64{41, 45, 61}, []float64{100, 100, 100},
			"| 45 ns | 100 ns | 4 ns | 0.45 [0.43–0.53] peer | ≤ 0.5 × peer | met, but noise decides |"},
		{"missed within", ns(Times(0.5, "peer")), []float64{41, 55, 61}, []float64{100, 100, 100},
			"| 55 ns | 100 ns | 4 ns | 0.55 [0.48–0.58] peer | ≤ 0.5 × peer | **missed**, but noise decides |"},
		{"nothing to divide by", ns(), []float64{1}, []float64{0}, "| 1 ns | 0 ns | 4 ns | — | — | — |"},
		{"no figure", ns(Times(1, "peer")), []float64{1}, nil, "| 1 ns | — | 4 ns | — | ≤ 1 × peer | not judged |"},
	} {
		t.Run(c.name, func(t *testing.T) {
			readings := map[string][]float64{OursName: c.ours, "peer": c.peer, "floor": {4}}
			require.Equal(t, "| comparison: figure "+c.want+"\n", rowOf(c.figure, readings))
		})
	}
}

func TestShortfalls(t *testing.T) {
	for _, c := range []struct {
		name            string
		ours            []float64
		missed, isAhead string
	}{
		{"all is well", []float64{40, 50, 50}, "", ""},
		{"missed", []float64{60, 70, 80}, "≤ 0.5 × peer", ""},
		{"missed within", []float64{40, 55, 80}, "≤ 0.5 × peer, but noise decides", ""},
		{"ahead", []float64{110, 110, 110}, "≤ 0.5 × peer", "peer"},
		{"ahead within", []float64{80, 110, 110}, "≤ 0.5 × peer", "peer, but noise decides"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := func(title, name, detail string) string {
				if detail == "" {
					return "**" + title + ":** none.\n\n"
				}
				return "**" + title + ":**\n\n- things: comparison: figure (" + name + detail + ")\n\n"
			}
			f := Figure{Targets: []Target{Times(0.5, "peer"), Bound(1000)}}
			r := result(f, map[string][]float64{OursName: c.ours, "peer": {100, 100, 100}}, trio...)
			w := &strings.Builder{}
			(&Report{Groups: []GroupResult{{Group: &Group{Name: "things"}, Results: []*Result{r}}}}).shortfalls(w)
			require.Equal(t, list("Rows that miss a target", "", c.missed)+list("Rows in which a peer is ahead of ours", "behind ", c.isAhead), w.String())
		})
	}
}

// TestExplanations shows them where they are needed, and once.
func TestExplanations(t *testing.T) {
	named := func(name, why string, ours float64) *Result {
		r := result(Figure{}, map[string][]float64{OursName: {ours}, "peer": {2}}, trio...)
		r.Name, r.Why = name, why
		return r
	}
	w := &strings.Builder{}
	(&GroupResult{Results: []*Result{
		named("ahead", "It needs none.", 1), named("equal", "It needs none.", 2),
		named("behind", "It does more.", 3), named("unexplained", "", 3), named("another", "It must.", 4), named("behind, too", "It does more.", 3),
	}}).explanations(w)
	require.Equal(t, "*behind; behind, too:* It does more.\n\n*another:* It must.\n\n", w.String())
}
