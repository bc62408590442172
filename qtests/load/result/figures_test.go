package result

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/section"
)

func TestHeat(t *testing.T) {
	require.Equal(t, Heat{}, HeatOf(nil, time.Second))
	require.Equal(t, Heat{}, HeatOf([][]Bucket{{{Top: 0, Count: 3}}}, time.Second))
	one := HeatOf([][]Bucket{{{Top: time.Millisecond, Count: 3}}, nil, {{Top: 1999 * time.Microsecond, Count: 2}}}, time.Second)
	require.Equal(t, Heat{Width: time.Second, Tops: []time.Duration{1999 * time.Microsecond}, Counts: [][]int64{{3}, {0}, {2}}}, one, "less than twice is one row")

	two := HeatOf([][]Bucket{{{Top: time.Millisecond, Count: 3}, {Top: time.Second, Count: 1}}}, time.Second)
	require.Len(t, two.Tops, heatRows)
	require.Equal(t, time.Second, two.Tops[heatRows-1])
	require.EqualValues(t, 3, two.Counts[0][0])
	require.EqualValues(t, 1, two.Counts[0][heatRows-1])
	require.InEpsilon(t, 1.4125, float64(two.Tops[1])/float64(two.Tops[0]), 0.002, "1000 to the power of 1/20")

	for n, columns := range map[int]int{1: 1, 119: 119, 120: 120, 121: 61, 240: 120, 241: 81} {
		all := make([][]Bucket, n)
		all[n-1] = []Bucket{{Top: time.Millisecond, Count: 1}}
		h := HeatOf(all, time.Second)
		require.Len(t, h.Counts, columns, "%d intervals", n)
		require.Equal(t, time.Duration((n+columns-1)/columns)*time.Second, h.Width)
		require.EqualValues(t, 1, h.Counts[columns-1][0])
	}
}

func TestHeatChartNeedsTwoRows(t *testing.T) {
	require.Nil(t, (&Result{}).heatChart().Heat)
	require.Nil(t, (&Result{Heat: Heat{Tops: []time.Duration{1}, Counts: [][]int64{{1}}}}).heatChart().Heat)
	require.Nil(t, (&Result{Heat: Heat{Tops: []time.Duration{1, 2}}}).heatChart().Heat)
	c := (&Result{Heat: Heat{Width: time.Second, Tops: []time.Duration{time.Second, 2 * time.Second}, Counts: [][]int64{{1, 2}}}}).heatChart()
	require.Equal(t, &report.Heat{Width: 1, Tops: []report.Value{1, 2}, Counts: [][]int64{{1, 2}}}, c.Heat)
}

// TestErrorChart: where nothing ended there is no share of errors.
func TestErrorChart(t *testing.T) {
	r := &Result{Interval: time.Second, Dropped: 1, Interrupted: 1, Timeline: []Point{
		{Finished: 4, Errors: 1, Arrivals: 5, Dropped: 1}, {Offset: time.Second, Interrupted: 1}, {Offset: 2 * time.Second, Finished: 1, Interrupted: 1},
	}}
	var got []map[string][]float64
	for _, s := range r.errorChart().Series {
		var values []float64
		for _, v := range s.Values {
			if v == nil {
				values = append(values, -1)
			} else {
				values = append(values, float64(*v))
			}
		}
		got = append(got, map[string][]float64{s.Name: values})
	}
	require.Equal(t, []map[string][]float64{{"errors": {0.25, -1, 0}}, {"dropped": {0.2, -1, -1}}, {"interrupted": {0, 1, 0.5}}}, got)
}

func TestMetricsInWords(t *testing.T) {
	for want, m := range map[string]MetricResult{
		"20, 2/s":              {Kind: "counter", Sum: 20},
		"last 3  min 1  max 9": {Kind: "gauge", Last: 3, Min: 1, Max: 9},
		"75%, 3 of 4":          {Kind: "rate", Passed: 3, Samples: 4},
		"0%, 0 of 0":           {Kind: "rate"},
		"p50 1  p90 2  p95 3  p99 4  max 5  mean 1.5  of 4":         {Kind: "trend", P50: 1, P90: 2, P95: 3, P99: 4, Max: 5, Sum: 6, Samples: 4},
		"p50 1s  p90 2ms  p95 3s  p99 4s  max 5s  mean 500ms  of 4": {Kind: "trend", Time: true, P50: 1, P90: 0.002, P95: 3, P99: 4, Max: 5, Sum: 2, Samples: 4},
	} {
		require.Equal(t, want, m.describe(10*time.Second))
	}
	require.Equal(t, "20, 0/s", MetricResult{Kind: "counter", Sum: 20}.describe(0))
}

// TestSummaryOfSteps has those with requests, where there is more than one.
func TestSummaryOfSteps(t *testing.T) {
	names := func(steps ...StepResult) (names []string) {
		for _, f := range (&Result{Steps: steps}).Summary(false).Figures {
			if len(f.Name) > 5 && f.Name[:5] == "step(" {
				names = append(names, f.Name)
			}
		}
		return names
	}
	a, b, idle := StepResult{Name: "a", Finished: 1}, StepResult{Name: "b", Finished: 1}, StepResult{Name: "idle"}
	a.Response.Record(time.Millisecond)
	b.Response.Record(time.Millisecond)
	require.Empty(t, names(a), "the only step is the run")
	require.NotEmpty(t, names(a, idle))
	for _, n := range names(a, idle) {
		require.Contains(t, n, "step(a).")
	}
	require.Len(t, names(a, b), 2*len(names(a, idle)))
}

func TestSectionsAsTables(t *testing.T) {
	r := &Result{Sections: []section.Section{
		{Title: "empty"}, {Title: "lines", Lines: []string{"x"}}, {Title: "table", Tables: []section.Table{{Title: "t", Head: []string{"h"}, Rows: [][]string{{"c"}}}, {Title: "cut", More: 3}}},
	}}
	require.Equal(t, []report.Table{
		{Title: "lines", Lines: []string{"x"}}, {Title: "table: t", Head: []string{"h"}, Rows: [][]report.Cell{report.Cells("c")[0:]}}, {Title: "table: cut", Lines: []string{"3 more rows are not shown."}},
	}, r.sectionTables())
}

// TestMergingNothingChangesNothing.
func TestMergingNothingChangesNothing(t *testing.T) {
	var h, same, nothing Histogram
	for _, x := range []*Histogram{&h, &same} {
		x.Record(5 * time.Millisecond)
		x.Record(7 * time.Millisecond)
	}
	h.Merge(&nothing)
	require.Equal(t, same, h)
	require.Equal(t, 5*time.Millisecond, h.Min())
	nothing.Reset()
	require.Zero(t, nothing.Count())
}
