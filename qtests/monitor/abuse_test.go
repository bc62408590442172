package monitor_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/dashboard"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestGatherersThatMisbehave(t *testing.T) {
	for name, test := range map[string]struct {
		gather func(release <-chan struct{}) ([]*dto.MetricFamily, error)
		err    string
	}{
		"error":  {func(<-chan struct{}) ([]*dto.MetricFamily, error) { return nil, errors.New("no disk") }, "monitor: gatherer 0: no disk"},
		"panic":  {func(<-chan struct{}) ([]*dto.MetricFamily, error) { panic("boom") }, "monitor: gatherer 0 panicked: boom"},
		"exit":   {func(<-chan struct{}) ([]*dto.MetricFamily, error) { runtime.Goexit(); return nil, nil }, "monitor: gatherer 0 called runtime.Goexit"},
		"blocks": {func(r <-chan struct{}) ([]*dto.MetricFamily, error) { <-r; return nil, nil }, "monitor: blocks: gatherer 0 has not returned"},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				g, reg := gauge("level")
				bad := false
				release := make(chan struct{})
				m := monitor.NewT(q, monitor.Config{
					Timeout: 3 * time.Second,
					Gatherers: []prometheus.Gatherer{
						prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
							if bad {
								return test.gather(release)
							}
							return reg.Gather()
						}),
						prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, nil }),
					},
					Rules: []monitor.Rule{{Name: "Down", Expr: `up{gatherer="gatherer 0"} == 0`, For: 20 * time.Second}},
				})
				g.Set(1)
				q.Sleep(15 * time.Second)
				bad = true
				q.Sleep(30 * time.Second)
				require.ErrorContains(q, m.Status().LastError, test.err)
				points, err := m.Query("level", time.Time{})
				require.NoError(q, err)
				require.Empty(q, points, "stale at once")
				points, err = m.Query(`up{gatherer="gatherer 1"}`, time.Time{})
				require.NoError(q, err)
				require.EqualValues(q, 1, points[0].Value, "the other is not held up")
				m.RequireFired(q, "Down")
				bad = false
				close(release)
				q.Sleep(30 * time.Second)
				points, err = m.Query("level", time.Time{})
				require.NoError(q, err)
				require.Len(q, points, 1, "back again")
				m.RequireResolvedWithin(q, "Down", 30*time.Second)
			})
		})
	}
}

func TestCloseDuringAScrape(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		release := make(chan struct{})
		m, err := monitor.New(monitor.Config{Clock: q.Clock(), Gatherers: []prometheus.Gatherer{
			prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { <-release; return nil, nil })}})
		require.NoError(q, err)
		q.Sleep(11 * time.Second)
		before := q.Elapsed()
		m.Close()
		m.Close()
		require.Equal(q, before, q.Elapsed(), "Close does not wait for the gatherer")
		require.ErrorIs(q, m.Scrape(), monitor.ErrClosed)
		close(release)
	})
}

func family(name string, values ...float64) *dto.MetricFamily {
	f := &dto.MetricFamily{Name: &name, Type: dto.MetricType_GAUGE.Enum()}
	for i, v := range values {
		label, value := "i", strconv.Itoa(i)
		f.Metric = append(f.Metric, &dto.Metric{Label: []*dto.LabelPair{{Name: &label, Value: &value}}, Gauge: &dto.Gauge{Value: &v}})
	}
	return f
}

func fixed(families ...*dto.MetricFamily) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil })
}

func TestWrongMetrics(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		bad, reserved := family("bad \xff", 1), family("reserved", 1)
		name := "__name__"
		reserved.Metric[0].Label[0].Name = &name
		twice := family("twice", 1)
		twice.Metric[0].Label = append(twice.Metric[0].Label, twice.Metric[0].Label[0])
		binary := family("binary", 1)
		notText := "\xff"
		binary.Metric[0].Label[0].Value = &notText
		m := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{
			fixed(family("good", 1, math.NaN(), math.Inf(1)), bad), fixed(family("good", 5)), fixed(reserved), fixed(twice), fixed(binary)}})
		err := m.Scrape()
		require.ErrorIs(q, err, monitor.ErrInvalid)
		require.ErrorIs(q, err, monitor.ErrDuplicate)
		require.ErrorContains(q, err, `gatherer 0: monitor: invalid metric: name "bad \xff"`)
		require.ErrorContains(q, err, `gatherer 1: monitor: duplicate series: good{i="0"}`)
		require.ErrorContains(q, err, `reserved: label name "__name__"`)
		require.ErrorContains(q, err, `twice: label i twice`)
		require.ErrorContains(q, err, `is not UTF-8`)
		points, err := m.Query("good", time.Time{})
		require.NoError(q, err)
		require.Len(q, points, 3)
		require.EqualValues(q, 1, points[0].Value, "the first of two stays")
		require.True(q, math.IsNaN(points[1].Value))
		require.True(q, math.IsInf(points[2].Value, 1))
	})
}

