package monitor_test

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
)

// registry returns one with n gauges.
func registry(n int) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "level", Help: "h"}, []string{"i"})
	reg.MustRegister(v)
	for i := range n {
		v.WithLabelValues(strconv.Itoa(i)).Set(float64(i))
	}
	return reg
}

// BenchmarkScrape is a scrape of 1,000 series and the evaluation of 100 rules.
func BenchmarkScrape(b *testing.B) {
	var rules []monitor.Rule
	for i := range 100 {
		expr := fmt.Sprintf(`level{i="%d"} > 1e9`, i)
		if i%10 == 0 {
			expr = fmt.Sprintf(`sum(rate(level{i=~"%d.*"}[5m])) > 1e9`, i)
		}
		rules = append(rules, monitor.Rule{Name: "R" + strconv.Itoa(i), Expr: expr})
	}
	clk := &jumping{Clock: clock.New(), now: time.Unix(1000, 0)}
	m, err := monitor.New(monitor.Config{Clock: clk, Interval: 1000 * time.Hour, Gatherers: []prometheus.Gatherer{registry(1000)}, Rules: rules})
	require.NoError(b, err)
	defer m.Close()
	for range 30 {
		clk.set(clk.Now().Add(10 * time.Second))
		require.NoError(b, m.Scrape())
	}
	b.ReportAllocs()
	for b.Loop() {
		clk.set(clk.Now().Add(10 * time.Second))
		if err := m.Scrape(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWeek is a week of fake time at ten seconds with 100 series and a rule.
func BenchmarkWeek(b *testing.B) {
	for b.Loop() {
		synctest.Test(new(testing.T), func(*testing.T) {
			m, err := monitor.New(monitor.Config{Gatherers: []prometheus.Gatherer{registry(100)}, Rules: []monitor.Rule{{Name: "A", Expr: "sum(level) > 1e9"}}})
			if err != nil {
				panic(err)
			}
			time.Sleep(7*24*time.Hour + time.Second)
			m.Close()
			if n := m.Status().Scrapes; n != 7*24*360 {
				panic(n)
			}
		})
	}
}

// BenchmarkBurnRate is four days with the four rules of an SLO at ten seconds,
// whose longest window is three days.
func BenchmarkBurnRate(b *testing.B) {
	alerts, err := rules.BurnRate(rules.SLO{Name: "A", Errors: `level{i="1"}`, Total: "level", Objective: 0.99})
	require.NoError(b, err)
	for b.Loop() {
		synctest.Test(new(testing.T), func(*testing.T) {
			m, err := monitor.New(monitor.Config{Gatherers: []prometheus.Gatherer{registry(5)}, Rules: alerts})
			if err != nil {
				panic(err)
			}
			time.Sleep(4*24*time.Hour + time.Second)
			m.Close()
		})
	}
}
