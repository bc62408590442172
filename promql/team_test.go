package promql_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/promql"
	"github.com/go-qtests/qtests/promql/alertmanager"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/lint"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
)

// The rules, the scrape config and the routes of a team, as they are deployed, under an
// outage of its service.
func TestTeamFiles(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total", Help: "Requests."}, []string{"code"})
		registry := prometheus.NewRegistry()
		registry.MustRegister(requests)

		team, err := rules.ReadPrometheus("testdata/team/prometheus.yml")
		require.NoError(q, err)
		cfg, err := team.Config(func(job, instance string) prometheus.Gatherer { return registry })
		require.NoError(q, err)
		cfg.Compile = promql.NewEngine().Compile
		cfg.Panels = []string{"job:http_requests:rate2m"}

		routes, err := alertmanager.Read("testdata/team/alertmanager.yml")
		require.NoError(q, err)
		pager, mail := routes.Outbox(), &notify.Recorder{}
		err = routes.Apply(&cfg, map[string][]monitor.Channel{"pager": {pager}, "team": {mail}})
		require.NoError(q, err)

		mon := monitor.NewT(q, cfg)
		stop, err := event.Schedule(q.Context(), q.Clock(), nil, mon.Down("shop", "shop-2:8080").At(20*time.Minute).For(10*time.Minute))
		require.NoError(q, err)
		serve := func(code string, d time.Duration) {
			for range d / time.Second {
				requests.WithLabelValues(code).Inc()
				q.Sleep(time.Second)
			}
		}
		serve("200", 10*time.Minute)
		serve("503", 5*time.Minute)
		serve("200", 45*time.Minute)
		require.NoError(q, stop())

		mon.RequireNotified(q, "pager", "ShopFails", time.Minute)
		mon.RequireNotified(q, "team", "ShopInstanceDown", time.Minute)
		mon.RequireResolvedWithin(q, "ShopFails", 10*time.Minute)
		require.Equal(q, "ShopFails: shop fails 100% of its requests", pager.Messages()[0].Texts["title"])
	})
}

// promtool's tests of the same rules, and what is wrong with rules in general.
func TestTeamRules(t *testing.T) {
	promql.RunRuleTests(t, "testdata/team/alerts_test.yaml")
	lint.Require(t, lint.Config{Interval: 15 * time.Second}, "testdata/team/alerts.yaml")
}
