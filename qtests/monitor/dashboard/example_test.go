package dashboard_test

import (
	"fmt"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/dashboard"
)

func ExampleOf() {
	waiters := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "pool_waiters", Help: "Callers that wait."}, []string{"pool"})
	clk := clock.NewMock()
	mon, err := monitor.New(monitor.Config{
		Disabled: true, Clock: clk, Collectors: []prometheus.Collector{waiters},
		Rules: []monitor.Rule{{Name: "Queue", Expr: "pool_waiters > 10", Severity: "page"}},
	})
	if err != nil {
		panic(err)
	}
	defer mon.Close()
	waiters.WithLabelValues("db").Set(12)
	clk.Add(time.Minute)
	_ = mon.Scrape()
	d := dashboard.Of(mon) // dashboard.Handler(mon) serves the same live
	fmt.Println(d.Health, d.Reasons)
	fmt.Println(d.Pools[0].Name, d.Pools[0].Waiters, "waiting after", d.Uptime)
	// Output:
	// critical [alert Queue fires since 1m0s pool db is exhausted: 12 wait]
	// db 12 waiting after 1m0s
}
