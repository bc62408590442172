package notify_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A Recorder remembers what the channels were told; LogTo writes it to the log of the
// test as well.
func ExampleRecorder() {
	var told notify.Recorder
	logs := tbtest.Run("an example has no t of its own", func(t *tbtest.TB) {
		stock := prometheus.NewGauge(prometheus.GaugeOpts{Name: "stock", Help: "Items that are left."})
		clk := clock.NewMock()
		delivered := make(chan struct{})
		mon := monitor.NewT(t, monitor.Config{
			Disabled: true, Clock: clk, Collectors: []prometheus.Collector{stock},
			Rules: []monitor.Rule{{Name: "SoldOut", Expr: "stock == 0", Summary: "nothing is left"}},
			Route: monitor.Route{Immediately: true},
			Channels: []monitor.Channel{monitor.ChannelFunc(func(ctx context.Context, n monitor.Notification) error {
				defer close(delivered)
				return errors.Join(told.Notify(ctx, n), notify.LogTo(t).Notify(ctx, n))
			})},
		})
		clk.Add(time.Minute)
		_ = mon.Scrape()
		<-delivered
	})
	for _, n := range told.Notifications() {
		fmt.Println(n)
	}
	fmt.Println(logs.Logs()[0])
	// Output:
	// [FIRING:1] SoldOut: nothing is left
	// monitor: 1970-01-01T00:01:00Z [FIRING:1] SoldOut: nothing is left
}
