package monitor_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// shopMetrics is a registry with series whose names rules may get wrong.
func shopMetrics() *prometheus.Registry {
	orders := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "orders_total", Help: "Orders."}, []string{"result"})
	orders.WithLabelValues("accepted").Inc()
	orders.WithLabelValues("refused").Inc()
	stock := prometheus.NewGauge(prometheus.GaugeOpts{Name: "stock", Help: "Items."})
	reg := prometheus.NewRegistry()
	reg.MustRegister(orders, stock)
	return reg
}

// An alert that cannot fire because its expression names nothing that is there does
// not fail the test, but the log says so.
func TestRequireNotFiredSaysWhatIsMissing(t *testing.T) {
	for expr, want := range map[string][]string{
		// All there.
		`stock < 0`: nil,
		`rate(orders_total{result="refused"}[5m]) / on () sum(rate(orders_total[5m])) > 0.5`: nil,
		`stock > 100 or absent(stock)`: nil,
		`vector(0) > 1`:                nil,
		// A name.
		`order_total > 5`: {`order_total; did you mean orders_total?`},
		`sum(rate(Orders_Total{result="refused"}[5m])) > 5`: {`Orders_Total{result="refused"}; did you mean orders_total?`},
		`temperature_celsius > 30`:                          {`temperature_celsius`},
		// A label.
		`orders_total{result="refsed"} > 5`:           {`orders_total{result="refsed"}; did you mean orders_total{result="refused"} or orders_total{result="accepted"}?`},
		`orders_total{result=~"lost|stolen"} > 5`:     {`orders_total{result=~"lost|stolen"}; did you mean orders_total{result="accepted"} or orders_total{result="refused"}?`},
		`{__name__=~"ordres_.*",result!="refused"}`:   {`{__name__=~"ordres_.*",result!="refused"}`},
		`-quantile(0.5, stocks offset 5m) / stok > 0`: {`stocks; did you mean stock?`, `stok; did you mean stock?`},
		// Once, although it is written twice.
		`stok > 1 and stok < 9`: {`stok; did you mean stock?`},
		// What has another reason.
		`real_goroutines > 1e6`:   {`real_goroutines, which rules do not see under a fake clock without Config.AlertOnReal`},
		`job:refusals:rate5m > 5`: {`job:refusals:rate5m, recorded from rate(orders_totl[5m])`},
	} {
		qtests.Run(t, func(q *qtests.T) {
			m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{shopMetrics()}, Runtime: true, Rules: []monitor.Rule{
				{Record: "job:refusals:rate5m", Expr: "rate(orders_totl[5m])"},
				{Name: "Shop", Expr: expr, For: time.Hour},
				{Name: "Other", Expr: "nothing == 1"},
			}})
			q.Sleep(25 * time.Second)
			rec := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireNotFired(tb, "Shop") })
			require.False(q, rec.Failed())
			if want == nil {
				require.Empty(q, rec.Logs(), expr)
				return
			}
			text := "monitor: RequireNotFired holds, perhaps for want of series, after 2 scrapes:"
			for _, w := range want {
				text += "\n  alert Shop: no series matches " + w
			}
			require.Equal(q, []string{text}, rec.Logs())

			rec = tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireFired(tb, "Shop") })
			require.Contains(q, rec.Errors(), "\nrule: "+expr+"\nalert Shop: no series matches "+want[0])
		})
	}
}

// A series that has gone was there to fire on.
func TestRequireNotFiredAfterASeriesHasGone(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("errors")
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{{Name: "High", Expr: "errors > 5"}}})
		rec := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireNotFired(tb) })
		require.Len(q, rec.Logs(), 1, "before the first scrape there is nothing")
		q.Sleep(15 * time.Second)
		require.True(q, reg.Unregister(g))
		q.Sleep(time.Hour)
		rec = tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireNotFired(tb) })
		require.Empty(q, rec.Logs())
	})
}

// A rule file of production names many series that a test does not have.
func TestRequireNotFiredSaysNoMoreThanCanBeRead(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var rules []monitor.Rule
		for i := range 50 {
			rules = append(rules, monitor.Rule{Name: fmt.Sprintf("Node%d", i), Expr: fmt.Sprintf("node_%d > 1", i)})
		}
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{shopMetrics()}, Rules: rules})
		rec := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireNotFired(tb) })
		require.Len(q, rec.Logs(), 1)
		lines := strings.Split(rec.Logs()[0], "\n")
		require.Len(q, lines, 1+20+1)
		require.Equal(q, "  and 30 more", lines[21])
	})
}

// Also of expressions that another engine evaluates, as far as the monitor's own
// reader understands them.
func TestRequireNotFiredWithACompiler(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		never := evaluatorFunc(func(context.Context, *monitor.History, time.Time) (monitor.Result, error) {
			return monitor.Result{}, nil
		})
		m := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{shopMetrics()},
			Compile:   func(string) (monitor.Evaluator, error) { return never, nil },
			Rules:     []monitor.Rule{{Name: "Stock", Expr: "stok < 1"}, {Name: "Subquery", Expr: "max_over_time(stok[1h+1m]) < 1"}},
		})
		q.Sleep(15 * time.Second)
		rec := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireNotFired(tb) })
		require.Equal(q, []string{"monitor: RequireNotFired holds, perhaps for want of series, after 1 scrapes:\n" +
			"  alert Stock: no series matches stok; did you mean stock?"}, rec.Logs())
	})
}
