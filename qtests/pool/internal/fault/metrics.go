package fault

import "github.com/prometheus/client_golang/prometheus"

// descs are the metrics of one fake. The label is constant so that several
// fakes go into one registry.
type descs struct{ calls, inFlight *prometheus.Desc }

func newDescs(fake string) descs {
	labels := prometheus.Labels{"fake": fake}
	return descs{
		calls: prometheus.NewDesc("fake_calls_total",
			"Calls of a fake that have ended, by result.", []string{"result"}, labels),
		inFlight: prometheus.NewDesc("fake_in_flight",
			"Calls of a fake that wait for their latency, or are frozen.", nil, labels),
	}
}

// Describe implements prometheus.Collector.
func (e *Engine) Describe(ch chan<- *prometheus.Desc) {
	ch <- e.descs.calls
	ch <- e.descs.inFlight
}

// Collect implements prometheus.Collector.
func (e *Engine) Collect(ch chan<- prometheus.Metric) {
	s := e.Stats()
	for _, r := range []struct {
		name string
		n    uint64
	}{{"ok", s.OK}, {"error", s.Failed}, {"canceled", s.Canceled}} {
		ch <- prometheus.MustNewConstMetric(e.descs.calls, prometheus.CounterValue, float64(r.n), r.name)
	}
	ch <- prometheus.MustNewConstMetric(e.descs.inFlight, prometheus.GaugeValue, float64(s.InFlight))
}
