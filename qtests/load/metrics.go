package load

import (
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/internal/scrape"
)

// Metrics exports the counters of runs to Prometheus:
//
//	load_requests_total{scenario,step,result="ok|error"}   counter, requests that ended
//	load_in_flight{scenario}                               gauge, requests under way
//	load_response_seconds{scenario,step}                   histogram, from the due instant
//
// In a process that is part i of a run all have the label share="i" as well. With QTESTS_METRICS=:9464, or
// another address, a run without Metrics of its own has them served there at /metrics, from before its start
// until its end.
//
// Give it to Scenario.Metrics and to a registry or a monitor, which collects from it. It reads the run
// when it is collected, and so costs a request nothing. Of several runs with the same name it exports
// the latest. It is safe for concurrent use.
type Metrics struct {
	runs atomic.Pointer[[]source] // a list never changes; a run that comes makes a new one
	family
}

// A source is what a run exports.
type source struct {
	name string
	read func(family) []prometheus.Metric
}

// NewMetrics returns a collector without runs.
//
// In a bubble there is no label share: every part of a run under a fake clock runs the whole.
func NewMetrics() *Metrics {
	if stacks.InBubble() {
		return &Metrics{family: newFamily(nil)}
	}
	return &Metrics{family: newFamily(shareLabels(share.Current()))}
}

// A family describes the metrics of the runs of a process.
type family struct{ requests, inFlight, response *prometheus.Desc }

func newFamily(labels prometheus.Labels) family {
	return family{
		prometheus.NewDesc("load_requests_total", "Requests that ended.", []string{"scenario", "step", "result"}, labels),
		prometheus.NewDesc("load_in_flight", "Requests under way.", []string{"scenario"}, labels),
		prometheus.NewDesc("load_response_seconds", "Response time, from the instant at which a request was due.", []string{"scenario", "step"}, labels),
	}
}

func shareLabels(s share.Share) prometheus.Labels {
	if s.Whole() {
		return nil
	}
	return prometheus.Labels{"share": strconv.Itoa(s.Index)}
}

// responseBounds are the upper bounds of the histogram's buckets.
var responseBounds = []time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second,
	2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// attach makes the run that read reads the one of its name. A nil Metrics drops it.
func (m *Metrics) attach(name string, read func(family) []prometheus.Metric) {
	if m == nil {
		return
	}
	for {
		before := m.runs.Load()
		now := []source{{name, read}}
		if before != nil {
			others := slices.DeleteFunc(slices.Clone(*before), func(s source) bool { return s.name == name })
			now = append(others, now...)
		}
		if m.runs.CompareAndSwap(before, &now) {
			return
		}
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	out <- m.requests
	out <- m.inFlight
	out <- m.response
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	runs := m.runs.Load()
	if runs == nil {
		return
	}
	for _, r := range *runs {
		for _, x := range r.read(m.family) { // sent without a lock
			out <- x
		}
	}
}

// metricsOf returns the counters of a run.
func metricsOf(f family, scenario string, rec *record.Recorder) (out []prometheus.Metric) {
	name := label(scenario)
	out = append(out, prometheus.MustNewConstMetric(f.inFlight, prometheus.GaugeValue, float64(rec.InFlight), name))
	for _, t := range rec.StepOrder {
		if t.Part {
			continue
		}
		step := label(t.Name)
		buckets := map[float64]uint64{}
		for _, bound := range responseBounds {
			buckets[bound.Seconds()] = uint64(t.Response.Within(bound))
		}
		out = append(out,
			prometheus.MustNewConstMetric(f.requests, prometheus.CounterValue, float64(t.Finished-t.Errors), name, step, "ok"),
			prometheus.MustNewConstMetric(f.requests, prometheus.CounterValue, float64(t.Errors), name, step, "error"),
			prometheus.MustNewConstHistogram(f.response, uint64(t.Response.Count()), t.Response.Sum(), buckets, name, step))
	}
	return out
}

// label returns a name as the value of a label. Labels are UTF-8, and the paths of a log may be
// something else: other bytes are written as Go escapes them, so that different names stay different.
func label(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	quoted := strconv.Quote(name)
	return quoted[1 : len(quoted)-1]
}

// exposed are the metrics of the runs of this process that have none of their own.
var exposed scrape.Shared[*Metrics]

// expose serves the metrics of a run in real time that has none of its own, where QTESTS_METRICS says at which
// address, until done is called. Without it there are none.
func expose() (m *Metrics, done func(), err error) {
	address := os.Getenv(scrape.Var)
	if address == "" {
		return nil, func() {}, nil
	}
	return exposed.Join(address, NewMetrics)
}
