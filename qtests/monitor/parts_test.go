package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A receiver is told of an alert once, as long as it fires, and the list is bounded.
func TestTellings(t *testing.T) {
	at := time.Unix(100, 0)
	a := firing(map[string]string{"alertname": "A", "x": "1"})
	a.FiredAt = at
	gone := a
	gone.State = Resolved
	var kept told
	kept.remember("r", at, []alert.Alert{gone})
	require.Empty(t, kept.all)
	kept.remember("r", at, []alert.Alert{gone, a})
	kept.remember("r", at.Add(time.Minute), []alert.Alert{a})
	require.Len(t, kept.all, 1)
	kept.remember("other", at, []alert.Alert{a})
	require.Len(t, kept.all, 2)
	x := Transition{At: at, Alert: "A", Labels: Labels{"x": "1"}}
	require.Equal(t, "; told was r, other", others(kept.all, x))
	for _, y := range []Transition{{At: at, Alert: "B"}, {At: at.Add(1), Alert: "A"}, {At: at, Alert: "A", Labels: Labels{"x": "2"}}} {
		require.False(t, kept.all[0].is(y), "%v", y)
		require.Equal(t, "; nobody was", others(kept.all, y))
	}
	kept.all = make([]telling, maxTold-1)
	kept.remember("third", at, []alert.Alert{a})
	require.Len(t, kept.all, maxTold)
	kept.remember("fourth", at, []alert.Alert{a})
	require.Len(t, kept.all, maxTold)
}

func TestTallyCounts(t *testing.T) {
	var n tally
	for _, to := range []State{Pending, Pending, Firing, Resolved, Pending, Firing, Resolved, Resolved} {
		n.count(alert.Transition{To: to})
	}
	require.Equal(t, [3]int64{3, 2, 3}, [3]int64{n.pending, n.fired, n.resolved})
}

// A notification fires as long as one of its alerts does, and its labels are there when there are none.
func TestNotificationForm(t *testing.T) {
	a := firing(map[string]string{"alertname": "A"})
	gone := a
	gone.State = Resolved
	for _, c := range []struct {
		alerts []alert.Alert
		want   State
	}{{[]alert.Alert{a, gone}, Firing}, {[]alert.Alert{gone, a}, Firing}, {[]alert.Alert{gone}, Resolved}} {
		require.Equal(t, c.want, newNotification(alert.Notification{Alerts: c.alerts, Node: &alert.Node{}}, "r").Status)
	}
	for want, labels := range map[string]Labels{`{}`: nil, `{"team":"a"}`: {"team": "a"}} {
		text, err := json.Marshal(Notification{RouteLabels: labels})
		require.NoError(t, err)
		var form map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(text, &form))
		require.Equal(t, want, string(form["routeLabels"]), "%s", text)
	}
}

// A route has its parent's labels, and its own over them.
func TestRouteLabels(t *testing.T) {
	require.Equal(t, map[string]string{"a": "1", "b": "2"}, Route{Labels: map[string]string{"b": "2"}}.under(Route{Labels: map[string]string{"a": "1", "b": "0"}}).Labels)
	require.Equal(t, map[string]string{"b": "2"}, Route{Labels: map[string]string{"b": "2"}}.under(Route{}).Labels)
	require.Equal(t, map[string]string{"a": "1"}, Route{}.under(Route{Labels: map[string]string{"a": "1"}}).Labels)
}

// Expressions of templates are kept ready, a bounded number of them.
func TestTemplateQueriesAreBounded(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		m := NewT(q, Config{Disabled: true})
		require.NoError(q, m.Scrape())
		ask := m.templateQuery(context.Background(), q.Clock().Now())
		for i := range maxTemplateQueries + 1 {
			out, err := ask(fmt.Sprintf("vector(%d)", i))
			require.NoError(q, err)
			require.EqualValues(q, i, out[0].Value)
			require.Len(q, m.templateQueries, i%maxTemplateQueries+1)
		}
	})
}

