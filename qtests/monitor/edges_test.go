package monitor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestWhatARuleIsNow(t *testing.T) {
	for want, points := range map[string][]monitor.Point{
		"no series":                  nil,
		"7":                          {{Value: 7}},
		"0.333333":                   {{Value: 1. / 3, Labels: monitor.Labels{"__name__": "up"}}},
		`{a="x"} 1; {b="y"} 2`:       {{Value: 1, Labels: monitor.Labels{"a": "x"}}, {Value: 2, Labels: monitor.Labels{"b": "y", "__name__": "up"}}},
		"1; 1; 1; 1; 1":              make([]monitor.Point, 5),
		"1; 1; 1; 1; 1; and 1 more":  make([]monitor.Point, 6),
		"1; 1; 1; 1; 1; and 20 more": make([]monitor.Point, 25),
	} {
		if len(points) >= 5 {
			for i := range points {
				points[i].Value = 1
			}
		}
		require.Equal(t, want, monitor.RuleStatus{Points: points}.Now())
	}
	qtests.Run(t, func(q *qtests.T) {
		m := monitor.NewT(q, monitor.Config{Rules: []monitor.Rule{{Name: "A", Expr: "vector(3) > 5"}, {Record: "b", Expr: "vector(4)"}}, Disabled: true})
		require.Empty(q, m.Rules()[0].Points, "nothing has been scraped")
		require.NoError(q, m.Scrape())
		require.Equal(q, []string{"3", "4"}, []string{m.Rules()[0].Now(), m.Rules()[1].Now()})
	})
}

// A rule with an offset sees what was there so long ago.
func TestRuleLooksBackByItsOffset(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "x", Help: "X."})
		m := monitor.NewT(q, monitor.Config{Collectors: []prometheus.Collector{g}, Rules: []monitor.Rule{{Name: "A", Expr: "x > 0", QueryOffset: 30 * time.Second}}})
		q.Sleep(55 * time.Second)
		g.Set(1)
		q.Sleep(time.Minute)
		require.Len(q, m.Transitions(), 1)
		require.Equal(q, 90*time.Second, m.Transitions()[0].At.Sub(m.Start()))
	})
}

// Series that come in before others, with other buckets or quantiles, keep apart.
func TestSeriesThatMove(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "x", Help: "X."}, []string{"l"})
		buckets := []float64{1, 2}
		h := func() *dto.Metric {
			x := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", Help: "H.", Buckets: buckets})
			x.Observe(1.5)
			var out dto.Metric
			require.NoError(q, x.Write(&out))
			return &out
		}
		name, kind := "h", dto.MetricType_HISTOGRAM
		own := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
			return []*dto.MetricFamily{{Name: &name, Type: &kind, Metric: []*dto.Metric{h()}}}, nil
		})
		m := monitor.NewT(q, monitor.Config{Collectors: []prometheus.Collector{g}, Gatherers: []prometheus.Gatherer{own}, Disabled: true})
		value := func(expr string) (v float64) {
			points, err := m.Query(expr, time.Time{})
			require.NoError(q, err)
			require.Len(q, points, 1, expr)
			return points[0].Value
		}
		g.WithLabelValues("m").Set(5)
		require.NoError(q, m.Scrape())
		g.WithLabelValues("a").Set(7)
		buckets = []float64{1, 3}
		q.Sleep(time.Second)
		require.NoError(q, m.Scrape())
		require.Equal(q, []float64{7, 5, 2}, []float64{value(`x{l="a"}`), value(`x{l="m"}`), value(`count(x)`)})
		require.EqualValues(q, 1, value(`h_bucket{le="3.0"}`))
		points, err := m.Query(`h_bucket{le="2.0"}`, time.Time{})
		require.NoError(q, err)
		require.Empty(q, points, "the bucket is gone")
	})
}

// A summary is a series for each quantile, a sum and a count; the error names the largest metric.
func TestLimitOfSeries(t *testing.T) {
	s := prometheus.NewSummary(prometheus.SummaryOpts{Name: "s", Help: "S.", Objectives: map[float64]float64{0.5: 0.1, 0.9: 0.1}})
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", Help: "H.", Buckets: []float64{1, 2, 3}})
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "g", Help: "G."})
	need := 1 + 4 + 6 + 1 // up; 2 quantiles; 3 buckets and +Inf
	for limit, fails := range map[int]bool{need: false, need - 1: true} {
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			m := monitor.NewT(t, monitor.Config{Collectors: []prometheus.Collector{s, h, g}, Disabled: true, MaxSeries: limit})
			err := m.Scrape()
			require.Equal(t, fails, errors.Is(err, monitor.ErrTooManySeries), "%d: %v", limit, err)
			if fails {
				require.ErrorContains(t, err, "h")
			}
		})
		require.Equal(t, fails, rec.Failed(), rec.Errors())
	}
}

// Labels that the target's own take the place of are named anew, the shorter ones first.
func TestExportedLabels(t *testing.T) {
	x := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "x", Help: "X."}, []string{"a", "exported_a"})
	x.WithLabelValues("1", "2").Set(1)
	reg := prometheus.NewRegistry()
	reg.MustRegister(x)
	m := monitor.NewT(t, monitor.Config{Disabled: true, Targets: []monitor.Target{{Job: "shop", Instance: "i", Gatherer: reg, Labels: monitor.Labels{"a": "own", "exported_a": "own too"}}}})
	require.NoError(t, m.Scrape())
	require.Equal(t, `x{a="own",exported_a="own too",exported_exported_a="1",exported_exported_exported_a="2",instance="i",job="shop"}`, m.Series("x")[0].String())
}

// A silence leaves those that go on, and takes the place of those that have ended.
func TestSilencesAddUp(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		told := &notify.Recorder{}
		rules := make([]monitor.Rule, 3)
		for i := range rules {
			rules[i] = monitor.Rule{Name: fmt.Sprint("R", i), Expr: "vector(1) > 0", For: time.Minute}
		}
		m := monitor.NewT(q, monitor.Config{Rules: rules, Channels: []monitor.Channel{told}})
		m.Silence(time.Second, monitor.Equal("alertname", "R2"))
		q.Sleep(2 * time.Second)
		m.Silence(time.Hour, monitor.Equal("alertname", "R0"))
		m.Silence(time.Hour, monitor.Equal("alertname", "R1"))
		q.Sleep(10 * time.Minute)
		for _, n := range told.Notifications() {
			for _, a := range n.Alerts {
				require.Equal(q, "R2", a.Name)
			}
		}
		require.NotEmpty(q, told.Notifications())
	})
}

func TestReceiversAreKnown(t *testing.T) {
	told := []monitor.Receiver{{Name: "a", Channels: []monitor.Channel{&notify.Recorder{}}}, {Name: "b", Channels: []monitor.Channel{&notify.Recorder{}}}}
	for receiver, fails := range map[string]bool{"": false, "a": false, "b": false, "c": true} {
		m, err := monitor.New(monitor.Config{Disabled: true, Receivers: told, Route: monitor.Route{Receiver: "a", Routes: []monitor.Route{{Receiver: receiver, Matchers: []monitor.Matcher{monitor.Equal("x", "y")}}}}})
		require.Equal(t, fails, err != nil, "%q: %v", receiver, err)
		if err == nil {
			m.Close()
		}
	}
}
