package promql_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/promql"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A team's rule file, with a join and a subquery, over an hour
// with an outage of ten minutes.
func TestRuleFileUnderAnOutage(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total", Help: "h"}, []string{"path", "code"})
		owner := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "service_owner", Help: "h"}, []string{"path", "team"})
		reg := prometheus.NewRegistry()
		reg.MustRegister(requests, owner)
		owner.WithLabelValues("/pay", "payments").Set(1)
		owner.WithLabelValues("/list", "shop").Set(1)

		alerts, err := rules.Read("testdata/alerts.yaml")
		require.NoError(q, err)
		own := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: alerts}) // the same with the own reader
		mon := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: alerts, Compile: promql.NewEngine().Compile})

		q.Sleep(5 * time.Second)
		traffic := func(d time.Duration, payCode string) {
			for range d / time.Second {
				requests.WithLabelValues("/pay", payCode).Inc()
				requests.WithLabelValues("/list", "200").Add(3)
				q.Sleep(time.Second)
			}
		}
		traffic(20*time.Minute, "200")
		traffic(10*time.Minute, "503")
		traffic(30*time.Minute, "200")

		require.Equal(q, ""+
			"22m0s\tErrorBudgetBurn{path=\"/pay\",severity=\"page\",team=\"payments\"} inactive → pending\n"+
			"24m0s\tErrorBudgetBurn{path=\"/pay\",severity=\"page\",team=\"payments\"} pending → firing\n"+
			"34m0s\tErrorBudgetBurn{path=\"/pay\",severity=\"page\",team=\"payments\"} firing → resolved\n", mon.Timeline("ErrorBudgetBurn"))
		mon.RequireNotFired(q, "TrafficGone")
		require.Equal(q, mon.Timeline(), own.Timeline())
		require.NoError(q, mon.Status().LastError)
	})
}

func TestCompileRefusals(t *testing.T) {
	for expr, want := range map[string]string{
		"up >":     "unexpected end of input",
		"up[5m]":   "expression of type matrix",
		`"text"`:   "expression of type string",
		"rate(up)": "expected type range vector",
	} {
		_, err := promql.NewEngine().Compile(expr)
		require.ErrorContains(t, err, want, expr)
	}
}

// A failing evaluation is the rule's error, and no data is told from a condition
// that does not hold.
func TestErrorsAndNoData(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		reg := prometheus.NewRegistry()
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "level", Help: "h"}, []string{"a"})
		reg.MustRegister(v)
		v.WithLabelValues("1").Set(1)
		v.WithLabelValues("2").Set(2)
		mon := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{reg}, Compile: promql.NewEngine().Compile,
			Rules: []monitor.Rule{
				{Name: "Many", Expr: "level + on () level"},
				{Name: "Missing", Expr: "nothing > 5", NoData: monitor.PolicyAlert},
				{Name: "Fine", Expr: "level > 5", NoData: monitor.PolicyAlert},
				{Name: "Scalar", Expr: "1"},
			},
		})
		q.Sleep(11 * time.Second)
		require.ErrorContains(q, mon.Status().LastError, "rule Many: promql: found duplicate series")
		mon.RequireFired(q, "Missing", "Scalar")
		mon.RequireNotFired(q, "Fine")
		failed := tbtest.Run("many", func(tb *tbtest.TB) { mon.RequireNotFired(tb, "Many") })
		require.Contains(q, failed.Errors(), "alert Many: every evaluation failed, 1 of 1; the last error: promql: found duplicate series")
	})
}
