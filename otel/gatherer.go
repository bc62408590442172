package otel

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Gatherer returns a gatherer that collects what the reader has, at each scrape afresh. It
// is safe for concurrent use. Its error is the reader's, or names the metric that
// has no place in Prometheus; the other metrics are returned beside it.
func Gatherer(r *metric.ManualReader) prometheus.Gatherer {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{r})
	return registry
}

// A collector is unchecked: what there is, only a collection tells.
type collector struct{ reader *metric.ManualReader }

func (collector) Describe(chan<- *prometheus.Desc) {}

func (c collector) Collect(out chan<- prometheus.Metric) {
	var all metricdata.ResourceMetrics
	if err := c.reader.Collect(context.Background(), &all); err != nil {
		out <- invalid(fmt.Errorf("otel: %w", err))
		return
	}
	out <- targetInfo(all.Resource)
	for _, scope := range all.ScopeMetrics {
		labels := scopeLabels(scope.Scope)
		for _, m := range scope.Metrics {
			f := family{m.Name, m.Description, labels, out}
			if err := f.write(m.Data); err != nil {
				out <- invalid(fmt.Errorf("otel: %s: %w", m.Name, err))
			}
		}
	}
}

func invalid(err error) prometheus.Metric {
	return prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
}
