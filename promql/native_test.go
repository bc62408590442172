package promql_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/promql"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// Native histograms of the real client library, beside the classic series of the same
// histogram, which count the same.
func TestNativeHistograms(t *testing.T) {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "latency_seconds", Help: "h", NativeHistogramBucketFactor: 1.02}, []string{"route"})
	reg := prometheus.NewRegistry()
	reg.MustRegister(v)
	record := func(name, expr string) monitor.Rule { return monitor.Rule{Record: name, Expr: expr} }
	clk := newManual()
	mon, err := monitor.New(monitor.Config{
		Clock: clk, Interval: never, Gatherers: []prometheus.Gatherer{reg}, NativeHistograms: true, Compile: promql.NewEngine().Compile,
		Rules: []monitor.Rule{
			record("count", "histogram_count(rate(latency_seconds[5m]))"), record("classic_count", "rate(latency_seconds_count[5m])"),
			record("sum", "histogram_sum(rate(latency_seconds[5m]))"), record("classic_sum", "rate(latency_seconds_sum[5m])"),
			record("route:latency:rate5m", "sum by (none) (rate(latency_seconds[5m]))"),
			record("p90", "histogram_quantile(0.9, route:latency:rate5m)"),
			record("avg", "histogram_avg(sum(latency_seconds))"),
			record("nothing", "histogram_quantile(0.9, route:latency:rate5m - route:latency:rate5m)"),
			{Name: "Slow", Expr: "histogram_quantile(0.9, sum(rate(latency_seconds[5m]))) > 4", Summary: "{{ $value | humanizeDuration }}"},
		},
	})
	require.NoError(t, err)
	defer mon.Close()
	r := rand.New(rand.NewPCG(1, 2))
	var observed []float64
	for i := range 60 {
		observed = nil
		for range 200 {
			x := math.Exp(r.NormFloat64())
			if i > 40 {
				x *= 5
			}
			observed = append(observed, x)
			v.WithLabelValues(fmt.Sprint(r.IntN(3))).Observe(x)
		}
		clk.now = clk.now.Add(time.Minute)
		require.NoError(t, mon.Scrape())
	}
	for _, pair := range [][2]string{{"count", "classic_count"}, {"sum", "classic_sum"}} {
		native, classic := mon.Series(pair[0]), mon.Series(pair[1])
		require.Len(t, native, 3)
		for i, s := range native {
			require.Equal(t, classic[i].Labels, s.Labels)
			require.Greater(t, len(s.Samples), 50)
			for j, x := range s.Samples {
				if j < 6 {
					continue // near its begin the engine extrapolates a sum to the zero of the count
				}
				require.InEpsilon(t, classic[i].Samples[j].Value, x.Value, 1e-9, "%s %v", pair[0], x.At)
			}
		}
	}
	recorded := mon.Series("route:latency:rate5m")[0].Samples
	require.NotNil(t, recorded[len(recorded)-1].Histogram, "a rule records native histograms")
	p90, _ := mon.Series("p90")[0].Last()
	slices.Sort(observed)
	require.InEpsilon(t, observed[len(observed)*9/10], p90.Value, 0.25)
	require.NotEmpty(t, mon.Series("avg"))
	for _, x := range mon.Series("nothing")[0].Samples {
		require.True(t, math.IsNaN(x.Value))
	}
	mon.RequireFired(t, "Slow")
	require.Contains(t, mon.Alerts("Slow")[0].Annotations["summary"], "s")
}
