package coverage_test

import (
	"fmt"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/coverage"
)

// tests stands for the *testing.M of TestMain.
type tests func()

func (f tests) Run() int { f(); return 0 }

// TestMain calls Run with its *testing.M, and ends the process with the exit code.
func ExampleSuite() {
	failures := prometheus.NewGauge(prometheus.GaugeOpts{Name: "checkout_failures"})
	outage := func() {
		clk := clock.NewMock()
		mon, err := monitor.New(monitor.Config{
			Disabled: true, Clock: clk, Collectors: []prometheus.Collector{failures},
			Rules: []monitor.Rule{
				{Name: "CheckoutFails", Expr: "checkout_failures > 5"},
				{Name: "CheckoutSlow", Expr: "checkout_seconds > 1"},
			},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		defer mon.Close()
		for _, n := range []float64{0, 9, 0} {
			failures.Set(n)
			clk.Add(time.Minute)
			_ = mon.Scrape()
		}
	}
	code := coverage.Suite{M: tests(outage)}.Run()
	fmt.Println("exit code", code)
	// Output:
	// coverage of 2 alerts: 1 fired and was resolved, 1 never moved
	//   never moved             CheckoutSlow; no series matches checkout_seconds
	//   fired, resolved         CheckoutFails 1 time
	// exit code 0
}
