package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests/event"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/dashboard"
)

// labelled is a gatherer of one series with the labels name, value, name, value, ….
func labelled(pairs ...string) prometheus.Gatherer {
	name, one := "x", 1.0
	m := &dto.Metric{Gauge: &dto.Gauge{Value: &one}}
	for i := 0; i < len(pairs); i += 2 {
		m.Label = append(m.Label, &dto.LabelPair{Name: &pairs[i], Value: &pairs[i+1]})
	}
	return fixed(&dto.MetricFamily{Name: &name, Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{m}})
}

func TestTargetLabels(t *testing.T) {
	for _, test := range []struct {
		brings []string
		labels map[string]string
		honor  bool
		want   string
	}{
		{nil, nil, false, `x{instance="i",job="j"}`},
		{[]string{"a", "1"}, map[string]string{"env": "test"}, false, `x{a="1",env="test",instance="i",job="j"}`},
		{[]string{"job", "own"}, nil, false, `x{exported_job="own",instance="i",job="j"}`},
		{[]string{"job", "own", "exported_job", "other"}, nil, false, `x{exported_exported_job="own",exported_job="other",instance="i",job="j"}`},
		{[]string{"env", "prod", "instance", "z"}, map[string]string{"env": "test"}, false, `x{env="test",exported_env="prod",exported_instance="z",instance="i",job="j"}`},
		{[]string{"a", "1", "exported_a", "2"}, map[string]string{"a": "3", "exported_a": "4"}, false,
			`x{a="3",exported_a="4",exported_exported_a="1",exported_exported_exported_a="2",instance="i",job="j"}`},
		{[]string{"job", ""}, nil, false, `x{instance="i",job="j"}`},
		{[]string{"job", "own"}, nil, true, `x{instance="i",job="own"}`},
		{[]string{"job", ""}, nil, true, `x{instance="i"}`},
		{[]string{"env", "prod"}, map[string]string{"env": "test", "zone": "a"}, true, `x{env="prod",instance="i",job="j",zone="a"}`},
	} {
		qtests.Run(t, func(q *qtests.T) {
			m := monitor.NewT(q, monitor.Config{Targets: []monitor.Target{
				{Job: "j", Instance: "i", Labels: test.labels, HonorLabels: test.honor, Gatherer: labelled(test.brings...)}}})
			require.NoError(q, m.Scrape())
			found := m.RequireSeries(q, "x")
			require.Len(q, found, 1)
			require.Equal(q, test.want, found[0].String(), "%v honor %v", test.brings, test.honor)
			// The series about the scrape have the target's own labels in any case.
			require.Len(q, m.RequireSeries(q, "up", monitor.Equal("job", "j"), monitor.Equal("instance", "i"))[0].Labels, len(test.labels)+2)
		})
	}
}

// What a scrape says about itself, also where it fails, takes time, or the target is down.
func TestTargetReports(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("level")
		slow := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
			q.Sleep(1500 * time.Millisecond)
			return []*dto.MetricFamily{family("many", 1, 2, 3)}, nil
		})
		broken := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("no disk") })
		m := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{fixed(family("plain", 1))},
			Targets: []monitor.Target{
				{Job: "shop", Instance: "a:80", Gatherer: reg}, {Job: "shop", Instance: "b:80", Gatherer: slow}, {Job: "disk", Instance: "c:80", Gatherer: broken}},
			Rules: []monitor.Rule{
				{Name: "TargetDown", Expr: `up{job="shop"} == 0`, For: 20 * time.Second, Summary: "{{ $labels.instance }} of {{ $labels.job }}"},
				{Name: "Gone", Expr: `absent(level{job="shop"})`},
			},
		})
		stop, err := event.Schedule(q.Context(), q.Clock(), nil,
			m.Down("shop", "a:80").At(25*time.Second).For(time.Minute), m.Down("shop", "a:80").At(45*time.Second).For(10*time.Second))
		require.NoError(q, err)
		g.Set(5)
		value := func(expr string) string {
			points, err := m.Query(expr, time.Time{})
			require.NoError(q, err)
			var out []string
			for _, p := range points {
				out = append(out, fmt.Sprintf("%s%s=%v", p.Labels["instance"], p.Labels["gatherer"], p.Value))
			}
			return strings.Join(out, " ")
		}
		q.Sleep(19 * time.Second)
		require.Equal(q, "gatherer 0=1 a:80=1 b:80=1 c:80=0", value("up"))
		require.Equal(q, "a:80=0 b:80=1.5 c:80=0", value("scrape_duration_seconds"))
		require.Equal(q, "a:80=1 b:80=3 c:80=0", value("scrape_samples_scraped"))
		require.Equal(q, value("scrape_samples_scraped"), value("scrape_samples_post_metric_relabeling"))
		require.ErrorContains(q, m.Status().LastError, "target disk c:80: no disk")
		q.Sleep(20 * time.Second) // 39 s
		require.Equal(q, "gatherer 0=1 a:80=0 b:80=1 c:80=0", value("up"))
		require.Empty(q, value("level"))
		require.Contains(q, dashboard.Of(m).Reasons, "target shop a:80 cannot be scraped")
		q.Sleep(70 * time.Second)
		require.NoError(q, stop())
		require.Equal(q, ""+
			"30s\tTargetDown{instance=\"a:80\",job=\"shop\"} inactive → pending\n"+
			"30s\tGone{job=\"shop\"} inactive → firing\n"+
			"50s\tTargetDown{instance=\"a:80\",job=\"shop\"} pending → firing\n"+
			"1m30s\tTargetDown{instance=\"a:80\",job=\"shop\"} firing → resolved\n"+
			"1m30s\tGone{job=\"shop\"} firing → resolved\n", m.Timeline())
		require.PanicsWithValue(q, "monitor: Down: no target is called shop c:80; there are: shop a:80, shop b:80, disk c:80", func() { m.Down("shop", "c:80") })
	})
}

