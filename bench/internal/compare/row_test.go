package compare

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// missing stands for a reading that is not there.
const missing = -math.MaxFloat64

// result is a made-up one: the readings of "figure", round by round, by contestant.
func result(f Figure, readings map[string][]float64, contestants ...Contestant) *Result {
	f.Name = "figure"
	r := &Result{Comparison: &Comparison{Name: "comparison", Contestants: contestants, Figures: []Figure{f}}}
	for name, xs := range readings {
		for round, x := range xs {
			if round == len(r.Turns) {
				r.Turns = append(r.Turns, map[string]Readings{})
			}
			if x != missing {
				r.Turns[round][name] = Readings{"figure": x}
			}
		}
	}
	return r
}

var trio = []Contestant{Ours(Work{}), Peer("peer", Work{}), Floor("floor", Work{})}

func TestJudge(t *testing.T) {
	times := func(limit float64) []Target { return []Target{Times(limit, "peer")} }
	for _, c := range []struct {
		name   string
		figure Figure
		ours   []float64
		peer   []float64
		want   Verdict
		behind bool
	}{
		{"a ratio is kept", Figure{Targets: times(0.5)}, []float64{1, 1, 9}, []float64{2, 2, 2}, Met, false},
		{"a ratio is missed", Figure{Targets: times(0.5)}, []float64{3, 3, 3}, []float64{5, 5, 5}, Missed, false},
		{"the median misses, the lower quartile does not", Figure{Targets: times(0.5)}, []float64{1, 3, 3}, []float64{5, 5, 5}, Missed, false},
		{"the median keeps it, the upper quartile does not", Figure{Targets: times(0.5)}, []float64{2, 2, 4}, []float64{5, 5, 5}, Met, false},
		{"the peer is ahead", Figure{Targets: times(2)}, []float64{3}, []float64{2}, Met, true},
		{"both are equal", Figure{Targets: times(1)}, []float64{2}, []float64{2}, Met, false},
		{"more is better", Figure{MoreIsBetter: true, Targets: times(1.5)}, []float64{30}, []float64{20}, Met, false},
		{"more is better, and it is less", Figure{MoreIsBetter: true, Targets: times(1.5)}, []float64{10}, []float64{20}, Missed, true},
		{"more is better, and both are equal", Figure{MoreIsBetter: true, Targets: times(1)}, []float64{2}, []float64{2}, Met, false},
		{"a bound is kept", Figure{Targets: []Target{Bound(4096)}}, []float64{4096}, []float64{1}, Met, true},
		{"a bound is missed", Figure{Targets: []Target{Bound(4096)}}, []float64{4097}, nil, Missed, false},
		{"nothing allocates", Figure{Targets: []Target{Bound(0)}}, []float64{0}, []float64{0}, Met, false},
		{"nobody to compare with", Figure{Targets: times(1)}, []float64{1}, nil, NotJudged, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows := result(c.figure, map[string][]float64{OursName: c.ours, "peer": c.peer, "floor": {0}}, trio...).Rows()
			require.Len(t, rows, 1)
			require.Equal(t, c.want, rows[0].Judged[0].Verdict)
			require.Equal(t, c.want == Missed, rows[0].Missed())
			require.Equal(t, c.behind, len(rows[0].Behind()) == 1, "a floor is nobody to be behind")
			require.Equal(t, c.behind || c.want == Missed, rows[0].NeedsExplaining())
			require.Equal(t, rows[0].NeedsExplaining(), rows[0].Result.needsExplaining())
		})
	}
}

// TestWithinSpread has the limit, or the peer, between the quartiles of three
// rounds, which lie in the middle between the readings, and beside them.
func TestWithinSpread(t *testing.T) {
	for _, c := range []struct {
		name                 string
		figure               Figure
		ours                 []float64
		want                 Verdict
		judgedWithin, behind bool
		behindWithin         bool
	}{
		{"met", Figure{Targets: []Target{Times(0.5, "peer")}}, []float64{40, 45, 48}, Met, false, false, false},
		{"met within", Figure{Targets: []Target{Times(0.5, "peer")}}, []float64{40, 45, 60}, Met, true, false, false},
		{"met at the limit", Figure{Targets: []Target{Times(0.5, "peer")}}, []float64{40, 50, 50}, Met, false, false, false},
		{"missed within", Figure{Targets: []Target{Times(0.5, "peer")}}, []float64{40, 55, 60}, Missed, true, false, false},
		{"missed and behind", Figure{Targets: []Target{Times(0.5, "peer")}}, []float64{110, 120, 130}, Missed, false, true, false},
		{"behind within", Figure{Targets: []Target{Bound(200)}}, []float64{80, 110, 120}, Met, false, true, true},
		{"behind by a hair", Figure{Targets: []Target{Bound(200)}}, []float64{101, 101, 101}, Met, false, true, false},
		{"ahead, and not in all rounds", Figure{Targets: []Target{Bound(200)}}, []float64{80, 90, 150}, Met, false, false, false},
		{"more is better, missed within", Figure{MoreIsBetter: true, Targets: []Target{Times(1, "peer")}}, []float64{80, 90, 120}, Missed, true, true, true},
		{"more is better, missed", Figure{MoreIsBetter: true, Targets: []Target{Times(1, "peer")}}, []float64{80, 90, 95}, Missed, false, true, false},
		{"a single round", Figure{Targets: []Target{Bound(109)}}, []float64{110}, Missed, false, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			row := result(c.figure, map[string][]float64{OursName: c.ours, "peer": []float64{100, 100, 100}[:len(c.ours)]}, trio...).Rows()[0]
			require.Equal(t, c.want, row.Judged[0].Verdict)
			require.Equal(t, c.judgedWithin, row.Judged[0].WithinSpread)
			require.Equal(t, c.behind, len(row.Behind()) == 1)
			require.Equal(t, c.behindWithin, row.Against[0].WithinSpread)
		})
	}
}

// TestPairsWithinARound leaves a reading out in the middle. Every round is ten
// times as slow as the one before it.
func TestPairsWithinARound(t *testing.T) {
	f := Figure{Targets: []Target{Times(0.5, "peer")}}
	r := result(f, map[string][]float64{OursName: {1, 10, 100, 1000}, "peer": {2, missing, 200, 2000}}, trio...)
	row := r.Rows()[0]
	require.Equal(t, Summary{0.5, 0.5, 0.5, 3}, row.Against[0].Ratio)
	require.Equal(t, Summary{-100, -550, -50.5, 3}, row.Against[0].More)
	require.Equal(t, row.Against[0].Ratio, row.Judged[0].Actual)
	require.Equal(t, 200.0, r.Median("peer", "figure"))
}

func TestTargetText(t *testing.T) {
	times, rate := &Figure{Unit: Nanoseconds}, &Figure{Unit: PerSecond, MoreIsBetter: true}
	require.Equal(t, "≤ 0.3 × gobreaker", Times(0.3, "gobreaker").format(times))
	require.Equal(t, "≥ 1.5 × vegeta", Times(1.5, "vegeta").format(rate))
	require.Equal(t, "≤ 30 ns", Bound(30).format(times))
}
