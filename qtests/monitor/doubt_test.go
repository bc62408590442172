package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// RequireNotFired does not hold for alerts that could not fire whatever happened.
func TestRequireNotFiredOfWhatCannotFire(t *testing.T) {
	rules := []monitor.Rule{
		{Record: "job:orders:increase1m", Expr: "increase(orders_total[1m])"},
		{Record: "job:orders:ratio", Expr: "job:orders:increase1m / 2"},
		{Record: "level", Expr: "stock + on () orders_total", Labels: map[string]string{"kind": "bad"}},
		{Record: "level", Expr: "stock", Labels: map[string]string{"kind": "good"}},
	}
	for expr, want := range map[string]string{
		`increase(orders_total[1m]) > 5`:                                         "alert A: increase(orders_total[1m]) never has two samples, with scrapes 1m0s apart",
		`sum by (result) (rate(orders_total{result="refused"}[30s] )) > 5`:       `alert A: rate(orders_total{result="refused"}[30s] ) never has two samples`,
		`stock > 1e9 or -changes(stock[1m]) > 5`:                                 "alert A: changes(stock[1m]) never has two samples",
		`(delta((stock[10s])) > 5)`:                                              "alert A: delta((stock[10s])) never has two samples",
		`job:orders:increase1m > 5`:                                              "alert A: it reads job:orders:increase1m: increase(orders_total[1m]) never has two samples",
		`job:orders:ratio > 5`:                                                   "alert A: it reads job:orders:increase1m: increase(orders_total[1m]) never",
		`stock + on () orders_total > 5`:                                         "alert A: every evaluation failed, 3 of 3; the last error: many-to-many matching",
		`level{kind="bad"} > 5`:                                                  "alert A: it reads level: every evaluation failed, 3 of 3",
		`level{kind="good"} > 5`:                                                 "",
		`increase(orders_total[61s]) > 5 or rate(stock[2m]) > 7`:                 "",
		`max_over_time(stock[1m]) > 5 or quantile_over_time(0.5, stock[1m]) > 9`: "",
	} {
		qtests.Run(t, func(q *qtests.T) {
			m := monitor.NewT(q, monitor.Config{Interval: time.Minute, Gatherers: []prometheus.Gatherer{shopMetrics()},
				Rules: append([]monitor.Rule{{Name: "A", Expr: expr}, {Name: "Other", Expr: "stock > 5"}}, rules...)})
			q.Sleep(3*time.Minute + time.Second)
			rec := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireNotFired(tb, "A") })
			if want == "" {
				require.False(q, rec.Failed(), "%s: %s", expr, rec.Errors())
			} else {
				require.Contains(q, rec.Errors(), "monitor: RequireNotFired cannot tell, after 3 scrapes:\n  "+want, expr)
				all := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireNotFired(tb) })
				require.Contains(q, all.Errors(), want, "without names it looks at all of them")
				fired := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireFired(tb, "A") })
				require.Contains(q, fired.Errors(), want, "and says so where the alert should have fired")
			}
			m.RequireNotFired(q, "Other")
			// Two scrapes closer to each other than the interval may fill a range.
			require.NoError(q, func() error { q.Sleep(4 * time.Second); _ = m.Scrape(); return nil }())
			again := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireNotFired(tb, "A") })
			require.NotContains(q, again.Errors(), "never has two samples", expr)
		})
	}
}

func TestRequireNotFiredOfWhatWasNeverEvaluated(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, reg := gauge("errors")
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{{Name: "Rare", Expr: "errors > 5", Every: time.Hour}}})
		q.Sleep(time.Minute)
		rec := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireNotFired(tb) })
		require.Contains(q, rec.Errors(), "alert Rare: it was never evaluated")
		q.Sleep(time.Hour)
		m.RequireNotFired(q)
	})
}

// One evaluation that gave an answer is enough.
func TestRequireNotFiredAfterAnError(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		n := 0
		m := monitor.NewT(q, monitor.Config{Rules: []monitor.Rule{{Name: "A", Expr: "x"}}, Compile: func(string) (monitor.Evaluator, error) {
			return evaluatorFunc(func(context.Context, *monitor.History, time.Time) (monitor.Result, error) {
				if n++; n == 3 {
					return monitor.Result{}, nil
				}
				return monitor.Result{}, errors.New("no answer")
			}), nil
		}})
		q.Sleep(25 * time.Second)
		rec := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireNotFired(tb) })
		require.Contains(q, rec.Errors(), "alert A: every evaluation failed, 2 of 2; the last error: no answer")
		q.Sleep(30 * time.Second)
		m.RequireNotFired(q)
	})
}

