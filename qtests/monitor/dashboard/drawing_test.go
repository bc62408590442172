package dashboard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/dashboard"
)

// recovery is 50 minutes with an outage of 5 and a trial of 5, scraped every 10 s and so drawn every 20 s.
func recovery(q *qtests.T, cfg monitor.Config) *monitor.Monitor {
	s := newService()
	cfg.Gatherers = []prometheus.Gatherer{s.reg}
	cfg.Rules = []monitor.Rule{
		{Name: "Open", Expr: `breaker_state{state="open"} == 1`, For: time.Minute},
		{Name: "Waiting", Expr: "sum(pool_waiters) > 0"},
	}
	m := monitor.NewT(q, cfg)
	q.Sleep(5 * time.Second)
	s.work(q, 10*time.Minute, 0)
	s.breaker("open")
	s.work(q, 5*time.Minute, 1)
	s.breaker("half-open")
	s.work(q, 5*time.Minute, 0)
	s.breaker("closed")
	s.work(q, 30*time.Minute, 0)
	return m
}

func TestDrawnRecovery(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		m := recovery(q, monitor.Config{})
		q.EventLog().Add(m.Start().Add(time.Minute), "event x", "begins")
		q.EventLog().Add(m.Start().Add(time.Minute), "fleet", "grows")
		page, d := ask(q, m, "sum(pool_waiters)")
		require.EqualValues(q, 3000, d.Span)
		require.Equal(q, []string{"sum(pool_waiters)", "Requests per second", "Response time", "Pools in use", "Breakers and alerts"}, d.titles())
		require.Contains(q, page, `badge good`)
		for i, names := range []string{"{}", "requests errors", "p50 p95 p99", "db,waiting for db"} {
			var got []string
			for j, s := range d.Charts[i].Series {
				got = append(got, s.Name)
				require.Equal(q, j, s.Color)
				require.EqualValues(q, 20, s.Width)
				require.Len(q, s.Values, 150)
			}
			require.Equal(q, strings.ReplaceAll(names, ",", " "), strings.Join(got, " "))
		}
		at := func(chart, series, second int) float64 {
			v := d.Charts[chart].Series[series].Values[second/20-1]
			require.NotNil(q, v, "%d/%d at %d s", chart, series, second)
			return *v
		}
		// 100 errors at 615 s, the first of all, in a window of 40 s.
		require.InDelta(q, 100./40, at(1, 1, 620), 1e-6)
		require.InDelta(q, 10, at(1, 0, 3000), 1e-6)
		require.Equal(q, []float64{3, 10, 0, 5}, []float64{at(3, 0, 600), at(3, 0, 620), at(3, 1, 600), at(3, 1, 620)})
		require.Equal(q, []lane{
			{"breaker payments", []phase{{0, 600, "closed", "good"}, {600, 900, "open", "bad"}, {900, 1200, "half-open", "warn"}, {1200, 3000, "closed", "good"}}},
			{`alert Open {breaker="payments",state="open"}`, []phase{{610, 670, "pending", "warn"}, {670, 910, "firing", "bad"}}},
			{`alert Waiting`, []phase{{620, 920, "firing", "bad"}}},
		}, d.Charts[4].Lanes)
		var marks []string
		for _, x := range d.Marks {
			marks = append(marks, x.Kind+" "+x.Who)
		}
		require.Subset(q, marks, []string{"event event x", "other fleet", "alert alert Open"})
	})
}

func TestEmptyPage(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		page, d := ask(q, monitor.NewT(q, monitor.Config{}), "")
		require.Empty(q, d.Charts)
		require.EqualValues(q, 10, d.Span, "one interval")
		for _, title := range []string{"Scrapes that fail", "Rules", "Alerts", "Pools and breakers", "Why it is"} {
			require.NotContains(q, page, title+"<")
		}
	})
}