// Silences that have ended give way; one at its end has ended, and one without an end stays.
func TestSilencesGiveWay(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		m := NewT(q, Config{Disabled: true})
		kept := func() (all []time.Duration) {
			m.locked(func(s *state) {
				for _, x := range s.muting.silences {
					all = append(all, x.For)
				}
			})
			return all
		}
		only := Equal("alertname", "A")
		m.locked(func(s *state) { s.muting.silences = []Silence{{Matchers: []Matcher{only}}} })
		m.Silence(0, only)
		m.Silence(-1, only)
		m.Silence(time.Minute)
		require.Equal(q, []time.Duration{0}, kept())
		m.Silence(time.Minute, only)
		m.Silence(time.Minute+1, only)
		q.Sleep(time.Minute)
		m.Silence(time.Hour, only)
		require.Equal(q, []time.Duration{0, time.Minute + 1, time.Hour}, kept())
	})
}

// The series of alerts that are gone are forgotten.
func TestAlertSeriesAreForgotten(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		level := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "level", Help: "h"}, []string{"k"})
		m := NewT(q, Config{Collectors: []prometheus.Collector{level}, Disabled: true, Rules: []Rule{{Name: "A", Expr: "level > 0"}}})
		for i := range 5 {
			level.Reset()
			for k := range 3 {
				level.WithLabelValues(fmt.Sprint(i, k)).Set(1)
			}
			require.NoError(q, m.Scrape())
			require.Len(q, m.rules[0].series, 3)
			q.Sleep(time.Second)
		}
	})
}

// gathering is a registry with one metric of each kind.
func gathering() (reg *prometheus.Registry, set func(string)) {
	reg = prometheus.NewRegistry()
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "g", Help: "h"}, []string{"a", "b"})
	s := prometheus.NewSummary(prometheus.SummaryOpts{Name: "s", Help: "h", Objectives: map[float64]float64{0.5: 0.1, 0.9: 0.1}})
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", Help: "h", Buckets: []float64{1, 2, 3}, NativeHistogramBucketFactor: 1.1})
	reg.MustRegister(g, s, h)
	s.Observe(1)
	h.Observe(1)
	return reg, func(b string) { g.WithLabelValues("x", b).Set(1) }
}

// What a scrape brings at the same place finds its series again, and nothing else does.
func TestSlotsFit(t *testing.T) {
	reg, set := gathering()
	set("y")
	m := NewT(t, Config{Gatherers: []prometheus.Gatherer{reg}, Disabled: true})
	require.NoError(t, m.Scrape())
	families, err := reg.Gather()
	require.NoError(t, err)
	var slots []slot
	m.locked(func(*state) {
		i := slices.IndexFunc(m.sources, func(s *source) bool { return len(s.slots) > 0 })
		slots = slices.Clone(m.sources[i].slots)
	})
	require.Len(t, slots, 3)
	text := func(s string) *string { return &s }
	number := func(x float64) *float64 { return &x }
	for i, f := range families {
		metric := f.Metric[0]
		require.True(t, slots[i].fits(f.GetName(), metric, false), f.GetName())
		require.False(t, slots[i].fits("other", metric, false))
		for k := range slots {
			require.Equal(t, i == k, slots[k].fits(families[k].GetName(), metric, false), "%d and %d", i, k)
		}
		spoilt := func(spoil func(m *dto.Metric)) {
			other := &dto.Metric{Label: slices.Clone(metric.Label), Gauge: metric.Gauge}
			if metric.Summary != nil {
				other.Summary = &dto.Summary{Quantile: slices.Clone(metric.Summary.Quantile)}
			}
			if metric.Histogram != nil {
				other.Histogram = &dto.Histogram{Bucket: slices.Clone(metric.Histogram.Bucket)}
			}
			require.True(t, slots[i].fits(f.GetName(), other, false))
			spoil(other)
			require.False(t, slots[i].fits(f.GetName(), other, false))
		}
		spoilt(func(m *dto.Metric) { m.Label = append(m.Label, &dto.LabelPair{Name: text("c"), Value: text("z")}) })
		switch {
		case metric.Gauge != nil:
			spoilt(func(m *dto.Metric) { m.Label[1] = &dto.LabelPair{Name: text("b"), Value: text("z")} })
			spoilt(func(m *dto.Metric) { m.Label[1] = &dto.LabelPair{Name: text("c"), Value: text("y")} })
		case metric.Summary != nil:
			spoilt(func(m *dto.Metric) { m.Summary.Quantile[1] = &dto.Quantile{Quantile: number(0.95)} })
			spoilt(func(m *dto.Metric) { m.Summary.Quantile = m.Summary.Quantile[:1] })
		default:
			require.False(t, slots[i].fits(f.GetName(), metric, true), "there is a native one as well")
			spoilt(func(m *dto.Metric) { m.Histogram.Bucket[1] = &dto.Bucket{UpperBound: number(2.5)} })
			spoilt(func(m *dto.Metric) { m.Histogram.Bucket = m.Histogram.Bucket[:2] })
		}
	}
}

