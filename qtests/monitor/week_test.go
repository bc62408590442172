package monitor_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// teamRules are n rules of the forms that teams write, over what shop exports.
func teamRules(n int) (out []monitor.Rule) {
	for i := range n {
		svc, more := fmt.Sprintf("s%d", i/10%10), float64(i/100) // a warning, an alert and a page of each
		r := monitor.Rule{Name: fmt.Sprintf("Rule%d", i), For: 5 * time.Minute, Severity: "page", Summary: "{{ $labels.service }} is at {{ $value | humanize }}"}
		switch i % 10 {
		case 0:
			r = monitor.Rule{Record: fmt.Sprintf("service:requests:rate5m_%d", i), Expr: fmt.Sprintf(`sum by (service, code) (rate(requests_total{service="%s"}[5m]))`, svc)}
		case 1:
			r.Expr = fmt.Sprintf(`sum by (service) (rate(requests_total{service="%s",code=~"5.."}[5m])) / sum by (service) (rate(requests_total{service="%[1]s"}[5m])) > %g`, svc, 0.05+more/100)
		case 2:
			r.Expr = fmt.Sprintf(`histogram_quantile(0.99, sum by (le, service) (rate(latency_seconds_bucket{service="%s"}[10m]))) > %g`, svc, 0.9+more/100)
		case 3:
			r.Expr = fmt.Sprintf(`queue_length{service="%s"} > %g`, svc, 90+more)
		case 4:
			r.Expr = fmt.Sprintf(`max_over_time(queue_length{service="%s"}[30m]) > 100 and on (service) queue_length > %g`, svc, 95+more)
		case 5:
			r.Expr = fmt.Sprintf(`predict_linear(disk_free_bytes{service="%s"}[1h], %g*3600) < 0`, svc, 4+more)
		case 6:
			r.Expr = fmt.Sprintf(`absent(queue_length{service="%s"})`, svc)
		case 7:
			r.Expr = fmt.Sprintf(`avg_over_time(queue_length{service="%s"}[15m]) > %g`, svc, 80+more)
		case 8:
			r.Expr = fmt.Sprintf(`service:requests:rate5m_%d > 1000`, i-8)
		case 9:
			r.Expr = fmt.Sprintf(`changes(queue_length{service="%s"}[1h]) == %g`, svc, more)
		}
		out = append(out, r)
	}
	return out
}

// TestWeek monitors 500 series with 300 rules every 15 seconds: a week with
// QTESTS_STRESS=100, which is to take a minute at most, and a hundredth of it without.
func TestWeek(t *testing.T) {
	const week = 7 * 24 * time.Hour
	span := min(week, time.Duration(stress.Factor(t))*week/100)
	begin := time.Now()
	qtests.Run(t, func(q *qtests.T) {
		reg := prometheus.NewRegistry()
		requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total", Help: "h"}, []string{"service", "code", "pod"})
		latency := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "latency_seconds", Help: "h"}, []string{"service"})
		queue := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "queue_length", Help: "h"}, []string{"service", "pod"})
		disk := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "disk_free_bytes", Help: "h"}, []string{"service", "pod"})
		reg.MustRegister(requests, latency, queue, disk)
		r := q.Rand("shop")
		work := func() {
			for s := range 10 {
				svc := fmt.Sprintf("s%d", s)
				for p := range 6 {
					pod := fmt.Sprintf("p%d", p)
					for i, code := range []string{"200", "404", "500", "503"} {
						requests.WithLabelValues(svc, code, pod).Add(float64(r.IntN(100 >> (2 * i))))
					}
					queue.WithLabelValues(svc, pod).Set(float64(r.IntN(100)))
					disk.WithLabelValues(svc, pod).Set(1e9 + 1e6*r.NormFloat64())
				}
				latency.WithLabelValues(svc).Observe(r.Float64())
			}
		}
		work()
		m := monitor.NewT(q, monitor.Config{Interval: 15 * time.Second, Gatherers: []prometheus.Gatherer{reg}, Rules: teamRules(300)})
		for range span / (5 * time.Minute) {
			work()
			q.Sleep(5 * time.Minute)
		}
		q.Sleep(time.Second)
		require.InDelta(q, 620, m.Status().Series, 20, "500, and what the rules record")
		require.Zero(q, m.Status().Errors, "%v", m.Status().LastError)
		t.Logf("%d scrapes of %d series with 300 rules", m.Status().Scrapes, m.Status().Series)
	})
	t.Logf("%v took %v", span, time.Since(begin))
}
