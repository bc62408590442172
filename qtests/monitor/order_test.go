package monitor_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// A rule sees what the recording rules after it wrote at the evaluation before, as in
// Prometheus, with either evaluator.
func TestRulesSeeWhatLaterOnesRecordedBefore(t *testing.T) {
	last := func(name string) monitor.Compiler {
		return func(string) (monitor.Evaluator, error) {
			return evaluatorFunc(func(_ context.Context, h *monitor.History, at time.Time) (monitor.Result, error) {
				for _, s := range h.Series(at.Add(-monitor.Lookback), at, monitor.Equal("__name__", name)) {
					if x, ok := s.Last(); ok && x.Value > 10 && !monitor.IsStale(x.Value) {
						return monitor.Result{Points: []monitor.Point{{Value: x.Value}}}, nil
					}
				}
				return monitor.Result{}, nil
			}), nil
		}
	}
	const late = "20s\tLate inactive → firing\n50s\tLate firing → resolved\n"
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("errors")
		rules := []monitor.Rule{
			{Name: "Late", Expr: "double > 10"},
			{Record: "double", Expr: "errors * 2 > 0"},
			{Name: "Early", Expr: "double > 10"},
		}
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: rules})
		// The same with an evaluator, over what the first monitor's rule records.
		e := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: rules, Compile: func(expr string) (monitor.Evaluator, error) {
			if expr == rules[1].Expr {
				return evaluatorFunc(func(context.Context, *monitor.History, time.Time) (monitor.Result, error) {
					p, err := m.Query("errors * 2 > 0", time.Time{})
					return monitor.Result{Points: p}, err
				}), nil
			}
			return last("double")(expr)
		}})
		g.Set(7)
		q.Sleep(35 * time.Second)
		g.Set(0) // the recorded series goes: its last value counts once more, at 40 s
		q.Sleep(30 * time.Second)
		for _, x := range []*monitor.Monitor{m, e} {
			require.Equal(q, late, x.Timeline("Late"))
			require.Equal(q, "10s\tEarly inactive → firing\n40s\tEarly firing → resolved\n", x.Timeline("Early"))
		}
	})
}

// What a rule recorded is not seen for longer than Lookback, a rule may read itself, and
// a range has no sample twice.
func TestRecordedValuesAreSeenOnce(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, reg := gauge("errors")
		m := monitor.NewT(q, monitor.Config{Interval: 6 * time.Minute, Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{
			{Name: "Late", Expr: "one == 1"}, {Record: "one", Expr: "vector(1)"},
		}})
		n := monitor.NewT(q, monitor.Config{Interval: time.Minute, Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{
			{Record: "seen", Expr: "count_over_time(steps[4m])"},
			{Record: "steps", Expr: "steps + 1 or vector(1)"},
		}})
		q.Sleep(20*time.Minute + time.Second)
		require.Empty(q, m.Timeline("Late"), "six minutes are longer than Lookback")
		steps, seen := m.Start(), n.RequireSeries(q, "seen")[0].Samples
		require.Equal(q, 2*time.Minute, seen[0].At.Sub(steps), "nothing is recorded before the first evaluation")
		last, _ := n.RequireSeries(q, "steps")[0].Last()
		require.EqualValues(q, 20, last.Value, "each evaluation sees the one before")
		// In the four minutes up to now: those of three evaluations before.
		require.EqualValues(q, 3, seen[len(seen)-1].Value)
	})
}
