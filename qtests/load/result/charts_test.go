package result

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/report"
)

// drawn writes a line of a chart: its name, width, colour and values, with - for a gap.
func drawn(s report.Series) string {
	out := fmt.Sprintf("%s %v %d:", s.Name, s.Width, s.Color)
	for _, v := range s.Values {
		if v == nil {
			out += " -"
		} else {
			out += fmt.Sprintf(" %v", *v)
		}
	}
	return out
}

func TestRateAndLatencyCharts(t *testing.T) {
	r := fullResult()
	c := r.rateChart()
	require.Equal(t, []string{"due 2 0: 5 3", "finished 2 4: 4 0", "finished before 1 6: - 3", "retries 2 1: 2 0"}, titles(c.Series, drawn))
	require.Equal(t, []report.Limit{{Value: 2, Text: "p(99)<1s", Tone: "good"}}, c.Limits)
	c = r.latencyChart()
	require.Equal(t, []string{"p50 2 0: 1 -", "p95 2 1: 2 -", "p99 2 2: 3 -", "max 2 6: 4 -", "p99 before 1 6: 2 -"}, titles(c.Series, drawn))
	require.Equal(t, []report.Limit{{Value: 1, Text: "p(99)<1s", Tone: "good"}}, c.Limits)
	require.Equal(t, []report.Limit{{Value: 0.01, Text: "errors<1%", Tone: "bad"}}, r.errorChart().Limits)
	r.Timeline[1].Finished = 1
	require.Equal(t, "p50 2 0: 1 0", drawn(r.latencyChart().Series[0]))
}

// The axis of the response times is logarithmic where the longest is over 50 times the median.
func TestLatencyAxis(t *testing.T) {
	for _, c := range []struct {
		times []time.Duration
		log   bool
	}{
		{nil, false}, {[]time.Duration{time.Millisecond, 50 * time.Millisecond}, false}, {[]time.Duration{time.Millisecond, 51 * time.Millisecond}, true},
		{[]time.Duration{0, 0, time.Second}, false},
	} {
		var r Result
		for _, d := range c.times {
			r.Response.Record(d)
		}
		require.Equal(t, c.log, r.latencyChart().Log, "%v", c.times)
	}
}

// The chart of the steps has those with most requests, and needs two.
func TestStepChart(t *testing.T) {
	require.Equal(t, []string{"b 1 0: -", "a 1 1: 1.5 -"}, titles(fullResult().stepChart().Series, drawn))
	r := &Result{}
	for i := range 10 {
		curve := []StepPoint{{Finished: 1, Sum: time.Second}}
		if i == 4 {
			curve = nil
		}
		r.Steps = append(r.Steps, StepResult{Name: fmt.Sprint(i), Finished: int64(i), Interval: time.Second, Curve: curve})
	}
	for n, want := range map[int]struct {
		note  string
		lines []string
	}{
		1: {}, 2: {"", []string{"1", "0"}}, 9: {"", []string{"8", "7", "6", "5", "3", "2", "1", "0"}},
		10: {"the 8 steps with most requests", []string{"9", "8", "7", "6", "5", "3", "2", "1"}},
	} {
		c := (&Result{Steps: r.Steps[:n]}).stepChart()
		require.Equal(t, want.note, c.Note)
		require.Equal(t, want.lines, titles(c.Series, func(s report.Series) string { return s.Name }), "of %d", n)
	}
}

// Each pool's lines have colours of their own, as long as there are any.
func TestPoolChart(t *testing.T) {
	r := fullResult()
	for i := range 4 {
		pool := fmt.Sprint("p", i)
		r.Series = append(r.Series, Series{Metric: "pool_resources", Labels: pool + " in_use", Values: []float64{1}}, Series{Metric: "pool_resources", Labels: pool + " idle", Values: []float64{1}},
			Series{Metric: "pool_max_resources", Labels: pool, Values: []float64{2}}, Series{Metric: "pool_waiters", Labels: pool, Values: []float64{0}})
	}
	r.Series = append(r.Series, Series{Metric: "pool_waiters", Labels: "p0", Values: []float64{0, 1}})
	require.Equal(t, []string{
		"in flight 2 6: 5 0", "p0 in use 2 1: 1", "p0 limit 2 2: 2", "p1 in use 2 4: 1", "p1 limit 2 5: 2", "p2 in use 2 7: 1", "p2 limit 2 0: 2",
		"p3 in use 2 1: 1", "p3 limit 2 2: 2", "p0 waiting 2 4: 0 1",
	}, titles(r.poolChart().Series, drawn))
}

func TestLaneCharts(t *testing.T) {
	r := fullResult()
	require.Equal(t, []report.Lane{{Name: "pay", Spans: []report.Phase{
		{To: 2, State: "closed", Tone: "good"}, {From: 2, To: 4, State: "open", Tone: "bad"}, {From: 4, To: 9, State: "half-open", Tone: "warn"},
	}}}, r.laneChart("Breakers", "breaker", 9*time.Second).Lanes)
	require.Equal(t, []report.Lane{{Name: "Slow", Spans: []report.Phase{{To: 3, State: "inactive", Tone: "quiet"}, {From: 3, To: 9, State: "firing", Tone: "bad"}}}},
		r.laneChart("Alerts", "alert", 9*time.Second).Lanes)
}

// Two events of one name last one after the other, and one that begins at the end of the axis is not on it.
func TestBandsAtTheirBounds(t *testing.T) {
	r := &Result{Marks: []Mark{
		{time.Second, "event", "x: begins"}, {2 * time.Second, "event", "x: begins"}, {3 * time.Second, "event", "x: ends"}, {4 * time.Second, "event", "x: ends"},
		{8*time.Second - 1, "event", "y: begins"}, {8 * time.Second, "event", "z: begins"},
	}}
	require.Equal(t, []report.Band{{From: 1, To: 3, Text: "x"}, {From: 2, To: 4, Text: "x"}, {From: (8*time.Second - 1).Seconds(), To: 8, Text: "y"}}, r.bands(8*time.Second))
}

func TestSectionCharts(t *testing.T) {
	r := fullResult()
	r.Sections[0].Charts[0].Curves[1].Values = []float64{1, 2}
	c := r.sectionCharts()[0]
	require.Equal(t, " 0 1: 1 2", drawn(c.Series[1]))
	require.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7", "0", "1"}, titles(c.Series, func(s report.Series) string { return fmt.Sprint(s.Color) }))
}

// A value that is the top of a row is in it, and times that differ by a factor of two have rows.
func TestHeatAtItsBounds(t *testing.T) {
	all := []Bucket{{time.Millisecond, 1}, {2 * time.Millisecond, 5}, {1024 * time.Millisecond, 1}}
	h := HeatOf([][]Bucket{all}, time.Second)
	require.Equal(t, 2*time.Millisecond, h.Tops[1])
	require.EqualValues(t, []int64{1, 5, 0}, h.Counts[0][:3])
	require.Len(t, HeatOf([][]Bucket{all[:2]}, time.Second).Tops, heatRows)
}