// A table of rules has 300 rows, and says how many more there are.
func TestManyRules(t *testing.T) {
	for n, more := range map[int]string{300: "", 301: "and 1 more", 303: "and 3 more"} {
		rules := make([]monitor.Rule, n)
		for i := range rules {
			rules[i] = monitor.Rule{Name: fmt.Sprint("Rule", i), Expr: "nothing > 5"}
		}
		page, _ := ask(t, monitor.NewT(t, monitor.Config{Disabled: true, Rules: rules}), "")
		require.Contains(t, page, more)
		require.Equal(t, more != "", strings.Contains(page, " more</td>"), n)
	}
}

func TestHealth(t *testing.T) {
	down := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("down") })
	for name, tc := range map[string]struct {
		cfg    monitor.Config
		use    [3]float64 // in use, limit, waiting
		health dashboard.Health
		why    []string
	}{
		"full":    {monitor.Config{}, [3]float64{10, 10, 0}, dashboard.Healthy, nil},
		"waiting": {monitor.Config{}, [3]float64{9, 10, 1}, dashboard.Healthy, nil},
		"both":    {monitor.Config{}, [3]float64{10, 10, 1}, dashboard.Degraded, []string{"pool db is exhausted: 1 wait"}},
		"warning": {monitor.Config{Rules: []monitor.Rule{{Name: "A", Expr: "up == 1", Severity: "warning"}}}, [3]float64{}, dashboard.Degraded, []string{"alert A fires since 10s"}},
		"page":    {monitor.Config{Rules: []monitor.Rule{{Name: "A", Expr: "up == 1", Severity: "page"}}}, [3]float64{}, dashboard.Critical, []string{"alert A fires since 10s"}},
		"gatherer": {monitor.Config{Gatherers: []prometheus.Gatherer{down}}, [3]float64{}, dashboard.Degraded,
			[]string{"gatherer 0 cannot be scraped"}},
		"target": {monitor.Config{Targets: []monitor.Target{{Job: "shop", Instance: "a", Gatherer: down}}}, [3]float64{}, dashboard.Degraded,
			[]string{"target shop a cannot be scraped"}},
	} {
		qtests.Run(t, func(q *qtests.T) {
			s := newService()
			s.pool.WithLabelValues("db", "in_use").Set(tc.use[0])
			s.limit.WithLabelValues("db").Set(tc.use[1])
			s.waiters.WithLabelValues("db").Set(tc.use[2])
			tc.cfg.Collectors = []prometheus.Collector{s.pool, s.limit, s.waiters}
			m := monitor.NewT(q, tc.cfg)
			q.Sleep(11 * time.Second)
			d := dashboard.Of(m)
			require.Equal(q, tc.health, d.Health, "%s: %v", name, d.Reasons)
			require.Equal(q, tc.why, d.Reasons, name)
		})
	}
}

// Calls are counted by breaker, the rejected ones apart, and durations have four digits.
func TestFigures(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		s := newService()
		calls := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "breaker_calls_total", Help: "Calls."}, []string{"breaker", "result"})
		for result, n := range map[string]float64{"success": 5, "failure": 2, "rejected": 3} {
			calls.WithLabelValues("payments", result).Add(n)
			calls.WithLabelValues("other", result).Add(100)
		}
		m := monitor.NewT(q, monitor.Config{Interval: time.Minute, Gatherers: []prometheus.Gatherer{s.reg}, Collectors: []prometheus.Collector{calls}})
		q.Sleep(5 * time.Second)
		s.work(q, 10*time.Minute, 0)
		d := dashboard.Of(m)
		require.Equal(q, []dashboard.Breaker{{Name: "payments", State: "closed", Calls: 7, Rejected: 3}}, d.Breakers)
		require.InDelta(q, 10, d.Rate, 1e-9, "over four intervals")
		// Of 100 values from 0 to 0.99 s, 51 are at most 0.5 s, and 100 at most 1 s.
		require.Contains(q, d.String(), "p50               490ms           p90         898ms  p95  949ms  p99  989.8ms\n")
	})
}
