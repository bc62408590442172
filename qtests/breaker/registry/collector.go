package registry

import "github.com/prometheus/client_golang/prometheus"

var _ prometheus.Collector = (*Registry)(nil)

// Describe implements prometheus.Collector. It describes nothing, which makes
// the collector an unchecked one: breakers come and go.
func (r *Registry) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector with the metrics of every breaker.
func (r *Registry) Collect(ch chan<- prometheus.Metric) {
	for _, b := range r.all() {
		b.Collect(ch)
	}
}
