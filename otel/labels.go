package otel

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
)

// labels are names and their values.
type labels struct{ names, values []string }

// add adds labels, unless they are there.
func (l *labels) add(name, value string) {
	if !slices.Contains(l.names, name) {
		l.names, l.values = append(l.names, name), append(l.values, value)
	}
}

// with returns the labels of an element, before which its attributes count.
func (l labels) with(attributes attribute.Set) labels {
	var out labels
	for _, kv := range attributes.ToSlice() {
		out.add(string(kv.Key), kv.Value.String())
	}
	for i, name := range l.names {
		out.add(name, l.values[i])
	}
	return out
}

func scopeLabels(s instrumentation.Scope) (out labels) {
	out.add("otel_scope_name", s.Name)
	out.add("otel_scope_version", s.Version)
	out.add("otel_scope_schema_url", s.SchemaURL)
	for _, kv := range s.Attributes.ToSlice() {
		out.add("otel_scope_"+string(kv.Key), kv.Value.String())
	}
	return out
}

// targetInfo is the metric that has the attributes of the resource.
func targetInfo(r *resource.Resource) prometheus.Metric {
	l := labels{}.with(*r.Set())
	return prometheus.MustNewConstMetric(prometheus.NewDesc("target_info", "Target metadata", l.names, nil), prometheus.GaugeValue, 1, l.values...)
}
