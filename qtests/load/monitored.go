package load

import (
	"slices"
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

// observe adds the series of pools and breakers from a monitor, which may be
// nil.
func observe(r *result.Result, m *monitor.Monitor, end time.Time, more []string) {
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
	for _, name := range more {
		if slices.ContainsFunc(r.Series, func(s result.Series) bool { return s.Metric == name }) {
			continue
		}
		all := m.SeriesBetween(r.Start.Add(-time.Nanosecond), end, name)
		for _, s := range all[:min(len(all), maxSeries)] {
			var labels []string
			for _, l := range text.SortedKeys(s.Labels) {
				labels = append(labels, l+"="+s.Labels[l])
			}
			r.Series = append(r.Series, result.Series{Metric: name, Labels: strings.Join(labels, " "), Values: sampled(r, s.Samples)})
		}
	}
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
