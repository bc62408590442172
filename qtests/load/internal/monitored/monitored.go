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
			r.Series = append(r.Series, result.Series{Metric: c.metric, Labels: valuesOf(s.Labels, c.labels), Values: sampled(r, s.Samples)})
		}
	}
	r.Monitored = &result.Monitored{Failed: failed(m)}
	for _, expr := range m.Panels() {
		r.Monitored.Panels = append(r.Monitored.Panels, panel(r, m, expr))
	}
	for _, x := range m.Rules() {
		r.Monitored.Rules = append(r.Monitored.Rules, rule(x))
	}
}

func valuesOf(labels map[string]string, names []string) string {
	var values []string
	for _, name := range names {
		values = append(values, labels[name])
	}
	return strings.Join(values, " ")
}

func rule(x monitor.RuleStatus) result.Rule {
	out := result.Rule{Name: x.Name + x.Record, State: string(x.State), Expr: text.OneLine(x.Expr), Now: x.Now()}
	if x.Err != nil {
		out.Error = x.Err.Error()
	}
	return out
}

// failed are the errors of scrapes, by the name of the target.
func failed(m *monitor.Monitor) (all map[string]string) {
	for name, err := range m.TargetErrors() {
		if all == nil {
			all = map[string]string{}
		}
		all[name] = err.Error()
	}
	return all
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
		out.Lines = append(out.Lines, line(r, s))
	}
	return out
}

func line(r *result.Result, s monitor.Series) result.Line {
	out := result.Line{Series: s.String(), Values: make([]*float64, len(r.Timeline))}
	for _, x := range s.Samples {
		if i := intervalOf(r, x) - 1; !math.IsNaN(x.Value) && !math.IsInf(x.Value, 0) {
			out.Values[i] = &x.Value
		}
	}
	return out
}

// intervalOf is the number of the interval in which a sample lies, from 0.
func intervalOf(r *result.Result, x monitor.Sample) int { return int(x.At.Sub(r.Start) / r.Interval) }

// sampled is the largest value of each interval. One without a sample has what came last before it, not the peak.
func sampled(r *result.Result, samples []monitor.Sample) []float64 {
	values := make([]float64, len(r.Timeline))
	seen := make([]bool, len(r.Timeline))
	for _, x := range samples {
		i := intervalOf(r, x)
		if i < 0 || i >= len(values) {
			continue
		}
		if !seen[i] || x.Value > values[i] {
			values[i], seen[i] = x.Value, true
		}
	}
	last, next := 0.0, 0
	for i := range values {
		if !seen[i] {
			values[i] = last
		}
		for next < len(samples) && intervalOf(r, samples[next]) <= i {
			last = samples[next].Value
			next++
		}
	}
	return values
}
