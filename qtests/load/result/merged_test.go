package result

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/internal/sketch"
)

// TestMergeAddsUpMetrics: the last value of a gauge is the latest of all parts, and the percentiles of a trend are of all values.
func TestMergeAddsUpMetrics(t *testing.T) {
	parts := someParts(3)
	for i, p := range parts {
		at := []time.Duration{5, 9, 9}[i] // of two at one instant the later part counts
		x := float64(i + 1)
		p.Metrics = []MetricResult{
			{Name: "orders", Kind: "counter", Samples: 2, Sum: 10 * x, Last: 5, Min: 1, Max: 9},
			{Name: "depth", Kind: "gauge", Samples: 1, Sum: x, Last: x, Min: -x, Max: x},
			{Name: "hits", Kind: "rate", Samples: 4, Passed: int64(i)},
			{Name: "render", Kind: "trend", Time: true, Samples: 1, Sum: x, Last: x, Min: x, Max: x},
		}
		p.Part.Metrics = make([]PartMetric, 4)
		for k := range p.Part.Metrics {
			p.Part.Metrics[k].At = at
		}
		p.Part.Metrics[3].Trend.Add(x)
	}
	parts[2].Metrics, parts[2].Part.Metrics = append(parts[2].Metrics, MetricResult{Name: "alone", Kind: "gauge", Samples: 1, Last: 7, Min: 7, Max: 7}), append(parts[2].Part.Metrics, PartMetric{})
	m, err := Merge(parts...)
	require.NoError(t, err)
	require.Equal(t, []MetricResult{
		{Name: "alone", Kind: "gauge", Samples: 1, Last: 7, Min: 7, Max: 7},
		{Name: "depth", Kind: "gauge", Samples: 3, Sum: 6, Last: 3, Min: -3, Max: 3},
		{Name: "hits", Kind: "rate", Samples: 12, Passed: 3},
		{Name: "orders", Kind: "counter", Samples: 6, Sum: 60, Last: 5, Min: 1, Max: 9},
		{Name: "render", Kind: "trend", Time: true, Samples: 3, Sum: 6, Last: 3, Min: 1, Max: 3, P50: m.Metrics[4].P50, P90: 3, P95: 3, P99: 3},
	}, m.Metrics)
	require.InEpsilon(t, 2, m.Metrics[4].P50, 0.001)
	require.Equal(t, time.Duration(9), m.Part.Metrics[1].At)
}

// TestMergeAddsUpWindows: a window that one part alone has counted in is there, and the times of one window are of all parts.
func TestMergeAddsUpWindows(t *testing.T) {
	parts := someParts(3)
	times := func(ms ...time.Duration) *Histogram {
		h := &Histogram{}
		for _, d := range ms {
			h.Record(d * time.Millisecond)
		}
		return h
	}
	parts[0].Part.Windows = [][]PartWindow{{{Window: 0, N: 1, Of: 2}, {Window: 2, N: 5, Of: 5}}, {{Window: 1, Times: times(3)}}}
	parts[1].Part.Windows = [][]PartWindow{{{Window: 2, N: 1, Of: 3}}, {{Window: 1, Times: times(1, 9)}}}
	parts[2].Part.Windows = [][]PartWindow{{{Window: 1, N: 7, Of: 8}}, nil}
	m, err := Merge(parts...)
	require.NoError(t, err)
	require.Equal(t, []PartWindow{{Window: 0, N: 1, Of: 2}, {Window: 1, N: 7, Of: 8}, {Window: 2, N: 6, Of: 8}}, m.Part.Windows[0])
	require.Len(t, m.Part.Windows, 2)
	require.Len(t, m.Part.Windows[1], 1)
	require.Equal(t, times(3, 1, 9), m.Part.Windows[1][0].Times)
}

// TestMergeOfBusyToTheNanosecond: the mean in flight has all of the time.
func TestMergeOfBusyToTheNanosecond(t *testing.T) {
	parts := someParts(2)
	parts[0].Busy, parts[1].Busy = 1500*time.Millisecond, 250*time.Millisecond
	m, err := Merge(parts...)
	require.NoError(t, err)
	require.InDelta(t, 1.75/1.002, m.MeanInFlight, 1e-9)
}

// TestMergeOfPanelsOfOtherWidths: of the values that come together the last one counts, as each is of the end of its interval.
func TestMergeOfPanelsOfOtherWidths(t *testing.T) {
	parts := someParts(2)
	value := func(x float64) *float64 { return &x }
	panel := func(values ...*float64) *Monitored {
		return &Monitored{Panels: []Panel{{Expr: "e", Lines: []Line{{Series: "s", Values: values}}}}}
	}
	parts[0].Monitored = panel(value(1), value(2), value(5), value(6))
	parts[1].Interval, parts[1].Timeline, parts[1].Part.Intervals = 200*time.Millisecond, []Point{{Arrivals: 4}}, make([]sketch.Sketch, 1)
	parts[1].Monitored = panel(value(3))
	parts[1].Monitored.Panels[0].Error = "no data"
	m, err := Merge(parts...)
	require.NoError(t, err)
	require.Equal(t, []Line{{Series: "s share=1", Values: []*float64{value(2), value(6)}}, {Series: "s share=2", Values: []*float64{value(3)}}}, m.Monitored.Panels[0].Lines)
	require.Equal(t, "no data share=2", m.Monitored.Panels[0].Error)
}
