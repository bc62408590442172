package otel

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// errDelta is the error of metrics of delta temporality.
var errDelta = errors.New("has delta temporality: make the reader with the default temporality, which is cumulative")

// A family writes the points of one metric.
type family struct {
	name, help string
	labels     labels
	out        chan<- prometheus.Metric
}

func (f family) write(data metricdata.Aggregation) error {
	switch d := data.(type) {
	case metricdata.Gauge[int64]:
		return points(f, d.DataPoints, prometheus.GaugeValue)
	case metricdata.Gauge[float64]:
		return points(f, d.DataPoints, prometheus.GaugeValue)
	case metricdata.Sum[int64]:
		return sum(f, d)
	case metricdata.Sum[float64]:
		return sum(f, d)
	case metricdata.Histogram[int64]:
		return classic(f, d)
	case metricdata.Histogram[float64]:
		return classic(f, d)
	case metricdata.ExponentialHistogram[int64]:
		return native(f, d)
	case metricdata.ExponentialHistogram[float64]:
		return native(f, d)
	}
	return fmt.Errorf("a %T has no place in Prometheus", data)
}

// desc describes the element with the attributes, whose label values it returns.
func (f family) desc(attributes attribute.Set) (*prometheus.Desc, []string) {
	l := f.labels.with(attributes)
	return prometheus.NewDesc(f.name, f.help, l.names, nil), l.values
}

// send passes a metric on with its exemplars.
func send[N int64 | float64](f family, m prometheus.Metric, err error, exemplars []metricdata.Exemplar[N]) error {
	if err != nil {
		return err
	}
	var all []prometheus.Exemplar
	for _, x := range exemplars {
		l := prometheus.Labels{}
		for _, kv := range x.FilteredAttributes {
			l[string(kv.Key)] = kv.Value.String()
		}
		if len(x.TraceID) > 0 {
			l["trace_id"], l["span_id"] = hex.EncodeToString(x.TraceID), hex.EncodeToString(x.SpanID)
		}
		all = append(all, prometheus.Exemplar{Value: float64(x.Value), Labels: l, Timestamp: x.Time})
	}
	if len(all) > 0 {
		if m, err = prometheus.NewMetricWithExemplars(m, all...); err != nil {
			return err
		}
	}
	f.out <- m
	return nil
}

// cumulative refuses what counts from collection to collection.
func cumulative(t metricdata.Temporality) error {
	if t != metricdata.CumulativeTemporality {
		return errDelta
	}
	return nil
}

func points[N int64 | float64](f family, all []metricdata.DataPoint[N], kind prometheus.ValueType) error {
	for _, p := range all {
		desc, values := f.desc(p.Attributes)
		m, err := prometheus.NewConstMetricWithCreatedTimestamp(desc, kind, float64(p.Value), p.StartTime, values...)
		exemplars := p.Exemplars
		if kind == prometheus.GaugeValue { // which has neither
			m, err = prometheus.NewConstMetric(desc, kind, float64(p.Value), values...)
			exemplars = nil
		}
		if err := send(f, m, err, exemplars); err != nil {
			return err
		}
	}
	return nil
}

func sum[N int64 | float64](f family, s metricdata.Sum[N]) error {
	if err := cumulative(s.Temporality); err != nil {
		return err
	}
	if !s.IsMonotonic {
		return points(f, s.DataPoints, prometheus.GaugeValue)
	}
	return points(f, s.DataPoints, prometheus.CounterValue)
}

func classic[N int64 | float64](f family, h metricdata.Histogram[N]) error {
	if err := cumulative(h.Temporality); err != nil {
		return err
	}
	for _, p := range h.DataPoints {
		buckets, n := map[float64]uint64{}, uint64(0)
		for i, bound := range p.Bounds {
			n += p.BucketCounts[i]
			buckets[bound] = n
		}
		desc, values := f.desc(p.Attributes)
		m, err := prometheus.NewConstHistogramWithCreatedTimestamp(desc, p.Count, float64(p.Sum), buckets, start(p.StartTime), values...)
		if err := send(f, m, err, p.Exemplars); err != nil {
			return err
		}
	}
	return nil
}

// start is an instant at which counting began; an SDK that does not know it says nothing.
func start(at time.Time) time.Time {
	if at.IsZero() {
		return time.Unix(0, 0)
	}
	return at
}
