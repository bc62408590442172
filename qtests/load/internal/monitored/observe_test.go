package monitored

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// A broken gatherer fails each scrape.
type broken struct{}

func (broken) Gather() ([]*dto.MetricFamily, error) { return nil, errors.New("no database") }

// What a monitor knows of a run of three intervals: a scrape before it, at its start, and at the end of each.
func TestObserve(t *testing.T) {
	pools := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "pool_resources"}, []string{"pool", "state"})
	queue := prometheus.NewGauge(prometheus.GaugeOpts{Name: "queue"})
	clk := clock.NewMock()
	m, err := monitor.New(monitor.Config{
		Disabled: true, Clock: clk, Collectors: []prometheus.Collector{pools, queue}, Gatherers: []prometheus.Gatherer{broken{}},
		Panels: []string{"queue", "queue / 0", "topk(NaN, queue)"},
		Rules:  []monitor.Rule{{Name: "Long", Expr: "queue\n> 25"}, {Record: "twice", Expr: "2 * queue"}, {Name: "Wrong", Expr: "topk(NaN, queue) > 0"}},
	})
	require.NoError(t, err)
	defer m.Close()
	r := &result.Result{Interval: 10 * time.Second, Timeline: make([]result.Point, 3)}
	for i := range 5 {
		clk.Add(10 * time.Second)
		if i == 1 {
			r.Start = clk.Now()
		}
		pools.WithLabelValues("db", "idle").Set(float64(10 * i))
		queue.Set(float64(10 * i))
		require.Error(t, m.Scrape())
	}
	Observe(r, nil, clk.Now())
	Observe(&result.Result{}, m, clk.Now())
	require.Nil(t, r.Monitored)
	Observe(r, m, clk.Now())

	require.Equal(t, []result.Series{{Metric: "pool_resources", Labels: "db idle", Values: []float64{10, 20, 30}}}, r.Series)
	require.Len(t, r.Monitored.Failed, 1)
	for _, why := range r.Monitored.Failed {
		require.Contains(t, why, "no database")
	}
	var panels []string
	for _, p := range r.Monitored.Panels {
		line := fmt.Sprint(p.Expr, ": ", p.Error)
		for _, l := range p.Lines {
			line += l.Series
			for _, v := range l.Values {
				if v == nil {
					line += " -"
				} else {
					line += fmt.Sprint(" ", *v)
				}
			}
		}
		panels = append(panels, line)
	}
	require.Len(t, panels, 3)
	require.Equal(t, []string{"queue: queue 20 30 40", "queue / 0: {} - - -"}, panels[:2])
	require.Contains(t, panels[2], "is NaN")
	var rules []string
	for _, x := range r.Monitored.Rules {
		rules = append(rules, fmt.Sprintf("%s %s %q %s", x.Name, x.State, x.Expr, x.Now))
	}
	require.Equal(t, []string{`Long firing "queue > 25" 40`, `twice  "2 * queue" 80`}, rules[:2])
	require.Empty(t, r.Monitored.Rules[0].Error)
	require.Contains(t, r.Monitored.Rules[2].Error, "is NaN")
}

// A sample is in the interval that begins with it, and a value that is no number hides none.
func TestBordersOfIntervals(t *testing.T) {
	start := time.Unix(1e9, 0)
	r := &result.Result{Start: start, Interval: 10 * time.Second, Timeline: make([]result.Point, 3)}
	var all []monitor.Sample
	for _, x := range [][2]float64{{0, -5}, {1, -7}, {10, 4}, {20, 4}, {30, 9}} {
		all = append(all, monitor.Sample{At: start.Add(time.Duration(x[0]) * time.Second), Value: x[1]})
	}
	require.Equal(t, []float64{-5, 4, 4}, sampled(r, all))
	require.Equal(t, []float64{-5, -7, -7}, sampled(r, all[:2]))
	require.Equal(t, []float64{0, 4, 4}, sampled(r, all[2:3]))
	all[2].Value, all[3].Value = math.Inf(1), math.NaN()
	got := line(r, monitor.Series{Samples: all[2:]})
	require.Nil(t, got.Values[0])
	require.Nil(t, got.Values[1])
	require.InDelta(t, 9, *got.Values[2], 0)
}
