// Package alertsfile_test holds a Prometheus rule file, as it is deployed, to what the
// code exports: it must wake somebody in an outage, and be quiet before and after.
package alertsfile_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
)

func TestAlertsFile(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		alerts, err := rules.Read("testdata/alerts.yaml")
		require.NoError(q, err)
		orders := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "orders_total", Help: "Orders."}, []string{"result"})
		var told notify.Recorder
		mon := monitor.NewT(q, monitor.Config{
			Collectors: []prometheus.Collector{orders}, Rules: alerts, Channels: []monitor.Channel{&told},
		})

		serve := func(result string, d time.Duration) { // one order a second
			for range d / time.Second {
				orders.WithLabelValues(result).Inc()
				q.Sleep(time.Second)
			}
		}
		serve("ok", time.Hour)
		mon.RequireNotFired(q, "OrdersFail")
		serve("failed", 20*time.Minute)
		serve("ok", time.Hour)

		mon.RequireFiredBetween(q, "OrdersFail", 62*time.Minute, 70*time.Minute)
		mon.RequireResolvedWithin(q, "OrdersFail", 30*time.Minute)
		require.NotEmpty(q, told.Notifications())
	})
}
