package native

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

func TestIs(t *testing.T) {
	span := []*dto.BucketSpan{{Offset: new(int32(0)), Length: new(uint32(1))}}
	for name, c := range map[string]struct {
		h    *dto.Histogram
		want bool
	}{
		"classic":         {&dto.Histogram{SampleCount: new(uint64(3)), Bucket: []*dto.Bucket{{UpperBound: new(float64(1))}}}, false},
		"of zeroes":       {&dto.Histogram{ZeroThreshold: new(float64(0)), ZeroCount: new(uint64(0)), ZeroCountFloat: new(float64(0))}, false},
		"positive":        {&dto.Histogram{PositiveSpan: span}, true},
		"negative":        {&dto.Histogram{NegativeSpan: span}, true},
		"zero threshold":  {&dto.Histogram{ZeroThreshold: new(float64(1e-128))}, true},
		"zero count":      {&dto.Histogram{ZeroCount: new(uint64(1))}, true},
		"zero as a float": {&dto.Histogram{ZeroCountFloat: new(float64(0.5))}, true},
	} {
		require.Equal(t, c.want, Is(c.h), name)
	}
}

func TestCreated(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	d := prometheus.NewDesc("x", "", nil, nil)
	for name, metric := range map[string]prometheus.Metric{
		"counter":   prometheus.MustNewConstMetricWithCreatedTimestamp(d, prometheus.CounterValue, 1, at),
		"histogram": prometheus.MustNewConstHistogramWithCreatedTimestamp(d, 1, 1, nil, at),
		"summary":   prometheus.MustNewConstSummaryWithCreatedTimestamp(d, 1, 1, nil, at),
	} {
		var m dto.Metric
		require.NoError(t, metric.Write(&m))
		require.Equal(t, at, Created(&m), name)
	}
	for name, m := range map[string]*dto.Metric{
		"gauge": {Gauge: &dto.Gauge{}}, "counter": {Counter: &dto.Counter{}}, "histogram": {Histogram: &dto.Histogram{}}, "summary": {Summary: &dto.Summary{}},
	} {
		require.Zero(t, Created(m), name)
	}
}
