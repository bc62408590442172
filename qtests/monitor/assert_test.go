package monitor_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// An alert that fires from 10 s to 40 s, and one that never does.
func story(q *qtests.T) *monitor.Monitor {
	g, reg := gauge("errors")
	m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{
		{Name: "High", Expr: "errors > 5"}, {Name: "Never", Expr: "errors > 50"}, {Record: "double", Expr: "errors * 2"},
	}})
	g.Set(7)
	q.Sleep(35 * time.Second)
	g.Set(0)
	q.Sleep(10 * time.Second)
	return m
}

func TestAssertionsThatHold(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		m := story(q)
		m.RequireFired(q, "High")
		m.RequireNotFired(q, "Never")
		m.RequireFiredBetween(q, "High", 10*time.Second, 10*time.Second)
		m.RequireResolvedWithin(q, "High", 30*time.Second)
		require.Len(q, m.RequireSeries(q, "double"), 1)
		require.Equal(q, "10s\tHigh inactive → firing\n40s\tHigh firing → resolved\n", m.Timeline())
		m.RequireTimeline(q, m.Timeline())
		m.RequireTimeline(q, `

			10s   High   inactive → firing
			40s   High   firing → resolved
		`, "High")
		m.RequireTimeline(q, "", "Never")
	})
}

func TestAssertionBeforeTheFirstScrape(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, reg := gauge("errors")
		m := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{{Name: "High", Expr: "errors > 5"}}, Disabled: true,
		})
		failed := tbtest.Run("TestEarly", func(r *tbtest.TB) { m.RequireFired(r, "High") })
		require.Contains(q, failed.Errors(), "(no transitions)\nno scrape yet\nrule: errors > 5")
	})
}

func TestAssertionsThatFail(t *testing.T) {
	const timeline = "\ntimeline:\n10s\tHigh inactive → firing\n40s\tHigh firing → resolved\n4 scrapes, the last at 40s\nrule: errors > 5"
	qtests.Run(t, func(q *qtests.T) {
		m := story(q)
		for want, f := range map[string]func(tb tb.TB){
			"monitor: alert Never has not fired\ntimeline:\n(no transitions)\n4 scrapes, the last at 40s\nrule: errors > 50": func(tb tb.TB) { m.RequireFired(tb, "High", "Never") },
			"monitor: RequireFired without the name of an alert":                                                             func(tb tb.TB) { m.RequireFired(tb) },
			"monitor: alert High has fired, at 10s" + timeline:                                                               func(tb tb.TB) { m.RequireNotFired(tb) },
			"monitor: alert High has not begun to fire between 11s and 1m0s" + timeline:                                      func(tb tb.TB) { m.RequireFiredBetween(tb, "High", 11*time.Second, time.Minute) },
			"monitor: alert High{} was resolved 30s after it fired, not within 29s" + timeline:                               func(tb tb.TB) { m.RequireResolvedWithin(tb, "High", 29*time.Second) },
			"monitor: the timeline differs from line 2 on\nwant: 30s High firing → resolved\nhave: 40s High firing → resolved\n" +
				"all that happened:\n10s High inactive → firing\n40s High firing → resolved": func(tb tb.TB) {
				m.RequireTimeline(tb, "10s High inactive → firing\n30s High firing → resolved")
			},
			"monitor: the timeline differs from line 1 on\nwant: 10s Never inactive → firing\nhave: (the end)\nall that happened:\n": func(tb tb.TB) {
				m.RequireTimeline(tb, "10s Never inactive → firing", "Never")
			},
			`monitor: no rule is called "Hihg"; there are ["High" "Never"]`:                                            func(tb tb.TB) { m.RequireNotFired(tb, "Hihg") },
			"monitor: no series errors{a=\"b\"} in 4 scrapes of 3 series (last error: <nil>)\nhave:\n  errors":         func(tb tb.TB) { m.RequireSeries(tb, "errors", monitor.Equal("a", "b")) },
			"monitor: no series erors{} in 4 scrapes of 3 series (last error: <nil>)\nhave:\n  double\n  errors\n  up": func(tb tb.TB) { m.RequireSeries(tb, "erors") },
		} {
			rec := tbtest.Run("assertion", func(tb *tbtest.TB) {
				f(tb)
				tb.Errorf("it went on")
			})
			require.Equal(q, want, rec.Errors())
		}
	})
}

