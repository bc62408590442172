package pool

import (
	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests"
)

// faultDescs are the metrics of one fake. The label is constant so that several
// fakes go into one registry.
type faultDescs struct{ calls, inFlight *prometheus.Desc }

// newFaultEngine returns the engine of a fake.
func newFaultEngine(name string, clk clock.Clock, stream qtests.Stream, log *qtests.EventLog) *faultEngine {
	labels := prometheus.Labels{"fake": name}
	return &faultEngine{
		name: name, clk: clk, log: log, stream: stream,
		descs: faultDescs{
			calls: prometheus.NewDesc("fake_calls_total",
				"Calls of a fake that have ended, by result.", []string{"result"}, labels),
			inFlight: prometheus.NewDesc("fake_in_flight",
				"Calls of a fake that wait for their latency, or are frozen.", nil, labels),
		},
	}
}

// Describe implements prometheus.Collector.
func (e *faultEngine) Describe(ch chan<- *prometheus.Desc) {
	ch <- e.descs.calls
	ch <- e.descs.inFlight
}

// Collect implements prometheus.Collector.
func (e *faultEngine) Collect(ch chan<- prometheus.Metric) {
	s := e.stats()
	for _, r := range []struct {
		name string
		n    uint64
	}{{"ok", s.OK}, {"error", s.Failed}, {"canceled", s.Canceled}} {
		ch <- prometheus.MustNewConstMetric(e.descs.calls, prometheus.CounterValue, float64(r.n), r.name)
	}
	ch <- prometheus.MustNewConstMetric(e.descs.inFlight, prometheus.GaugeValue, float64(s.InFlight))
}
