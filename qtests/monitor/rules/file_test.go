package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
)

const ruleFile = `
groups:
  - name: recording
    interval: 30s
    rules:
      - record: job:errors:double
        expr: errors * 2
        labels: {team: pay}
  - name: alerts
    labels: {team: pay, level: low}
    rules:
      - alert: Errors
        expr: job:errors:double > 5
        for: 1m
        keep_firing_for: 2m
        labels:
          level: high
        annotations:
          summary: "{{ $value }} in {{ $labels.team }}"
`

func TestRuleFile(t *testing.T) {
	alerts, err := rules.Parse("alerts.yaml", strings.NewReader(ruleFile))
	require.NoError(t, err)
	require.Len(t, alerts, 2)
	require.Equal(t, 30*time.Second, alerts[0].Every)
	require.Equal(t, map[string]string{"team": "pay", "level": "high"}, alerts[1].Labels)
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("errors")
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: alerts})
		g.Set(4) // recorded at 30 s
		q.Sleep(115 * time.Second)
		g.Set(0) // recorded at 120 s
		q.Sleep(10 * time.Minute)
		require.Equal(q, ""+
			"30s\tErrors{level=\"high\",team=\"pay\"} inactive → pending\n"+
			"1m30s\tErrors{level=\"high\",team=\"pay\"} pending → firing\n"+
			"4m0s\tErrors{level=\"high\",team=\"pay\"} firing → resolved\n", m.Timeline())
		s := m.RequireSeries(q, "job:errors:double", monitor.Equal("team", "pay"))
		require.EqualValues(q, 8, s[0].Samples[0].Value)
		require.Equal(q, 30*time.Second, s[0].Samples[0].At.Sub(m.Start()))
		require.Equal(q, 40*time.Second, s[0].Samples[1].At.Sub(m.Start()), "repeated between two evaluations")
	})
}

func TestRuleFilesThatAreNone(t *testing.T) {
	_, err := rules.Parse("bad.yaml", strings.NewReader("groups: []\n#"+strings.Repeat("x", rules.MaxFile+1)))
	require.ErrorContains(t, err, "bad.yaml: larger than")
	alerts, err := rules.Parse("empty.yaml", strings.NewReader(""))
	require.NoError(t, err)
	require.Empty(t, alerts)
	_, err = rules.Read("no such file")
	require.ErrorContains(t, err, "no such file")
}

const operatorFile = `
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: shop
  labels: {role: alert-rules}
spec:
  groups:
  - name: shop
    partial_response_strategy: warn
    limit: 2
    query_offset: 10s
    rules:
    - {alert: Errors, expr: errors > 5}
`

// What Thanos and mimirtool add to Prometheus' format.
func TestFieldsOfOthers(t *testing.T) {
	read, err := rules.Parse("a.yaml", strings.NewReader("namespace: shop\ngroups:\n- name: g\n  partial_response_strategy: abort\n  rules:\n  - {alert: A, expr: up > 0}\n"))
	require.NoError(t, err)
	require.Len(t, read, 1)
}

func TestOperatorObject(t *testing.T) {
	read, err := rules.Parse("shop.yaml", strings.NewReader(operatorFile))
	require.NoError(t, err)
	require.Equal(t, []monitor.Rule{{
		Name: "Errors", Expr: "errors > 5", Labels: map[string]string{}, Limit: 2, QueryOffset: 10 * time.Second, Origin: `shop.yaml:14: group "shop"`,
	}}, read)
	qtests.Run(t, func(q *qtests.T) {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "errors", Help: "h"}, []string{"a"})
		reg := prometheus.NewRegistry()
		reg.MustRegister(v)
		read = append(read, monitor.Rule{Record: "double", Expr: "errors * 2", Limit: 2})
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: read})
		v.WithLabelValues("1").Set(7)
		q.Sleep(25 * time.Second)
		v.WithLabelValues("2").Set(7)
		v.WithLabelValues("3").Set(7)
		q.Sleep(30 * time.Second) // three from 30 s on, seen from 40 s on
		require.Equal(q, "20s\tErrors{a=\"1\"} inactive → firing\n40s\tErrors{a=\"1\"} firing → resolved\n", m.Timeline())
		require.ErrorContains(q, m.Status().LastError, "rule double: exceeded limit of 2 with 3 series")
		require.EqualValues(q, 5, m.Status().Errors, "two of the alert, three of the recording rule")
		v.DeleteLabelValues("1")
		q.Sleep(20 * time.Second)
		require.Len(q, m.Alerts("Errors"), 2)
	})
}

