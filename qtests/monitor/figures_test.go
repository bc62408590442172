package monitor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A rule with as many elements as its limit is evaluated, and one with more fails and writes nothing.
func TestLimitOfARule(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		level := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "level", Help: "h"}, []string{"k"})
		m := monitor.NewT(q, monitor.Config{Collectors: []prometheus.Collector{level}, Disabled: true, Rules: []monitor.Rule{
			{Name: "A", Expr: "level > 0", Limit: 2}, {Record: "b", Expr: "level * 2", Limit: 2}, {Name: "C", Expr: "level > 0"}, {Record: "d", Expr: "level * 2"},
		}})
		for _, k := range []string{"1", "2"} {
			level.WithLabelValues(k).Set(1)
		}
		require.NoError(q, m.Scrape())
		require.Len(q, m.Series("b"), 2)
		states := func() (all []monitor.State) {
			for _, r := range m.Rules() {
				all = append(all, r.State)
			}
			return all
		}
		require.Equal(q, []monitor.State{monitor.Firing, "", monitor.Firing, ""}, states())
		level.WithLabelValues("3").Set(1)
		q.Sleep(time.Second)
		err := m.Scrape()
		require.ErrorContains(q, err, "exceeded limit of 2 with 3 alerts")
		require.ErrorContains(q, err, "exceeded limit of 2 with 3 series")
		require.Equal(q, []monitor.State{monitor.Inactive, "", monitor.Firing, ""}, states())
	})
}

func TestLeastInterval(t *testing.T) {
	for interval, ok := range map[time.Duration]bool{0: true, time.Millisecond: true, time.Millisecond - 1: false, -1: false} {
		m, err := monitor.New(monitor.Config{Interval: interval, Disabled: true})
		require.Equal(t, ok, err == nil, "%v: %v", interval, err)
		if m != nil {
			m.Close()
		}
	}
}

func TestSummaryOrAnnotation(t *testing.T) {
	for _, c := range []struct {
		summary, annotation string
		ok                  bool
	}{{"", "", true}, {"s", "", true}, {"", "a", true}, {"s", "a", false}} {
		rule := monitor.Rule{Name: "A", Expr: "vector(1)", Summary: c.summary, Annotations: monitor.Labels{"summary": c.annotation}}
		m, err := monitor.New(monitor.Config{Disabled: true, Rules: []monitor.Rule{rule}})
		require.Equal(t, c.ok, err == nil, "%v: %v", c, err)
		if m != nil {
			m.Close()
		}
	}
}

// What fails is told of by the scrape, by its target, and by the counts of notifications.
func TestErrorsAreTold(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		broken := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("no disk") })
		_, reg := gauge("level")
		m := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{reg, broken}, Disabled: true,
			Rules: []monitor.Rule{{Name: "A", Expr: "vector(1) > 0"}, {Name: "Bad", Expr: "bad"}},
			Compile: func(expr string) (monitor.Evaluator, error) {
				return evaluatorFunc(func(context.Context, *monitor.History, time.Time) (monitor.Result, error) {
					if expr == "bad" {
						return monitor.Result{}, errors.New("no idea")
					}
					return monitor.Result{Points: []monitor.Point{{Value: 1}}}, nil
				}), nil
			},
			Channels: []monitor.Channel{refusing{}}, Route: monitor.Route{Immediately: true},
		})
		err := m.Scrape()
		require.ErrorContains(q, err, "no disk")
		require.ErrorContains(q, err, "no idea")
		failed := m.TargetErrors()
		require.Len(q, failed, 1)
		require.ErrorContains(q, failed["gatherer 1"], "no disk")
		q.Sleep(time.Minute)
		require.EqualValues(q, 1, m.Status().NotifyErrors)
	})
}

type refusing struct{}

func (refusing) Notify(context.Context, monitor.Notification) error {
	return errors.Join(errors.New("no"), monitor.ErrPermanent)
}

// What a rule is now is what it looks back at, and samples lie between the instants that were asked for.
func TestLookingBack(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("x")
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Disabled: true, Rules: []monitor.Rule{{Name: "A", Expr: "x > 9", QueryOffset: 15 * time.Second}}})
		for i := range 4 {
			g.Set(float64(i))
			require.NoError(q, m.Scrape())
			q.Sleep(10 * time.Second)
		}
		require.Equal(q, "1", m.Rules()[0].Now(), "15 s before 30 s")
		at := func(s int) time.Time { return m.Start().Add(time.Duration(s) * time.Second) }
		between := func(from, to int) (values []float64) {
			for _, s := range m.SeriesBetween(at(from), at(to), "x") {
				for _, x := range s.Samples {
					values = append(values, x.Value)
				}
			}
			return values
		}
		require.Equal(q, []float64{1, 2}, between(5, 25))
		require.Equal(q, []float64{0}, between(-1, 0), "what is at the end belongs to it")
		require.Empty(q, m.SeriesBetween(at(11), at(19), "x"), "no sample is no series")
	})
}

// RequireNotified wants the named receiver to be told, in time.
func TestRequireNotifiedNamesWhoWasTold(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("x")
		told := func(context.Context, monitor.Notification) error { return nil }
		m := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{{Name: "A", Expr: "x > 0"}},
			Receivers: []monitor.Receiver{{Name: "day", Channels: []monitor.Channel{channelFunc(told)}}, {Name: "night", Channels: []monitor.Channel{channelFunc(told)}}},
			Route:     monitor.Route{Receiver: "day", GroupWait: 5 * time.Second},
		})
		q.Sleep(5 * time.Second)
		g.Set(1) // seen at 10 s, told at 15 s
		q.Sleep(time.Minute)
		g.Set(0) // a transition that nobody needs to be told of
		q.Sleep(time.Minute)
		m.RequireNotified(q, "day", "A", 5*time.Second)
		failed := func(receiver string, d time.Duration) string {
			return tbtest.Run("t", func(r *tbtest.TB) { m.RequireNotified(r, receiver, "A", d) }).Errors()
		}
		require.Contains(q, failed("day", 5*time.Second-1), "receiver day was told that alert A{} fires 5s after it did, not within 4.999999999s")
		require.Contains(q, failed("night", time.Hour), "receiver night was not told that alert A{} fires, at 10s; told was day")
		require.Contains(q, failed("nobody", time.Hour), `no receiver is called "nobody"`)
	})
}

type channelFunc func(context.Context, monitor.Notification) error

func (f channelFunc) Notify(ctx context.Context, n monitor.Notification) error { return f(ctx, n) }
