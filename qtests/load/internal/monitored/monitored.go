// Package monitored adds to a result what a monitor knows of its run.
package monitored

import (
	"math"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// charted are the metrics that the report draws, with the labels that name their
// series.
var charted = []struct {
	metric string
	labels []string
}{
	{"pool_resources", []string{"pool", "state"}},
	{"pool_max_resources", []string{"pool"}},
	{"pool_waiters", []string{"pool"}},
	{"breaker_state", []string{"breaker", "state"}},
}

// maxSeries bounds how many series of a metric a result keeps.
const maxSeries = 50

// Observe adds what a monitor, which may be nil, knows: the series of pools and breakers,
// its panels, its rules and the scrapes that fail.
func Observe(r *result.Result, m *monitor.Monitor, end time.Time) {
	if m == nil || len(r.Timeline) == 0 {
		return
	}
	for _, c := range charted {
		all := m.SeriesBetween(r.Start.Add(-time.Nanosecond), end, c.metric)
		for _, s := range all[:min(len(all), maxSeries)] {
			var names []string
			for _, l := range c.labels {
				names = append(names, s.Labels[l])
			}
			r.Series = append(r.Series, result.Series{Metric: c.metric, Labels: strings.Join(names, " "), Values: sampled(r, s.Samples)})
		}
	}
	r.Monitored = &result.Monitored{}
	for _, expr := range m.Panels() {
		r.Monitored.Panels = append(r.Monitored.Panels, panel(r, m, expr))
	}
	for _, x := range m.Rules() {
		out := result.Rule{Name: x.Name + x.Record, State: string(x.State), Expr: text.OneLine(x.Expr), Now: x.Now()}
		if x.Err != nil {
			out.Error = x.Err.Error()
		}
		r.Monitored.Rules = append(r.Monitored.Rules, out)
	}
	for name, err := range m.TargetErrors() {
		if r.Monitored.Failed == nil {
			r.Monitored.Failed = map[string]string{}
		}
		r.Monitored.Failed[name] = err.Error()
	}
}

// panel evaluates an expression at the end of each interval of the timeline.
func panel(r *result.Result, m *monitor.Monitor, expr string) result.Panel {
	out := result.Panel{Expr: expr}
	n := len(r.Timeline)
	found, err := m.QueryRange(expr, r.Start.Add(r.Interval), r.Start.Add(time.Duration(n)*r.Interval), r.Interval)
	if err != nil {
		out.Error = err.Error()
	}
	for _, s := range found[:min(len(found), maxSeries)] {
		line := result.Line{Series: s.String(), Values: make([]*float64, n)}
		for _, x := range s.Samples {
			if i := int(x.At.Sub(r.Start)/r.Interval) - 1; !math.IsNaN(x.Value) && !math.IsInf(x.Value, 0) {
				line.Values[i] = &x.Value
			}
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}

func sampled(r *result.Result, samples []monitor.Sample) []float64 {
	values := make([]float64, len(r.Timeline))
	seen := make([]bool, len(r.Timeline))
	for _, x := range samples {
		i := int(x.At.Sub(r.Start) / r.Interval)
		if i < 0 || i >= len(values) {
			continue
		}
		if !seen[i] || x.Value > values[i] {
			values[i], seen[i] = x.Value, true
		}
	}
	// After an interval with a peak goes on what came last in it, not the peak.
	last, next := 0.0, 0
	for i := range values {
		if !seen[i] {
			values[i] = last
		}
		for next < len(samples) && int(samples[next].At.Sub(r.Start)/r.Interval) <= i {
			last = samples[next].Value
			next++
		}
	}
	return values
}