// The assertions know of what the timeline had no place for.
func TestAssertionsAfterTooManyTransitions(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		flap, reg := gauge("flap")
		calm := prometheus.NewGauge(prometheus.GaugeOpts{Name: "calm", Help: "h"})
		reg.MustRegister(calm)
		m := monitor.NewT(q, monitor.Config{Disabled: true, Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{
			{Name: "Flaps", Expr: "flap > 5"}, {Name: "Late", Expr: "calm > 5"}, {Name: "Never", Expr: "calm > 50"},
		}})
		for i := range monitor.MaxTransitions {
			flap.Set(float64(10 * (1 - i%2)))
			require.NoError(q, m.Scrape())
			q.Sleep(time.Second)
		}
		m.RequireNotFired(q, "Late")
		calm.Set(7)
		require.NoError(q, m.Scrape())
		require.Empty(q, m.Transitions("Late"))
		m.RequireFired(q, "Flaps", "Late")
		m.RequireNotFired(q, "Never")
		for want, f := range map[string]func(tb tb.TB){
			"monitor: alert Flaps has fired, at 0s\nalert Late has fired, at 2h46m40s\ntimeline:\n":         func(tb tb.TB) { m.RequireNotFired(tb) },
			"monitor: alert Late has fired, at 2h46m40s\ntimeline:\nand 1 transitions that were not kept\n": func(tb tb.TB) { m.RequireNotFired(tb, "Late") },
			"monitor: 1 transitions of alert Late were not kept: the timeline has no place for more than 10000": func(tb tb.TB) {
				m.RequireFiredBetween(tb, "Late", 0, time.Hour)
			},
			"monitor: 1 transitions of alert Late were":  func(tb tb.TB) { m.RequireResolvedWithin(tb, "Late", 100*time.Hour) },
			"have: and 1 transitions that were not kept": func(tb tb.TB) { m.RequireTimeline(tb, "", "Late") },
		} {
			rec := tbtest.Run("assertion", func(tb *tbtest.TB) { f(tb) })
			require.Contains(q, rec.Errors(), want)
			require.Less(q, len(rec.Errors()), 20_000, "of a long timeline only the beginning is shown")
		}
	})
}

func TestAssertionsNameAllAlerts(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("errors")
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{
			{Name: "A", Expr: "errors > 5"}, {Name: "B", Expr: "errors > 50"}, {Name: "C", Expr: "errors > 6", For: 10 * time.Second},
			{Name: "D", Expr: "errors > 60"}, {Name: "D", Expr: "errors > 70"},
		}})
		g.Set(7)
		q.Sleep(25 * time.Second)
		rec := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireFired(tb, "B", "A", "D", "B") })
		require.Equal(q, "monitor: alert B has not fired\nalert D has not fired\ntimeline:\n(no transitions)\n2 scrapes, the last at 20s\n"+
			"rule B: errors > 50\nrule D: errors > 60\nrule D: errors > 70", rec.Errors())
		rec = tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireNotFired(tb, "C", "B", "A") })
		require.Contains(q, rec.Errors(), "monitor: alert A has fired, at 10s\nalert C has fired, at 20s\ntimeline:\n"+
			"10s\tA inactive → firing\n10s\tC inactive → pending\n20s\tC pending → firing\n")
	})
}

// A template that fails does not stop the alert, and is counted.
func TestTemplateThatFails(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("errors")
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{{
			Name: "High", Expr: "errors > 5", Summary: `{{ humanize "x" }}`, OnError: monitor.PolicyResolve,
			Labels: map[string]string{"tier": `{{ .Nope }}`, "good": "{{ $value }}"}, Annotations: map[string]string{"more": "{{ $value }} errors"},
		}}})
		g.Set(7)
		q.Sleep(15 * time.Second)
		m.RequireFired(q, "High")
		a := m.Alerts()[0]
		const begin = "<error expanding template: error executing template __alert_High: template: __alert_High:1:"
		require.Contains(q, a.Annotations["summary"], begin)
		require.Contains(q, a.Annotations["summary"], `error calling humanize: strconv.ParseFloat: parsing "x": invalid syntax>`)
		require.Contains(q, a.Labels["tier"], begin)
		require.Equal(q, "7 errors", a.Annotations["more"])
		require.Equal(q, "7", a.Labels["good"])
		require.ErrorContains(q, m.Status().LastError, "monitor: alert High: label tier: error executing template")
		require.ErrorContains(q, m.Status().LastError, "annotation summary: error executing template")
		require.EqualValues(q, 1, m.Status().Errors)
	})
}

// Templates run queries, at the instant of the evaluation, and see the external labels.
func TestTemplateQueries(t *testing.T) {
	rule := monitor.Rule{
		Name: "High", Expr: "errors > 5", Labels: map[string]string{"cluster_of": "{{ $externalLabels.cluster }}"},
		Summary:     `{{ with query "errors * 2" }}{{ . | first | value }}{{ end }} at {{ now }}, {{ $externalURL }}{{ range query "scalar(errors)" }} {{ .Value }}{{ end }}`,
		Annotations: map[string]string{"bad": `{{ query "errors >" }}`},
	}
	for _, compile := range []monitor.Compiler{nil, func(expr string) (monitor.Evaluator, error) {
		if expr == "errors >" {
			return nil, errors.New("at character 9: no")
		}
		return evaluatorFunc(func(_ context.Context, h *monitor.History, at time.Time) (monitor.Result, error) {
			s := h.Series(at.Add(-time.Second), at, monitor.Equal("__name__", "errors"))
			v := s[0].Samples[0].Value
			if expr == "errors * 2" {
				v *= 2
			}
			return monitor.Result{Points: []monitor.Point{{Value: v}}}, nil
		}), nil
	}} {
		qtests.Run(t, func(q *qtests.T) {
			g, reg := gauge("errors")
			m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{rule}, Compile: compile,
				ExternalLabels: map[string]string{"cluster": "eu"}, ExternalURL: "http://prom"})
			g.Set(7)
			q.Sleep(25 * time.Second)
			a := m.Alerts()[0]
			require.Equal(q, fmt.Sprintf("14 at %v, http://prom 7", float64(m.Start().Unix()+20)), a.Annotations["summary"])
			require.Equal(q, monitor.Labels{"alertname": "High", "cluster_of": "eu"}, a.Labels)
			require.Contains(q, a.Annotations["bad"], "error calling query: at character 9")
		})
	}
}