func TestTooManySeries(t *testing.T) {
	million := family("exploded", 1)
	million.Metric = slices.Repeat(million.Metric, 1_000_000)
	rec := tbtest.Run("limit", func(tb *tbtest.TB) {
		clk := clock.NewMock()
		m := monitor.NewT(clocked{tb, clk}, monitor.Config{Gatherers: []prometheus.Gatherer{fixed(family("small", 1), million)}, MaxSeries: 100})
		err := m.Scrape()
		require.ErrorIs(t, err, monitor.ErrTooManySeries)
		require.EqualError(t, err, "monitor: too many series: gatherer 0 brings 1000001, the limit is 100; exploded alone has 1000000")
		require.Empty(t, m.Series("small"), "all or nothing")
	})
	require.Contains(t, rec.Errors(), "exploded alone has 1000000", "the test that owns the monitor fails")

	// Growing over the limit step by step.
	values := []float64{1}
	m, err := monitor.New(monitor.Config{Clock: clock.NewMock(), MaxSeries: 5, Gatherers: []prometheus.Gatherer{
		prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return []*dto.MetricFamily{family("grows", values...)}, nil })}})
	require.NoError(t, err)
	defer m.Close()
	require.NoError(t, m.Scrape())
	values = append(values, 2, 3, 4)
	require.NoError(t, m.Scrape())
	values = append(values, 5)
	require.ErrorContains(t, m.Scrape(), "grows alone has 4")
}

// A gatherer that brings as many series as fit has its up, or an error that says why not.
func TestExactlyAsManySeriesAsFit(t *testing.T) {
	for brings := 1; brings <= 6; brings++ {
		values := make([]float64, brings)
		m, err := monitor.New(monitor.Config{Clock: clock.NewMock(), MaxSeries: 5, Gatherers: []prometheus.Gatherer{fixed(family("x", values...))},
			Rules: []monitor.Rule{{Name: "Down", Expr: "up == 0"}, {Name: "Up", Expr: "up == 1"}}})
		require.NoError(t, err)
		err = m.Scrape()
		up, queryErr := m.Query("up", time.Time{})
		require.NoError(t, queryErr)
		require.Len(t, up, 1, "%d series", brings)
		if brings < 5 {
			require.NoError(t, err)
			require.EqualValues(t, 1, up[0].Value)
			require.Len(t, m.Series("x"), brings)
			m.RequireFired(t, "Up")
		} else {
			require.ErrorIs(t, err, monitor.ErrTooManySeries)
			require.Zero(t, up[0].Value)
			require.Empty(t, m.Series("x"), "all or nothing")
			m.RequireFired(t, "Down")
		}
		require.LessOrEqual(t, m.Status().Series, 5)
		m.Close()
	}
	// A second gatherer for whose up there is no place.
	m, err := monitor.New(monitor.Config{Clock: clock.NewMock(), MaxSeries: 3, Gatherers: []prometheus.Gatherer{fixed(family("x", 1, 2)), fixed()}})
	require.NoError(t, err)
	defer m.Close()
	err = m.Scrape()
	require.ErrorIs(t, err, monitor.ErrTooManySeries)
	require.ErrorContains(t, err, "gatherer 1 has no up: too many series: the limit is 3, and x alone has 2")
}

// clocked is a TB with a clock.
type clocked struct {
	tb.TB
	clk clock.Clock
}

func (c clocked) Clock() clock.Clock { return c.clk }

// A clock that jumps: what was missed is counted; one that goes back is refused.
func TestClockThatJumps(t *testing.T) {
	g, reg := gauge("level")
	clk := &jumping{Clock: clock.New(), now: time.Unix(1000, 0)}
	m, err := monitor.New(monitor.Config{Clock: clk, Gatherers: []prometheus.Gatherer{reg}})
	require.NoError(t, err)
	defer m.Close()
	g.Set(1)
	clk.set(time.Unix(1100, 0))
	require.NoError(t, m.Scrape()) // wakes the loop, which finds itself ten intervals on
	clk.set(time.Unix(900, 0))
	require.ErrorContains(t, m.Scrape(), "out of order")
	require.EqualValues(t, 1, m.Status().OutOfOrder)
	m.Close()
	require.Len(t, m.RequireSeries(t, "level")[0].Samples, 1)
}

