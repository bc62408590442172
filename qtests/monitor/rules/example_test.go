package rules_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
)

// The rule file of production, held to the code under test. Read reads it from a
// path.
func ExampleParse() {
	const file = `
groups:
  - name: checkout
    rules:
      - record: checkout:failed:rate5m
        expr: sum(rate(checkouts_total{result="failed"}[5m]))
      - alert: CheckoutsFail
        expr: checkout:failed:rate5m > 0.1
        labels: {severity: page}
`
	alerts, err := rules.Parse("alerts.yaml", strings.NewReader(file))
	if err != nil {
		panic(err)
	}
	checkouts := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "checkouts_total", Help: "Checkouts."}, []string{"result"})
	clk := clock.NewMock()
	mon, err := monitor.New(monitor.Config{Disabled: true, Clock: clk, Collectors: []prometheus.Collector{checkouts}, Rules: alerts})
	if err != nil {
		panic(err)
	}
	defer mon.Close()
	for range 10 {
		checkouts.WithLabelValues("failed").Add(10)
		clk.Add(time.Minute)
		_ = mon.Scrape()
	}
	fmt.Print(mon.Timeline())
	// Output:
	// 4m0s	CheckoutsFail{severity="page"} inactive → firing
}
