package monitor_test

import (
	"math"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// A native histogram is kept beside its classic buckets, with what exemplars and created
// timestamps the client library gives.
func TestNativeHistograms(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		begin := time.Now().UTC()
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "latency", Help: "h", Buckets: []float64{1}, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxExemplars: 10})
		reg := prometheus.NewRegistry()
		reg.MustRegister(h)
		with := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, NativeHistograms: true, MaxSeries: 20, Rules: []monitor.Rule{
			{Name: "Slow", Expr: "histogram_quantile(0.9, rate(latency[1m])) > 1"},
			{Name: "Classic", Expr: `rate(latency_bucket{le="+Inf"}[1m]) > 0`},
		}})
		without := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}})
		q.Sleep(11 * time.Second)
		h.(prometheus.ExemplarObserver).ObserveWithExemplar(0.5, prometheus.Labels{"trace": "t1"})
		q.Sleep(30 * time.Second) // 20, 30, 40 s
		h.Observe(2)
		q.Sleep(10 * time.Second) // 50 s

		require.Empty(q, without.Series("latency"), "only when it is asked for")
		s := with.RequireSeries(q, "latency")[0].Samples
		require.Len(q, s, 5)
		require.EqualValues(q, 0, s[0].Histogram.GetSampleCount())
		for i, count := range []uint64{0, 1, 1, 1, 2} {
			require.EqualValues(q, count, s[i].Histogram.GetSampleCount())
			require.True(q, math.IsNaN(s[i].Value))
			require.Empty(q, s[i].Histogram.Bucket, "the classic buckets are series of their own")
		}
		require.Same(q, s[1].Histogram, s[3].Histogram, "what is the same is kept once")
		require.Len(q, s[1].Histogram.GetExemplars(), 1)
		require.Equal(q, begin, with.Series("latency")[0].Created)
		require.Equal(q, begin, with.Series("latency_count")[0].Created)
		require.True(q, with.Series("up")[0].Created.IsZero())

		buckets := with.Series("latency_bucket", monitor.Equal("le", "1.0"))[0].Samples
		require.Nil(q, buckets[0].Exemplar)
		require.Equal(q, "t1", buckets[1].Exemplar.GetLabel()[0].GetValue())
		require.Nil(q, buckets[2].Exemplar, "it came with the scrape before")

		require.ErrorContains(q, with.Status().LastError, "latency is a native histogram, which this reader does not evaluate; module promql does")
		_, err := with.Query("latency", time.Time{})
		require.ErrorContains(q, err, "native histogram")
		with.RequireFired(q, "Classic")
	})
}

// The histograms of a history go with its samples.
func TestNativeHistogramsAreBounded(t *testing.T) {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "latency", Help: "h", NativeHistogramBucketFactor: 1.1})
	clk := clock.NewMock()
	m, err := monitor.New(monitor.Config{Disabled: true, Clock: clk, Collectors: []prometheus.Collector{h}, NativeHistograms: true, MaxSamples: 128})
	require.NoError(t, err)
	defer m.Close()
	for i := range 1000 {
		if i < 300 || i > 800 {
			h.Observe(1)
		}
		clk.Add(time.Second)
		require.NoError(t, m.Scrape())
		if i == 700 {
			s := m.Series("latency")[0].Samples
			require.EqualValues(t, 300, s[0].Histogram.GetSampleCount(), "what is the same for long is not forgotten")
		}
	}
	s := m.Series("latency")[0].Samples
	require.LessOrEqual(t, len(s), 256)
	require.EqualValues(t, 499, s[len(s)-1].Histogram.GetSampleCount())
	require.NoError(t, m.Scrape(), "the same instant again")
	s = m.Series("latency")[0].Samples
	require.EqualValues(t, 499, s[len(s)-1].Histogram.GetSampleCount())
}