type jumping struct {
	clock.Clock
	mu  sync.Mutex
	now time.Time
}

func (j *jumping) set(t time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now = t
}

func (j *jumping) Now() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.now
}
func (j *jumping) Until(t time.Time) time.Duration  { return t.Sub(j.Now()) }
func (j *jumping) Timer(time.Duration) *clock.Timer { return j.Clock.Timer(24 * time.Hour) }

func TestMockClock(t *testing.T) {
	g, reg := gauge("level")
	clk := clock.NewMock()
	m := monitor.NewT(clocked{t, clk}, monitor.Config{Gatherers: []prometheus.Gatherer{reg}})
	g.Set(1)
	clk.Add(5 * time.Second)
	require.NoError(t, m.Scrape())
	g.Set(2)
	clk.Add(time.Second)
	require.NoError(t, m.Scrape())
	s := m.RequireSeries(t, "level")[0]
	require.Equal(t, []monitor.Sample{{At: time.Unix(5, 0).UTC(), Value: 1}, {At: time.Unix(6, 0).UTC(), Value: 2}}, s.Samples)
}

func TestTwoMonitorsOnOneRegistry(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("level")
		g.Set(3)
		a := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}})
		b := monitor.NewT(q, monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Interval: 4 * time.Second})
		q.Sleep(21 * time.Second)
		require.Len(q, a.RequireSeries(q, "level")[0].Samples, 2)
		require.Len(q, b.RequireSeries(q, "level")[0].Samples, 5)
		require.NoError(q, a.Status().LastError)
		require.NoError(q, b.Status().LastError)
	})
}

func TestConfigErrors(t *testing.T) {
	_, err := monitor.New(monitor.Config{
		Interval: -1, Timeout: -2, Retention: -3, MaxSamples: -4, MaxSeries: -5,
		Gatherers: []prometheus.Gatherer{nil}, Collectors: []prometheus.Collector{nil}, Channels: []monitor.Channel{nil},
		Route:       monitor.Route{GroupWait: 1, Immediately: true, GroupInterval: -6, RepeatInterval: -7},
		Silences:    []monitor.Silence{{At: -8}},
		Inhibitions: []monitor.Inhibition{{}},
	})
	for _, want := range []string{
		"Interval: -1ns is negative", "Timeout: -2ns", "Retention: -3ns", "MaxSamples: -4", "MaxSeries: -5", "Gatherers[0]", "Collectors[0]", "Channels[0]",
		"Route.GroupWait: 1ns contradicts Route.Immediately", "Route.GroupInterval: -6ns", "Route.RepeatInterval: -7ns",
		"Silences[0].At: -8ns", "Silences[0].Matchers: [] would mute everything", "Inhibitions[0].Source", "Inhibitions[0].Target",
	} {
		require.ErrorContains(t, err, want)
	}
	for want, r := range map[string]monitor.Rule{
		`Rules[0].Name: "" is empty`:                               {Expr: "up"},
		`Rules[0].Expr: "up >": at character 5`:                    {Name: "A", Expr: "up >"},
		`Rules[0].For: -1ns is negative`:                           {Name: "A", Expr: "up", For: -1},
		`Rules[0].KeepFiringFor: -1ns is negative`:                 {Name: "A", Expr: "up", KeepFiringFor: -1},
		"Rules[0].Labels: a\xff cannot be a label":                 {Name: "A", Expr: "up", Labels: map[string]string{"a\xff": "c"}},
		`Rules[0].Labels: __name__ cannot be a label`:              {Name: "A", Expr: "up", Labels: map[string]string{"__name__": "c"}},
		`Rules[0].Labels: alertname cannot be a label`:             {Name: "A", Expr: "up", Labels: map[string]string{"alertname": "c"}},
		`Rules[0].Severity: x contradicts the label severity`:      {Name: "A", Expr: "up", Severity: "x", Labels: map[string]string{"severity": "y"}},
		`Rules[0].Annotations: "{{ nope }}"`:                       {Name: "A", Expr: "up", Summary: "{{ nope }}"},
		`Rules[0].NoData: 9 is no Policy`:                          {Name: "A", Expr: "up", NoData: 9},
		`Rules[0].Record: a{b} is not the name of a metric`:        {Record: "a{b}", Expr: "up"},
		`Rules[0].Name: A contradicts Record`:                      {Name: "A", Record: "b", Expr: "up"},
		`Rules[0].Record: b is a recording rule, which has no For`: {Record: "b", Expr: "up", For: 1},
	} {
		_, err := monitor.New(monitor.Config{Rules: []monitor.Rule{r}})
		require.ErrorContains(t, err, want)
	}
	for want, r := range map[string]monitor.Rule{
		`monitor: alert PaymentsOpen: Config.Rules[1].Expr: "up >"`:                     {Name: "PaymentsOpen", Expr: "up >"},
		`monitor: alert PaymentsOpen: Config.Rules[1].For: -1ns`:                        {Name: "PaymentsOpen", Expr: "up", For: -1},
		`monitor: a.yaml:7: group "g": alert B: Config.Rules[1].Annotations: "{{"`:      {Name: "B", Expr: "up", Summary: "{{", Origin: `a.yaml:7: group "g"`},
		`monitor: a.yaml:7: recording rule job:up: Config.Rules[1].Expr: "sum(": at ch`: {Record: "job:up", Expr: "sum(", Origin: "a.yaml:7"},
	} {
		_, err := monitor.New(monitor.Config{Rules: []monitor.Rule{{Name: "Fine", Expr: "up"}, r}})
		require.ErrorContains(t, err, want)
	}
	for want, by := range map[string][]string{
		`Route.GroupBy: "..." is all labels, and goes with no other`: {"...", "a"},
		`Route.GroupBy: "a" is there twice`:                          {"a", "b", "a"},
		`Route.GroupBy: "" is not the name of a label`:               {""},
	} {
		_, err := monitor.New(monitor.Config{Route: monitor.Route{GroupBy: by}})
		require.ErrorContains(t, err, want)
	}
	_, err = monitor.New(monitor.Config{Collectors: []prometheus.Collector{describePanics{}}})
	require.ErrorContains(t, err, "Config.Collectors[0]: Describe panicked: boom")
	rec := tbtest.Run("bad", func(tb *tbtest.TB) { monitor.NewT(tb, monitor.Config{Interval: -1}) })
	require.Contains(t, rec.Errors(), "monitor: Config.Interval: -1ns is negative")
}

