package monitor_test

import (
	"context"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A monitor whose scrapes a test makes itself, on a clock that it moves by hand.
// Without Disabled a scrape happens at every interval.
func ExampleMonitor_Scrape() {
	// The registry and the gauge belong to the code under test.
	registry := prometheus.NewRegistry()
	seats := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "seats_free", Help: "Seats that can be booked."}, []string{"hall"})
	registry.MustRegister(seats)

	clk := clock.NewMock()
	mon, err := monitor.New(monitor.Config{Disabled: true, Clock: clk, Gatherers: []prometheus.Gatherer{registry}})
	if err != nil {
		panic(err)
	}
	defer mon.Close()
	for _, free := range []float64{120, 80, 0} {
		seats.WithLabelValues("north").Set(free)
		clk.Add(time.Minute)
		if err := mon.Scrape(); err != nil {
			panic(err)
		}
	}
	for _, series := range mon.Series("seats_free", monitor.Equal("hall", "north")) {
		for _, sample := range series.Samples {
			fmt.Println(series, sample.At.Sub(mon.Start()), sample.Value)
		}
	}
	// Output:
	// seats_free{hall="north"} 1m0s 120
	// seats_free{hall="north"} 2m0s 80
	// seats_free{hall="north"} 3m0s 0
}

// An alert is pending until its condition has held for two minutes, then it fires,
// and it is resolved by the first scrape that finds all well.
func ExampleRule() {
	backlog := prometheus.NewGauge(prometheus.GaugeOpts{Name: "outbox_waiting", Help: "Mails that wait to be sent."})
	clk := clock.NewMock()
	mon, err := monitor.New(monitor.Config{
		Disabled: true, Clock: clk, Collectors: []prometheus.Collector{backlog},
		Rules: []monitor.Rule{{
			Name: "OutboxBacklog", Expr: "outbox_waiting > 100", For: 2 * time.Minute,
			Severity: "page", Summary: "{{ $value }} mails wait",
		}},
	})
	if err != nil {
		panic(err)
	}
	defer mon.Close()
	for _, waiting := range []float64{0, 150, 400, 900, 50} {
		backlog.Set(waiting)
		clk.Add(time.Minute)
		_ = mon.Scrape()
		for _, alert := range mon.Alerts() {
			fmt.Printf("%s is %s: %s\n", alert.Name, alert.State, alert.Annotations["summary"])
		}
	}
	fmt.Print(mon.Timeline())
	// Output:
	// OutboxBacklog is pending: 150 mails wait
	// OutboxBacklog is pending: 400 mails wait
	// OutboxBacklog is firing: 900 mails wait
	// 2m0s	OutboxBacklog{severity="page"} inactive → pending
	// 4m0s	OutboxBacklog{severity="page"} pending → firing
	// 5m0s	OutboxBacklog{severity="page"} firing → resolved
}

// What did clients see in the last five minutes? The zero time is the newest scrape.
func ExampleMonitor_Query() {
	answers := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "answers_total", Help: "Answers."}, []string{"code", "path"})
	clk := clock.NewMock()
	mon, err := monitor.New(monitor.Config{Disabled: true, Clock: clk, Collectors: []prometheus.Collector{answers}})
	if err != nil {
		panic(err)
	}
	defer mon.Close()
	for range 11 {
		clk.Add(time.Minute)
		_ = mon.Scrape()
		answers.WithLabelValues("200", "/cart").Add(50)
		answers.WithLabelValues("200", "/search").Add(100)
		answers.WithLabelValues("503", "/search").Add(10)
	}
	points, err := mon.Query(`sum by (code) (increase(answers_total[5m]))`, time.Time{})
	if err != nil {
		panic(err)
	}
	for _, p := range points {
		fmt.Println(p.Labels, p.Value)
	}
	// Output:
	// {code="200"} 750
	// {code="503"} 50
}

