package shed

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

var _ prometheus.Collector = (*Gate)(nil)

// metrics describes what one gate exports.
type metrics struct{ requests, refused, limit, inFlight, waiting *prometheus.Desc }

func newMetrics(name string) metrics {
	gate := prometheus.Labels{"gate": name}
	return metrics{
		requests: prometheus.NewDesc("shed_requests_total", "Requests by what became of them.", []string{"class", "outcome"}, gate),
		refused:  prometheus.NewDesc("shed_refused_total", "Refused requests by why.", []string{"class", "reason"}, gate),
		limit:    prometheus.NewDesc("shed_limit", "Requests that are admitted at once.", nil, gate),
		inFlight: prometheus.NewDesc("shed_in_flight", "Requests under way.", nil, gate),
		waiting:  prometheus.NewDesc("shed_waiting", "Requests that wait.", []string{"class"}, gate),
	}
}

// Describe implements prometheus.Collector.
func (g *Gate) Describe(ch chan<- *prometheus.Desc) {
	d := newMetrics(g.cfg.Name)
	for _, x := range []*prometheus.Desc{d.requests, d.refused, d.limit, d.inFlight, d.waiting} {
		ch <- x
	}
}

// Collect implements prometheus.Collector, with shed_requests_total{class,outcome}, shed_refused_total{class,reason}, shed_limit, shed_in_flight and
// shed_waiting{class}, all with the label gate, from one reading.
func (g *Gate) Collect(ch chan<- prometheus.Metric) {
	d, x := newMetrics(g.cfg.Name), g.Stats()
	send := func(desc *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, kind, v, labels...)
	}
	send(d.limit, prometheus.GaugeValue, float64(x.Limit))
	send(d.inFlight, prometheus.GaugeValue, float64(x.InFlight))
	for _, name := range slices.Sorted(maps.Keys(x.Classes)) {
		k := x.Classes[name]
		send(d.requests, prometheus.CounterValue, float64(k.Admitted), name, "admitted")
		send(d.requests, prometheus.CounterValue, float64(k.Refused), name, "refused")
		send(d.requests, prometheus.CounterValue, float64(k.GivenUp), name, "given up")
		send(d.waiting, prometheus.GaugeValue, float64(k.Waiting), name)
		for _, why := range slices.Sorted(maps.Keys(k.Why)) {
			send(d.refused, prometheus.CounterValue, float64(k.Why[why]), name, string(why))
		}
	}
}