// A histogram is a series for each bucket, one for +Inf, a sum and a count, and a summary one for each quantile.
func TestSeriesAreCounted(t *testing.T) {
	reg, set := gathering()
	set("y")
	set("z")
	families, err := reg.Gather()
	require.NoError(t, err)
	counts := map[string][3]int{}
	for _, f := range families {
		m := f.Metric[0]
		counts[f.GetName()] = [3]int{seriesOf(m, false), seriesOf(m, true), bounds(m)}
	}
	require.Equal(t, map[string][3]int{"g": {1, 1, 0}, "s": {4, 4, 2}, "h": {6, 7, 3}}, counts)
	infinite := math.Inf(1)
	h := &dto.Metric{Histogram: &dto.Histogram{Bucket: []*dto.Bucket{{UpperBound: &infinite}}}}
	require.Equal(t, 3, seriesOf(h, false))
	n, largest, count := size(families, false)
	require.Equal(t, []any{12, "h", 6}, []any{n, largest, count})
	n, largest, count = size([]*dto.MetricFamily{families[2], families[0]}, false)
	require.Equal(t, []any{6, "s", 4}, []any{n, largest, count})
	other := "of the same size"
	_, largest, _ = size([]*dto.MetricFamily{families[2], {Name: &other, Metric: families[2].Metric}}, false)
	require.Equal(t, "s", largest, "the first of those of one size")
}

func TestValuesAsText(t *testing.T) {
	for x, want := range map[float64]string{1234.5: "1234.5", 0.125: "0.125", 1e21: "1e+21"} {
		require.Equal(t, want, formatValue(x))
	}
}

// A name that is taken twice goes to the shorter label, whatever their order.
func TestExportedLabelsShorterFirst(t *testing.T) {
	out := map[string]string{"exported_z": "own", "z": "own"}
	Target{}.export(out, map[string]string{"exported_z": "long", "z": "short"}, history.Labels{{Name: "exported_z", Value: "own"}, {Name: "z", Value: "own"}})
	require.Equal(t, map[string]string{"exported_z": "own", "z": "own", "exported_exported_z": "short", "exported_exported_exported_z": "long"}, out)
}

// A failure shows 200 lines of a timeline and says how many more there are, and so it is with 20 series.
func TestFailuresAreBounded(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		for _, extra := range []bool{false, true} {
			level := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "level", Help: "h"}, []string{"k"})
			few := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "few", Help: "h"}, []string{"k"})
			m := NewT(q, Config{Collectors: []prometheus.Collector{level, few}, Disabled: true, Rules: []Rule{{Name: "A", Expr: "level > 0"}, {Name: "B", Expr: "level < 0"}}})
			n, more, series := maxShown, "\nand ", 20
			if extra {
				n, series = n+3, series+2
			}
			for k := range n {
				level.WithLabelValues(fmt.Sprint(k)).Set(1)
			}
			for k := range series {
				few.WithLabelValues(fmt.Sprint(k)).Set(1)
			}
			require.NoError(q, m.Scrape())
			failed := tbtest.Run("t", func(r *tbtest.TB) { m.RequireNotFired(r, "A") }).Errors()
			require.Equal(q, extra, strings.Contains(failed, more), failed)
			require.Equal(q, extra, strings.Contains(failed, "\nand 3 more\n"))
			failed = tbtest.Run("t", func(r *tbtest.TB) { m.RequireSeries(r, "few", Equal("k", "none")) }).Errors()
			require.Equal(q, extra, strings.Contains(failed, "  and "), failed)
			require.Equal(q, extra, strings.Contains(failed, "  and 2 more"))
			q.Sleep(time.Second)
		}
	})
}
