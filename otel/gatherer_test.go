package otel_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	api "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/otel"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A service counts with instruments of every kind.
type service struct {
	requests api.Int64Counter
	open     api.Float64UpDownCounter
	size     api.Int64Gauge
	duration api.Float64Histogram
	backoff  api.Float64Histogram
}

func newService(t require.TestingT, readers ...metric.Reader) *service {
	exponential := metric.NewView(metric.Instrument{Name: "backoff.duration"}, metric.Stream{Aggregation: metric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}})
	opts := []metric.Option{metric.WithView(exponential), metric.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop")))}
	for _, r := range readers {
		opts = append(opts, metric.WithReader(r))
	}
	meter := metric.NewMeterProvider(opts...).Meter("shop/http", api.WithInstrumentationVersion("1.2"), api.WithInstrumentationAttributes(attribute.String("team", "pay"), attribute.String("name", "x")))
	var s service
	var errs [5]error
	s.requests, errs[0] = meter.Int64Counter("http.server.requests", api.WithDescription("Requests."))
	s.open, errs[1] = meter.Float64UpDownCounter("connections", api.WithUnit("{connection}"))
	s.size, errs[2] = meter.Int64Gauge("queue.size", api.WithUnit("By"))
	s.duration, errs[3] = meter.Float64Histogram("http.server.request.duration", api.WithUnit("s"), api.WithExplicitBucketBoundaries(0.1, 1))
	s.backoff, errs[4] = meter.Float64Histogram("backoff.duration", api.WithUnit("s"))
	require.NoError(t, errors.Join(errs[:]...))
	return &s
}

// work serves requests.
func (s *service) work(r *rand.Rand, n int) {
	ctx := context.Background()
	for range n {
		route := api.WithAttributes(attribute.String("http.route", fmt.Sprintf("/%d", r.IntN(3))), attribute.Int("code", 200))
		s.requests.Add(ctx, 1, route)
		s.open.Add(ctx, r.Float64()-0.4, route)
		s.size.Record(ctx, r.Int64N(100))
		s.duration.Record(ctx, r.ExpFloat64(), route)
		s.backoff.Record(ctx, r.NormFloat64()*1e3)
	}
}

// The exporter of OpenTelemetry writes the same, with the strategy that translates nothing.
func TestNoDifferenceFromTheExporter(t *testing.T) {
	registry := prometheus.NewRegistry()
	e, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithTranslationStrategy(otlptranslator.NoTranslation))
	require.NoError(t, err)
	reader := metric.NewManualReader()
	s := newService(t, e, reader)
	ours := otel.Gatherer(reader)
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 10, 1000} {
		s.work(r, n)
		want, err := registry.Gather()
		require.NoError(t, err)
		have, err := ours.Gather()
		require.NoError(t, err)
		require.Equal(t, texts(want), texts(have))
	}
	require.Len(t, texts(mustGather(t, ours)), 6)
}

func mustGather(t *testing.T, g prometheus.Gatherer) []*dto.MetricFamily {
	all, err := g.Gather()
	require.NoError(t, err)
	return all
}

// texts writes families without their created timestamps, which the exporter gives of
// native histograms alone.
func texts(all []*dto.MetricFamily) (out []string) {
	for _, f := range all {
		for _, m := range f.Metric {
			if m.Counter != nil {
				m.Counter.CreatedTimestamp = nil
			}
			if m.Histogram != nil {
				m.Histogram.CreatedTimestamp = nil
			}
		}
		out = append(out, f.String())
	}
	return out
}

func TestMonitor(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		begin := time.Now().UTC()
		reader := metric.NewManualReader()
		s := newService(q, reader)
		mon := monitor.NewT(q, monitor.Config{
			Targets: []monitor.Target{{Job: "shop", Instance: "shop-1", Gatherer: otel.Gatherer(reader)}}, NativeHistograms: true,
			Rules: []monitor.Rule{{Name: "Busy", Expr: `sum by ("http.route") (rate({"http.server.requests"}[1m])) > 3`, Summary: `{{ index $labels "http.route" }}`}},
		})
		r := q.Rand("work")
		for range 60 {
			q.Sleep(time.Second)
			s.work(r, 20)
		}
		mon.RequireFired(q, "Busy")
		require.Len(q, mon.Alerts("Busy"), 3)
		counts := mon.RequireSeries(q, "http.server.requests", monitor.Equal("otel_scope_name", "shop/http"), monitor.Equal("job", "shop"))
		require.Len(q, counts, 3)
		require.False(q, counts[0].Created.Before(begin))
		require.True(q, counts[0].Created.Before(begin.Add(2*time.Second)))
		require.NotEmpty(q, mon.RequireSeries(q, "http.server.request.duration_bucket", monitor.Equal("le", "0.1")))
		last, _ := mon.RequireSeries(q, "backoff.duration")[0].Last()
		require.Positive(q, last.Histogram.GetSampleCount())
		require.Len(q, mon.RequireSeries(q, "target_info", monitor.Equal("service.name", "shop")), 1)
	})
}

// What Prometheus has no place for is an error that names the metric, beside the others.
func TestWrongMetrics(t *testing.T) {
	delta := metric.NewManualReader(metric.WithTemporalitySelector(func(metric.InstrumentKind) metricdata.Temporality { return metricdata.DeltaTemporality }))
	s := newService(t, delta)
	s.work(rand.New(rand.NewPCG(1, 1)), 3)
	have, err := otel.Gatherer(delta).Gather()
	require.ErrorContains(t, err, "otel: http.server.requests: has delta temporality")
	require.Len(t, have, 2, "the gauges stay")
	_, err = otel.Gatherer(metric.NewManualReader()).Gather()
	require.ErrorContains(t, err, metric.ErrReaderNotRegistered.Error())
}