func TestTargetConfigs(t *testing.T) {
	_, reg := gauge("level")
	for want, targets := range map[string][]monitor.Target{
		`Targets[0].Job: "" is empty`:                       {{Instance: "i", Gatherer: reg}},
		`Targets[0].Instance: "" is empty`:                  {{Job: "j", Gatherer: reg}},
		`Targets[0].Gatherer: nil is no gatherer`:           {{Job: "j", Instance: "i"}},
		`Targets[0].Labels: job cannot be a label`:          {{Job: "j", Instance: "i", Gatherer: reg, Labels: map[string]string{"job": "x"}}},
		`Targets[1]: {instance="i",job="j"} is there twice`: {{Job: "j", Instance: "i", Gatherer: reg}, {Job: "j", Instance: "i", Gatherer: reg}},
	} {
		_, err := monitor.New(monitor.Config{Targets: targets})
		require.ErrorContains(t, err, want)
	}
}

// ALERTS and ALERTS_FOR_STATE are as Prometheus writes them: a rule may read those of the
// evaluation before, and of its own; they go when the alert does.
func TestAlertsAreSeries(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("errors")
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, MaxSeries: 4, Rules: []monitor.Rule{
			{Name: "Early", Expr: `ALERTS{alertname="High",alertstate="firing"}`},
			{Name: "High", Expr: "errors > 5", For: 10 * time.Second, Severity: "page"},
			{Name: "Late", Expr: `ALERTS{alertname="High",alertstate="firing"} == 1`},
			{Name: "Old", Expr: `time() - ALERTS_FOR_STATE{severity="page"} >= 20`},
		}})
		g.Set(7)
		q.Sleep(35 * time.Second)
		g.Set(0)
		q.Sleep(10 * time.Second)
		require.Equal(q, "30s\tEarly{alertstate=\"firing\",severity=\"page\"} inactive → firing\n", m.Timeline("Early"), "at 40 s the value of 30 s counts")
		require.Equal(q, "10s\tHigh{severity=\"page\"} inactive → pending\n20s\tHigh{severity=\"page\"} pending → firing\n40s\tHigh{severity=\"page\"} firing → resolved\n", m.Timeline("High"))
		require.Equal(q, "20s\tLate{alertstate=\"firing\",severity=\"page\"} inactive → firing\n40s\tLate{alertstate=\"firing\",severity=\"page\"} firing → resolved\n", m.Timeline("Late"))
		require.Equal(q, "30s\tOld{severity=\"page\"} inactive → firing\n40s\tOld{severity=\"page\"} firing → resolved\n", m.Timeline("Old"))
		series := func(name string, ms ...monitor.Matcher) (out []string) {
			for _, s := range m.Series(name, append(ms, monitor.Equal("alertname", "High"))...) {
				line := s.String()
				for _, x := range s.Samples {
					line += fmt.Sprintf(" %v@%v", x.Value, x.At.Sub(m.Start()))
				}
				out = append(out, line)
			}
			return out
		}
		since := fmt.Sprintf("%v", float64(m.Start().Add(10*time.Second).Unix()))
		require.Equal(q, []string{
			`ALERTS{alertname="High",alertstate="firing",severity="page"} 1@20s 1@30s`,
			`ALERTS{alertname="High",alertstate="pending",severity="page"} 1@10s`,
		}, series("ALERTS"))
		require.Equal(q, []string{`ALERTS_FOR_STATE{alertname="High",severity="page"} ` + since + "@10s " + since + "@20s " + since + "@30s"}, series("ALERTS_FOR_STATE"))
		require.NoError(q, m.Status().LastError, "they do not count among MaxSeries")
		require.Equal(q, 2, m.Status().Series)
	})
}

// After an evaluation that failed, what was written before is seen until it is older than
// Lookback, as in Prometheus.
func TestWhatWasWrittenOutlivesAnError(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		fails := false
		eval := func(v float64) monitor.Evaluator {
			return evaluatorFunc(func(context.Context, *monitor.History, time.Time) (monitor.Result, error) {
				if fails {
					return monitor.Result{}, errors.New("not now")
				}
				return monitor.Result{Points: []monitor.Point{{Value: v}}}, nil
			})
		}
		m := monitor.NewT(q, monitor.Config{Interval: time.Minute, Compile: func(string) (monitor.Evaluator, error) { return eval(3), nil },
			Rules: []monitor.Rule{{Record: "three", Expr: "3"}, {Name: "A", Expr: "3"}}})
		q.Sleep(time.Minute + time.Second)
		fails = true
		for i := range 7 {
			for _, expr := range []string{"three", "ALERTS"} {
				points, err := m.Query(expr, time.Time{})
				require.NoError(q, err)
				require.Equal(q, i < 5, len(points) == 1, "%s %d minutes after", expr, i)
			}
			require.Len(q, m.RequireSeries(q, "three")[0].Samples, 1)
			q.Sleep(time.Minute)
		}
		fails = false
		q.Sleep(time.Minute)
		require.Len(q, m.RequireSeries(q, "three")[0].Samples, 2)
	})
}