// Anchors, aliases and merge keys of YAML mean what they stand for, and stay strict.
func TestRuleFileAnchors(t *testing.T) {
	const text = `
groups:
- name: one
  labels: &team {team: pay}
  rules:
  - &slow
    alert: Slow
    expr: &expr latency > 1
    for: &long 5m
    labels: &page {severity: page}
    annotations: &text {summary: it is slow}
- name: two
  labels: *team
  rules:
  - *slow
  - <<: *slow
    alert: Slower
    labels: {<<: *page, level: high}
  - {record: is:slow, expr: *expr}
- name: three
  rules: &all
  - {alert: C, expr: *expr, keep_firing_for: *long, annotations: *text}
- {name: four, rules: *all}
`
	read, err := rules.Parse("anchors.yaml", strings.NewReader(text))
	require.NoError(t, err)
	require.Len(t, read, 6)
	slow := monitor.Rule{
		Name: "Slow", Expr: "latency > 1", For: 5 * time.Minute, Labels: map[string]string{"team": "pay", "severity": "page"},
		Annotations: map[string]string{"summary": "it is slow"},
	}
	for i, want := range []func(r *monitor.Rule){
		func(r *monitor.Rule) { r.Origin = `anchors.yaml:6: group "one"` },
		func(r *monitor.Rule) { r.Origin = `anchors.yaml:15: group "two"` },
		func(r *monitor.Rule) {
			r.Origin, r.Name, r.Labels = `anchors.yaml:16: group "two"`, "Slower", map[string]string{"team": "pay", "severity": "page", "level": "high"}
		},
		func(r *monitor.Rule) {
			*r = monitor.Rule{Record: "is:slow", Expr: "latency > 1", Labels: map[string]string{"team": "pay"}, Origin: `anchors.yaml:19: group "two"`}
		},
		func(r *monitor.Rule) {
			r.Origin, r.Name, r.For, r.KeepFiringFor, r.Labels = `anchors.yaml:22: group "three"`, "C", 0, 5*time.Minute, map[string]string{}
		},
		func(r *monitor.Rule) {
			r.Origin, r.Name, r.For, r.KeepFiringFor, r.Labels = `anchors.yaml:22: group "four"`, "C", 0, 5*time.Minute, map[string]string{}
		},
	} {
		r := slow
		want(&r)
		require.Equal(t, r, read[i], "rule %d", i)
	}
	for bad, want := range map[string]string{
		"groups:\n- name: g\n  rules:\n  - &a {alert: A, expr: up, fro: 1m}\n  - *a\n":          `unknown field "fro"`,
		"groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: &l {a: *l}}\n":          "a rule of more than 10000 nodes",
		"groups:\n- name: g\n  rules:\n  - {alert: A, expr: *nope}\n":                           "unknown anchor 'nope' referenced",
		"groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: " + laughs + "}}\n": "a rule of more than 10000 nodes",
	} {
		_, err := rules.Parse("bad.yaml", strings.NewReader(bad))
		require.ErrorContains(t, err, want)
	}
}

// laughs grows tenfold with every level.
var laughs = func() string {
	text := "&a0 [x,x,x,x,x,x,x,x,x,x]"
	for i := range 6 {
		text = fmt.Sprintf("&a%d [%s%s]", i+1, text, strings.Repeat(fmt.Sprintf(",*a%d", i), 9))
	}
	return text
}()

func FuzzParseRules(f *testing.F) {
	f.Add(ruleFile)
	f.Add("groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, for: 1m}\n")
	f.Fuzz(func(t *testing.T, text string) {
		alerts, err := rules.Parse("f", strings.NewReader(text))
		if err != nil {
			return
		}
		for _, r := range alerts {
			require.True(t, (r.Name == "") != (r.Record == ""))
			require.NotEmpty(t, r.Expr)
			require.GreaterOrEqual(t, r.For, time.Duration(0))
		}
	})
}

func TestBurnRate(t *testing.T) {
	slo := rules.SLO{Name: "Checkout", Errors: `requests_total{result="error"}`, Total: "requests_total", Objective: 0.999, By: []string{"step"}}
	alerts, err := rules.BurnRate(slo)
	require.NoError(t, err)
	require.Len(t, alerts, 4)
	require.Equal(t, "CheckoutBurnRate14.4", alerts[0].Name)
	require.Equal(t, `sum by (step) (rate(requests_total{result="error"}[1h])) / sum by (step) (rate(requests_total[1h])) > 14.4 * (1 - 0.999)`+
		` and sum by (step) (rate(requests_total{result="error"}[5m])) / sum by (step) (rate(requests_total[5m])) > 14.4 * (1 - 0.999)`, alerts[0].Expr)
	for _, bad := range []rules.SLO{{}, {Name: "X", Errors: "a", Total: "b", Objective: 1}, {Name: "X", Errors: "a[5m]", Total: "b", Objective: 0.9}} {
		_, err := rules.BurnRate(bad)
		require.Error(t, err)
	}

	qtests.Run(t, func(q *qtests.T) {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total", Help: "h"}, []string{"step", "result"})
		reg := prometheus.NewRegistry()
		reg.MustRegister(c)
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: alerts, Interval: time.Minute})
		traffic := func(d time.Duration, errors float64) {
			for range d / time.Minute {
				c.WithLabelValues("pay", "ok").Add(1000 - errors)
				c.WithLabelValues("pay", "error").Add(errors)
				q.Sleep(time.Minute)
			}
		}
		q.Sleep(30 * time.Second)
		traffic(6*time.Hour, 0.5) // half of the budget: silent
		m.RequireNotFired(q)
		traffic(20*time.Minute, 100) // ten per cent fail: 100 times the budget's rate
		traffic(2*time.Hour, 0)
		m.RequireFired(q, "CheckoutBurnRate14.4", "CheckoutBurnRate6")
		m.RequireFiredBetween(q, "CheckoutBurnRate14.4", 6*time.Hour, 6*time.Hour+11*time.Minute)
		m.RequireResolvedWithin(q, "CheckoutBurnRate14.4", 30*time.Minute)
	})
}
