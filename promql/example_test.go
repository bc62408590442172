package promql_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/promql"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
)

// A team's alerts see an outage of ten minutes of the team's service, by Prometheus' own engine.
func Example() {
	var t *testing.T // the one of the test
	var newService func(prometheus.Registerer) http.Handler
	qtests.Run(t, func(q *qtests.T) {
		registry := prometheus.NewRegistry()
		client := q.Direct(newService(registry))
		alerts, err := rules.Read("alerts.yaml")
		if err != nil {
			q.Fatal(err)
		}
		mon := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{registry}, Rules: alerts, Compile: promql.NewEngine().Compile,
		})
		for range 600 {
			if resp, err := client.Get("http://payments/"); err == nil {
				_ = resp.Body.Close()
			}
			q.Sleep(time.Second)
		}
		mon.RequireFired(q, "PaymentsDown")
	})
}

// What promtool does with a file of tests, in go test, with a subtest for each.
func ExampleRunRuleTests() {
	var t *testing.T // the one of the test
	promql.RunRuleTests(t, "testdata/alerts_test.yaml")
}
