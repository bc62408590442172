package otel

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// written returns what a family of the data is in Prometheus.
func written(t *testing.T, data metricdata.Aggregation) (all []*dto.Metric, err error) {
	t.Helper()
	out := make(chan prometheus.Metric, 10)
	err = family{name: "x", out: out}.write(data)
	close(out)
	for m := range out {
		var d dto.Metric
		require.NoError(t, m.Write(&d))
		all = append(all, &d)
	}
	return all, err
}

// labelsOf are the labels of an exemplar.
func labelsOf(x *dto.Exemplar) map[string]string {
	labels := map[string]string{}
	for _, l := range x.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	return labels
}

// TestExemplars have the trace that they belong to, where there is one, and the attributes that the metric does not have.
func TestExemplars(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	route := []attribute.KeyValue{attribute.String("route", "/pay")}
	traced := metricdata.Exemplar[int64]{FilteredAttributes: route, Time: at, Value: 7, TraceID: []byte{0xab, 1}, SpanID: []byte{0xcd}}
	sum := func(x ...metricdata.Exemplar[int64]) metricdata.Sum[int64] {
		return metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true,
			DataPoints: []metricdata.DataPoint[int64]{{StartTime: at, Value: 9, Exemplars: x}}}
	}
	all, err := written(t, sum(traced))
	require.NoError(t, err)
	x := all[0].GetCounter().GetExemplar()
	require.Equal(t, map[string]string{"route": "/pay", "trace_id": "ab01", "span_id": "cd"}, labelsOf(x))
	require.Equal(t, 7.0, x.GetValue())
	require.Equal(t, at, x.GetTimestamp().AsTime())

	all, err = written(t, sum(metricdata.Exemplar[int64]{Time: at, Value: 3}))
	require.NoError(t, err)
	require.Empty(t, labelsOf(all[0].GetCounter().GetExemplar()), "of no trace")
	require.Equal(t, 3.0, all[0].GetCounter().GetExemplar().GetValue())

	traced.FilteredAttributes = []attribute.KeyValue{attribute.String("route", strings.Repeat("x", prometheus.ExemplarMaxRunes))}
	all, err = written(t, sum(traced))
	require.ErrorContains(t, err, "exemplar labels have")
	require.Empty(t, all)
}

// TestEveryElementOfAHistogram is written, of either form, up to the one that is wrong.
func TestEveryElementOfAHistogram(t *testing.T) {
	tooLong := []metricdata.Exemplar[float64]{{FilteredAttributes: []attribute.KeyValue{attribute.String("x", strings.Repeat("x", 200))}}}
	for name, of := range map[string]func(last []metricdata.Exemplar[float64]) metricdata.Aggregation{
		"classic": func(last []metricdata.Exemplar[float64]) metricdata.Aggregation {
			h := metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality}
			for _, x := range [][]metricdata.Exemplar[float64]{nil, last} {
				h.DataPoints = append(h.DataPoints, metricdata.HistogramDataPoint[float64]{Count: 1, Bounds: []float64{1}, BucketCounts: []uint64{1, 0}, Exemplars: x})
			}
			return h
		},
		"native": func(last []metricdata.Exemplar[float64]) metricdata.Aggregation {
			h := metricdata.ExponentialHistogram[float64]{Temporality: metricdata.CumulativeTemporality}
			for _, x := range [][]metricdata.Exemplar[float64]{nil, last} {
				h.DataPoints = append(h.DataPoints, metricdata.ExponentialHistogramDataPoint[float64]{Count: 1,
					PositiveBucket: metricdata.ExponentialBucket{Counts: []uint64{1}}, Exemplars: x})
			}
			return h
		},
	} {
		all, err := written(t, of(nil))
		require.NoError(t, err, name)
		require.Len(t, all, 2, name)
		all, err = written(t, of(tooLong))
		require.ErrorContains(t, err, "exemplar labels have", name)
		require.Len(t, all, 1, name)
	}
}

// TestScales: of those that OpenTelemetry has, the coarsest have no place, and the finest are made coarser.
func TestScales(t *testing.T) {
	for scale, want := range map[int32]int32{-4: -4, 0: 0, 8: 8, 9: 8, 20: 8} {
		all, err := written(t, metricdata.ExponentialHistogram[int64]{Temporality: metricdata.CumulativeTemporality,
			DataPoints: []metricdata.ExponentialHistogramDataPoint[int64]{{Scale: scale}}})
		require.NoError(t, err)
		require.Equal(t, want, all[0].GetHistogram().GetSchema())
	}
	_, err := written(t, metricdata.ExponentialHistogram[int64]{Temporality: metricdata.CumulativeTemporality,
		DataPoints: []metricdata.ExponentialHistogramDataPoint[int64]{{Scale: -5}}})
	require.EqualError(t, err, "an exponential histogram of scale -5; a native one has -4 at least")
}

func TestBuckets(t *testing.T) {
	some := metricdata.ExponentialBucket{Offset: -3, Counts: []uint64{1, 2, 4, 8, 16}}
	for coarser, want := range map[int32]map[int]int64{
		0: {-2: 1, -1: 2, 0: 4, 1: 8, 2: 16},
		1: {-1: 1, 0: 2 + 4, 1: 8 + 16},
		2: {0: 1 + 2 + 4, 1: 8 + 16},
	} {
		have, err := buckets(some, coarser)
		require.NoError(t, err)
		require.Equal(t, want, have, coarser)
	}
	have, err := buckets(metricdata.ExponentialBucket{Counts: []uint64{math.MaxInt64}}, 0)
	require.NoError(t, err)
	require.Equal(t, map[int]int64{1: math.MaxInt64}, have)
	_, err = buckets(metricdata.ExponentialBucket{Counts: []uint64{math.MaxInt64 + 1}}, 0)
	require.EqualError(t, err, "a bucket of 9223372036854775808")
}