// How did the temperature of a cold store develop, hour by hour?
func ExampleMonitor_QueryRange() {
	celsius := prometheus.NewGauge(prometheus.GaugeOpts{Name: "store_celsius", Help: "Temperature of the cold store."})
	clk := clock.NewMock()
	mon, err := monitor.New(monitor.Config{Disabled: true, Clock: clk, Collectors: []prometheus.Collector{celsius}})
	if err != nil {
		panic(err)
	}
	defer mon.Close()
	for minute := range 180 { // after two hours the door is left open
		celsius.Set(-20 + max(0, float64(minute-120)/4))
		clk.Add(time.Minute)
		_ = mon.Scrape()
	}
	series, err := mon.QueryRange("max_over_time(store_celsius[1h])", mon.Start().Add(time.Hour), clk.Now(), time.Hour)
	if err != nil {
		panic(err)
	}
	for _, s := range series[0].Samples {
		fmt.Println(s.At.Sub(mon.Start()), s.Value)
	}
	// Output:
	// 1h0m0s -20
	// 2h0m0s -20
	// 3h0m0s -5.25
}

// What a test requires of its alerts, and how it reads when that does not hold. In
// a test, t is the test's own, or the q of qtests.Run, whose clock NewT takes.
func ExampleMonitor_RequireFired() {
	failed := tbtest.Run("an example has no t of its own", func(t *tbtest.TB) {
		lag := prometheus.NewGauge(prometheus.GaugeOpts{Name: "replica_lag_seconds", Help: "How far the replica is behind."})
		clk := clock.NewMock()
		mon := monitor.NewT(t, monitor.Config{
			Disabled: true, Clock: clk, Collectors: []prometheus.Collector{lag},
			Rules: []monitor.Rule{
				{Name: "ReplicaLags", Expr: "replica_lag_seconds > 30", For: time.Minute},
				{Name: "ReplicaLost", Expr: "replica_lag_seconds > 3600"},
			},
		})
		for _, seconds := range []float64{2, 45, 1} {
			lag.Set(seconds)
			clk.Add(30 * time.Second)
			_ = mon.Scrape()
		}
		mon.RequireNotFired(t, "ReplicaLost")
		mon.RequireFired(t, "ReplicaLags")
	})
	fmt.Println(failed.Errors())
	// Output:
	// monitor: alert ReplicaLags has not fired
	// timeline:
	// 1m0s	ReplicaLags inactive → pending
	// 1m30s	ReplicaLags pending → inactive
	// 3 scrapes, the last at 1m30s
	// rule: replica_lag_seconds > 30
}

// Alerts that fire in several halls reach the person on call as one notification.
// Every channel has a goroutine of its own, and may take as long as ctx lets it.
func ExampleChannelFunc() {
	pages := make(chan monitor.Notification)
	pager := monitor.ChannelFunc(func(ctx context.Context, n monitor.Notification) error {
		select {
		case pages <- n:
			return nil
		case <-ctx.Done(): // the group interval is over, or the monitor closed
			return ctx.Err()
		}
	})
	free := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "seats_free", Help: "Seats that can be booked."}, []string{"hall"})
	clk := clock.NewMock()
	mon, err := monitor.New(monitor.Config{
		Disabled: true, Clock: clk, Collectors: []prometheus.Collector{free},
		Rules:    []monitor.Rule{{Name: "SoldOut", Expr: "seats_free == 0", Summary: "no seats in the {{ $labels.hall }} hall"}},
		Channels: []monitor.Channel{pager},
		Route:    monitor.Route{GroupBy: []string{"alertname"}, Immediately: true},
	})
	if err != nil {
		panic(err)
	}
	defer mon.Close()
	free.WithLabelValues("north").Set(0)
	free.WithLabelValues("south").Set(0)
	free.WithLabelValues("west").Set(7)
	clk.Add(time.Minute)
	_ = mon.Scrape()

	page := <-pages
	fmt.Println(page)
	for _, a := range page.Alerts {
		fmt.Println("-", a.Annotations["summary"])
	}
	// Output:
	// [FIRING:2] SoldOut
	// - no seats in the north hall
	// - no seats in the south hall
}