type describePanics struct{}

func (describePanics) Describe(chan<- *prometheus.Desc) { panic("boom") }
func (describePanics) Collect(chan<- prometheus.Metric) {}

// Concurrent use under the race detector.
func TestConcurrentUse(t *testing.T) {
	g, reg := gauge("level")
	m := monitor.NewT(t, monitor.Config{
		Clock: clock.NewMock(), Gatherers: []prometheus.Gatherer{reg}, Channels: []monitor.Channel{&notify.Recorder{}},
		Rules: []monitor.Rule{{Name: "A", Expr: "sum(level) > 0"}, {Record: "b", Expr: "level * 2"}},
	})
	g.Set(1)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				switch i {
				case 0, 1:
					_ = m.Scrape()
				case 2:
					_ = m.Series("")
				case 3:
					_, _ = m.QueryRange("level", time.Unix(0, 0), time.Unix(100, 0), time.Second)
				case 4:
					_ = dashboard.Of(m).String()
				case 5:
					_ = fmt.Sprint(m.Timeline(), m.Alerts(), m.Status())
				case 6:
					m.Silence(time.Second, monitor.Equal("a", "b"))
				case 7:
					_, _ = m.Query("b", time.Time{})
				}
			}
		})
	}
	wg.Wait()
	m.RequireFired(t, "A")
}

// Instants that pass while a gatherer is slow are left out, and counted.
func TestMissedScrapes(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		slow := 35 * time.Second
		m := monitor.NewT(q, monitor.Config{Timeout: time.Minute, Gatherers: []prometheus.Gatherer{
			prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
				q.Clock().Sleep(slow)
				slow = 0
				return []*dto.MetricFamily{family("level", 1)}, nil
			})}})
		q.Sleep(65 * time.Second)
		var at []time.Duration
		for _, s := range m.RequireSeries(q, "level")[0].Samples {
			at = append(at, s.At.Sub(m.Start()))
		}
		require.Equal(q, []time.Duration{10 * time.Second, 40 * time.Second, 50 * time.Second, 60 * time.Second}, at)
		require.EqualValues(q, 2, m.Status().Missed)
	})
}