func TestRequireResolvedWithinWhileFiring(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("errors")
		g.Set(7)
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{{Name: "High", Expr: "errors > 5"}}})
		q.Sleep(15 * time.Second)
		rec := tbtest.Run("assertion", func(tb *tbtest.TB) { m.RequireResolvedWithin(tb, "High", time.Hour) })
		require.Contains(q, rec.Errors(), "fired at 10s and is not resolved")
	})
}

// The policies for evaluations without an answer: from 20 s on there is no data,
// from 40 s on the evaluation fails, from 60 s on all is well.
func TestPolicies(t *testing.T) {
	run := func(t *testing.T, rule monitor.Rule) (timeline string) {
		qtests.Run(t, func(q *qtests.T) {
			mode := "bad"
			eval := evaluatorFunc(func(context.Context, *monitor.History, time.Time) (monitor.Result, error) {
				switch mode {
				case "bad":
					return monitor.Result{Points: []monitor.Point{{Value: 1}}}, nil
				case "no data":
					return monitor.Result{NoData: true}, nil
				case "error":
					return monitor.Result{}, errors.New("division of labour by zero")
				}
				return monitor.Result{}, nil
			})
			rule.Name, rule.Expr = "A", "x"
			m := monitor.NewT(q, monitor.Config{Rules: []monitor.Rule{rule}, Compile: func(string) (monitor.Evaluator, error) { return eval, nil }})
			q.Sleep(15 * time.Second)
			for _, mode = range []string{"no data", "error", "good"} {
				q.Sleep(20 * time.Second)
			}
			require.ErrorContains(q, m.Status().LastError, "monitor: rule A: division of labour")
			timeline = strings.ReplaceAll(m.Timeline(), "\n", "; ")
		})
		return timeline
	}
	for want, rule := range map[string]monitor.Rule{
		"10s\tA inactive → firing; 20s\tA firing → resolved; ":                                                     {},
		"10s\tA inactive → firing; 60s\tA firing → resolved; ":                                                     {NoData: monitor.PolicyKeep},
		"10s\tA inactive → firing; 40s\tA firing → resolved; ":                                                     {NoData: monitor.PolicyKeep, OnError: monitor.PolicyResolve},
		"10s\tA inactive → firing; 20s\tA firing → resolved; 40s\tA inactive → firing; 60s\tA firing → resolved; ": {OnError: monitor.PolicyAlert},
		"10s\tA{severity=\"page\"} inactive → firing; 20s\tA{severity=\"page\"} firing → resolved; ":               {Severity: "page", NoData: monitor.PolicyResolve},
	} {
		require.Equal(t, strings.ReplaceAll(want, "60s", "1m0s"), run(t, rule))
	}
	require.Equal(t, "10s\tA inactive → firing; 1m0s\tA firing → resolved; ", run(t, monitor.Rule{NoData: monitor.PolicyAlert}), "one alert, in place of the same one")
}

type evaluatorFunc func(context.Context, *monitor.History, time.Time) (monitor.Result, error)

func (f evaluatorFunc) Eval(ctx context.Context, h *monitor.History, at time.Time) (monitor.Result, error) {
	return f(ctx, h, at)
}

