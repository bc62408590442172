package load

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	breakermetrics "github.com/go-qtests/qtests/qtests/breaker/metrics"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/pool"
)

// TestReportShowsWhatTheMonitorSaw runs a pool and a breaker under load, with a
// monitor that reads both and the load itself.
func TestReportShowsWhatTheMonitorSaw(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		metrics := NewMetrics()
		places := pool.NewT(q, pool.Config[int]{Name: "places", Max: 2, New: func(context.Context) (int, error) { return 0, nil }})
		br := breaker.NewT(q, breaker.Config{Name: "upstream", FailureThreshold: 5, ResetTimeout: 30 * time.Second})
		mon := monitor.NewT(q, monitor.Config{Interval: 5 * time.Second, Collectors: []prometheus.Collector{places, breakermetrics.Of(br), metrics},
			Panels: []string{`sum by (result) (rate(load_requests_total[30s]))`, `sum(rate(load_requests_total{result="error"}[30s])) / 0`},
			Rules:  []monitor.Rule{{Name: "Open", Expr: `breaker_state{state="open"} > 0`}, {Record: "requests", Expr: "sum(load_requests_total)"}},
			Targets: []monitor.Target{{Job: "shop", Instance: "shop-1", Gatherer: prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
				return nil, errors.New("no route to host")
			})}}})
		var down atomic.Bool // the requests are goroutines
		res := Run(q, Scenario{
			Name: "shop", Traffic: traffic.Rate(20).For(5 * time.Minute), Metrics: metrics, Monitor: mon,
			Do: func(ctx context.Context, u *User) error {
				return br.Do(ctx, func(ctx context.Context) error {
					lease, err := places.Acquire(ctx)
					if err != nil {
						return err
					}
					defer lease.Release()
					if err := u.Sleep(ctx, 90*time.Millisecond); err != nil || !down.Load() {
						return err
					}
					return context.DeadlineExceeded
				})
			},
			Events: []event.Event{event.New("upstream: outage", func() { down.Store(true) }, func() { down.Store(false) }).At(2 * time.Minute).For(time.Minute)},
		})
		byName := map[string][]float64{}
		for _, s := range res.Series {
			byName[s.Metric+" "+s.Labels] = s.Values
			require.Len(q, s.Values, len(res.Timeline))
		}
		inUse := byName["pool_resources places in_use"]
		require.NotNil(q, inUse, "%v", byName)
		open := byName["breaker_state upstream open"]
		require.NotNil(q, open)
		at := func(values []float64, d time.Duration) float64 { return values[d/res.Interval] }
		require.Equal(q, 0.0, at(open, time.Minute))
		require.Equal(q, 1.0, at(open, 2*time.Minute+20*time.Second))
		require.Equal(q, 0.0, at(open, 4*time.Minute))
		require.Positive(q, at(inUse, time.Minute))

		requests := mon.Series("load_requests_total", monitor.Equal("result", "ok"))
		require.Len(q, requests, 1)
		last, _ := requests[0].Last()
		require.InDelta(q, res.Finished-res.Errors, last.Value, 150)
		require.NotEmpty(q, mon.Series("load_response_seconds_bucket"))
		require.NotEmpty(q, mon.Series("load_in_flight"))

		panels := res.Monitored.Panels
		require.Len(q, panels, 2)
		require.Equal(q, `{result="error"}`, panels[0].Lines[0].Series)
		require.Len(q, panels[0].Lines[0].Values, len(res.Timeline))
		require.Nil(q, panels[1].Lines[0].Values[len(res.Timeline)-1], "infinity has no place in JSON")
		failing := *panels[0].Lines[0].Values[int((2*time.Minute+50*time.Second)/res.Interval)]
		require.Greater(q, failing, 0.0)
		require.Equal(q, []result.Rule{
			{Name: "Open", State: "inactive", Expr: `breaker_state{state="open"} > 0`, Now: `{breaker="upstream",state="open"} 0`},
			{Name: "requests", Expr: "sum(load_requests_total)", Now: res.Monitored.Rules[1].Now},
		}, res.Monitored.Rules)
		require.Equal(q, map[string]string{"target shop shop-1": "monitor: target shop shop-1: no route to host"}, res.Monitored.Failed)

		var html strings.Builder
		require.NoError(q, res.WriteHTML(&html))
		for _, want := range []string{"places in use", "places limit", `"title":"Breakers","lanes":[{"name":"upstream"`, "closed → open", `"title":"sum by (result) (rate(load_requests_total[30s]))"`, "Scrapes that failed at the end", "Rules at the end", "dashboard.Handler"} {
			require.Contains(q, html.String(), want)
		}
	})
}

func TestMetricsOfNamesThatAreNotUTF8(t *testing.T) {
	metrics := NewMetrics()
	qtests.Run(t, func(q *qtests.T) {
		res := Run(q, Scenario{
			Name: "caf\xe9", Traffic: traffic.Replay([]accesslog.Entry{{At: second(0), Path: "/\xff"}, {At: second(1), Path: "/\xfe"}, {At: second(2), Path: "/é"}}), Metrics: metrics,
			Do: serve(time.Millisecond), Route: func(e accesslog.Entry) string { return e.Path },
		})
		require.EqualValues(q, 3, res.Finished)
	})
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	families, err := registry.Gather()
	require.NoError(t, err)
	steps := map[string]bool{}
	for _, f := range families {
		for _, x := range f.GetMetric() {
			for _, l := range x.GetLabel() {
				switch l.GetName() {
				case "step":
					steps[l.GetValue()] = true
				case "scenario":
					require.Equal(t, `caf\xe9`, l.GetValue())
				}
			}
		}
	}
	require.Equal(t, map[string]bool{`/\xff`: true, `/\xfe`: true, "/é": true}, steps)
}
