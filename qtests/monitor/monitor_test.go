package monitor_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// gauge returns a gauge and a registry that has it.
func gauge(name string) (prometheus.Gauge, *prometheus.Registry) {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "For the test."})
	r := prometheus.NewRegistry()
	r.MustRegister(g)
	return g, r
}

func TestScrapesAtNominalInstants(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("level")
		q.Sleep(3 * time.Millisecond)
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}})
		start := q.Clock().Now()
		require.Equal(q, start, m.Start())
		g.Set(1)
		q.Sleep(15 * time.Second)
		g.Set(2)
		q.Sleep(14 * time.Second)

		series := m.RequireSeries(q, "level")
		require.Len(q, series, 1)
		require.Equal(q, "level", series[0].String())
		require.Len(q, series[0].Samples, 2)
		for i, s := range series[0].Samples {
			require.True(q, s.At.Equal(start.Add(time.Duration(i+1)*10*time.Second)), "%v", s.At)
			require.Equal(q, float64(i+1), s.Value)
		}
	})
}

func TestAlertLifeInABubble(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("errors")
		m := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{reg},
			Rules:     []monitor.Rule{{Name: "Errors", Expr: "errors > 5", For: time.Minute, Severity: "page"}},
		})
		q.Sleep(5 * time.Second)
		g.Set(9) // seen from 10 s on, fires at 70 s
		q.Sleep(2 * time.Minute)
		g.Set(0) // seen at 130 s
		q.Sleep(30 * time.Second)
		g.Set(9) // pending from 160 s
		q.Sleep(20 * time.Second)
		g.Set(0) // dropped at 180 s
		q.Sleep(time.Minute)

		require.Equal(q, ""+
			"10s\tErrors{severity=\"page\"} inactive → pending\n"+
			"1m10s\tErrors{severity=\"page\"} pending → firing\n"+
			"2m10s\tErrors{severity=\"page\"} firing → resolved\n"+
			"2m40s\tErrors{severity=\"page\"} inactive → pending\n"+
			"3m0s\tErrors{severity=\"page\"} pending → inactive\n", m.Timeline())
		m.RequireFired(q, "Errors")
		m.RequireFiredBetween(q, "Errors", 70*time.Second, 70*time.Second)
		m.RequireResolvedWithin(q, "Errors", time.Minute)

		marks, _ := q.EventLog().Marks()
		require.Len(q, marks, 5)
		require.Equal(q, "alert Errors", marks[1].Source)
		require.Equal(q, "pending → firing", marks[1].Text)
	})
}

// TestExample runs the test that the package's example shows, which has no T.
func TestExample(t *testing.T) { qtests.Run(t, relayOutage) }

// A day at ten seconds, or as many as QTESTS_STRESS says.
func TestDays(t *testing.T) {
	days := int64(stress.Factor(t))
	qtests.Run(t, func(q *qtests.T) {
		reg := prometheus.NewRegistry()
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total", Help: "For the test."}, []string{"code"})
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "response_seconds", Help: "For the test."}, []string{"step"})
		reg.MustRegister(c, h)
		for _, code := range []string{"200", "404", "500"} {
			c.WithLabelValues(code).Add(1)
			h.WithLabelValues(code).Observe(0.1)
		}
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{
			{Name: "Rate", Expr: `sum(rate(requests_total[5m])) > 100`},
			{Name: "Slow", Expr: `histogram_quantile(0.99, sum by (le) (rate(response_seconds_bucket[5m]))) > 1`},
		}})
		q.Sleep(time.Duration(days)*24*time.Hour + time.Second)
		status := m.Status()
		require.EqualValues(q, days*24*360, status.Scrapes)
		require.Zero(q, status.Errors)
		require.Zero(q, status.Missed)
		require.Len(q, m.RequireSeries(q, "requests_total", monitor.Equal("code", "200"))[0].Samples, int(min(days*24*360, 8*24*360)))
		m.RequireNotFired(q)
	})
}

func TestStatusKnowsFromWhenOnSamplesAreKept(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, reg := gauge("level")
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Retention: time.Second, MaxSamples: 1})
		q.Sleep(100 * 10 * time.Second)
		require.Equal(q, m.Start(), m.Status().Oldest)
		q.Sleep(1000 * 10 * time.Second)
		status := m.Status()
		kept := m.Series("level")[0].Samples
		require.True(q, kept[0].At.After(m.Start()))
		require.Equal(q, kept[0].At, status.Oldest)
		require.Equal(q, q.Elapsed(), status.At.Sub(m.Start()))
	})
}

// A rule whose interval is no multiple of the scrapes' is evaluated with the first scrape
// at which it is due.
func TestIntervalOfARule(t *testing.T) {
	for every, want := range map[time.Duration][]int{
		0:                {10, 20, 30, 40, 50, 60},
		4 * time.Second:  {10, 20, 30, 40, 50, 60},
		15 * time.Second: {20, 30, 50, 60},
		20 * time.Second: {20, 40, 60},
		25 * time.Second: {30, 50},
		time.Minute:      {60},
	} {
		qtests.Run(t, func(q *qtests.T) {
			m := monitor.NewT(q, monitor.Config{Rules: []monitor.Rule{{Record: "t", Expr: "vector(time())", Every: every}}})
			begin := float64(time.Now().Unix())
			q.Sleep(65 * time.Second)
			var got []int
			for _, s := range m.Series("t")[0].Samples {
				if at := int(s.Value - begin); len(got) == 0 || got[len(got)-1] != at {
					got = append(got, at)
				}
			}
			require.Equal(q, want, got, "%v", every)
		})
	}
}