func TestEvaluatorsThatMisbehave(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		release := make(chan struct{})
		var late *monitor.History
		var m *monitor.Monitor
		evaluators := map[string]evaluatorFunc{
			"panics": func(context.Context, *monitor.History, time.Time) (monitor.Result, error) { panic("boom") },
			"exits": func(context.Context, *monitor.History, time.Time) (monitor.Result, error) {
				runtime.Goexit()
				return monitor.Result{}, nil
			},
			"blocks": func(_ context.Context, h *monitor.History, _ time.Time) (monitor.Result, error) {
				late = h
				<-release
				return monitor.Result{}, nil
			},
			"calls back": func(_ context.Context, h *monitor.History, at time.Time) (monitor.Result, error) {
				if len(m.Series("level")) == 0 || len(h.Series(at.Add(-time.Minute), at, monitor.Equal("__name__", "level"))) != 1 {
					return monitor.Result{}, errors.New("it sees nothing")
				}
				return monitor.Result{Points: []monitor.Point{{Value: 1}}}, nil
			},
		}
		_, reg := gauge("level")
		m = monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{reg}, Timeout: time.Second,
			Rules:   []monitor.Rule{{Name: "A", Expr: "panics"}, {Name: "B", Expr: "exits"}, {Name: "C", Expr: "blocks"}, {Name: "D", Expr: "calls back"}},
			Compile: func(expr string) (monitor.Evaluator, error) { return evaluators[expr], nil },
		})
		q.Sleep(15 * time.Second)
		require.EqualValues(q, 3, m.Status().Errors)
		m.RequireFired(q, "D")
		require.Empty(q, late.Series(time.Time{}, q.Clock().Now()), "given up, it sees nothing any more")
		close(release)
	})
	for want, c := range map[string]monitor.Compiler{
		"refused":                              func(string) (monitor.Evaluator, error) { return nil, errors.New("refused") },
		"Config.Compile panicked: boom":        func(string) (monitor.Evaluator, error) { panic("boom") },
		"Config.Compile returned no Evaluator": func(string) (monitor.Evaluator, error) { return nil, nil },
	} {
		_, err := monitor.New(monitor.Config{Compile: c, Rules: []monitor.Rule{{Name: "A", Expr: "x"}}})
		require.ErrorContains(t, err, want)
	}
}

// Readings of the real process are there to be looked at, and raise no alert under
// a fake clock unless asked.
func TestRealReadings(t *testing.T) {
	rules := []monitor.Rule{{Name: "Heap", Expr: "real_heap_bytes > 0"}}
	qtests.Run(t, func(q *qtests.T) {
		m := monitor.NewT(q, monitor.Config{Runtime: true, Rules: rules})
		asked := monitor.NewT(q, monitor.Config{Runtime: true, AlertOnReal: true, Rules: rules})
		q.Sleep(15 * time.Second)
		for _, name := range []string{"heap_bytes", "goroutines", "gc_cycles_total", "alloc_bytes_total", "gc_pause_p99_seconds", "sched_latency_p99_seconds", "memory_used_bytes", "memory_limit_bytes"} {
			m.RequireSeries(q, "real_"+name)
		}
		s, _ := m.Series("real_goroutines")[0].Last()
		require.GreaterOrEqual(q, s.Value, 2.0)
		m.RequireNotFired(q)
		asked.RequireFired(q, "Heap")
	})
	m := monitor.NewT(t, monitor.Config{Runtime: true, Rules: rules})
	require.NoError(t, m.Scrape())
	m.RequireFired(t, "Heap")
}

func TestHistograms(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		reg := prometheus.NewRegistry()
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", Help: "h", Buckets: []float64{0.5, 1}})
		s := prometheus.NewSummary(prometheus.SummaryOpts{Name: "s", Help: "s", Objectives: map[float64]float64{0.5: 0.01, 1: 0}})
		reg.MustRegister(h, s)
		h.Observe(0.7)
		s.Observe(3)
		native := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
			name, n, sum := "native", uint64(4), 2.5
			return []*dto.MetricFamily{{Name: &name, Type: dto.MetricType_HISTOGRAM.Enum(), Metric: []*dto.Metric{{Histogram: &dto.Histogram{SampleCount: &n, SampleSum: &sum}}}}}, nil
		})
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg, native}})
		require.NoError(q, m.Scrape())
		var got []string
		for _, x := range m.Series("") {
			last, _ := x.Last()
			if x.Name != "up" {
				got = append(got, x.String()+" "+trim(last.Value))
			}
		}
		require.Equal(q, []string{
			`h_bucket{le="+Inf"} 1`, `h_bucket{le="0.5"} 0`, `h_bucket{le="1.0"} 1`, "h_count 1", "h_sum 0.7",
			`native_bucket{le="+Inf"} 4`, "native_count 4", "native_sum 2.5",
			`s{quantile="0.5"} 3`, `s{quantile="1.0"} 3`, "s_count 1", "s_sum 3",
		}, got)
	})
}

func trim(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
