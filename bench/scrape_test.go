package bench

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests/monitor"
)

func scrape() compare.Comparison {
	return compare.Comparison{
		Name: "scrape",
		Contestants: []compare.Contestant{
			compare.Ours(compare.Timed(scrapeOurs(1000, 100))),
			compare.Floor("gather", compare.Timed(func(testing.TB) func(n int) error {
				reg, _ := gauges(1000)
				return func(n int) error {
					for range n {
						families, err := reg.Gather()
						if err != nil {
							return err
						}
						if len(families) != 1 || len(families[0].Metric) != 1000 {
							return errors.New("a part of the series is gathered")
						}
					}
					return nil
				}
			})),
		},
		Figures: []compare.Figure{compare.TimeOf(compare.Bound(float64(2 * time.Millisecond)))},
		Why: "Most of it is what client_golang takes to gather the series, as the floor shows. Ours looks up the history of each of them " +
			"and appends to it, and evaluates the rules.",
	}
}

// scrapeOurs scrapes so many series and evaluates so many rules.
func scrapeOurs(series, rules int) func(t testing.TB) func(n int) error {
	return func(t testing.TB) func(n int) error { return scraping(t, series, rules) }
}

func scraping(t testing.TB, series, rules int) func(n int) error {
	clk := &jumping{Clock: clock.New(), now: time.Unix(1000, 0)}
	reg, level := gauges(series)
	m, err := monitor.New(monitor.Config{
		Clock: clk, Interval: 1000 * time.Hour, Gatherers: []prometheus.Gatherer{reg}, Rules: someRules(rules),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	scrapes := func(n int) error {
		for range n {
			clk.jump(10 * time.Second)
			if err := m.Scrape(); err != nil {
				return err
			}
		}
		return nil
	}
	const window = 31 // scrapes, until the rates know nothing of what was before
	err = scrapes(window)
	if n := len(m.Series("level")); err == nil && n != series {
		err = fmt.Errorf("%d series are scraped", n)
	}
	// Every rule is shown to be evaluated: it fires at once when all values are high.
	level(true)
	err = firstOf(err, scrapes(1), fires(m, rules))
	level(false)
	err = firstOf(err, scrapes(window), fires(m, 0))
	if err != nil {
		t.Fatal(err)
	}
	return scrapes
}

// fires checks how many rules fire.
func fires(m *monitor.Monitor, want int) error {
	firing := map[string]bool{}
	for _, a := range m.Alerts() {
		firing[a.Name] = true
	}
	if n := len(firing); n != want {
		return fmt.Errorf("%d rules fire, not %d", n, want)
	}
	return nil
}

// gauges is a registry of n series, and a function that raises all of them over
// what the rules allow, or lowers them again.
func gauges(n int) (reg *prometheus.Registry, level func(alarm bool)) {
	reg = prometheus.NewRegistry()
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "level", Help: "h"}, []string{"i"})
	reg.MustRegister(v)
	level = func(alarm bool) {
		for i := range n {
			x := float64(i)
			if alarm {
				x += 1e13
			}
			v.WithLabelValues(strconv.Itoa(i)).Set(x)
		}
	}
	level(false)
	return reg, level
}

func someRules(n int) (rules []monitor.Rule) {
	for i := range n {
		expr := fmt.Sprintf(`level{i="%d"} > 1e9`, i)
		if i%10 == 0 {
			expr = fmt.Sprintf(`sum(rate(level{i=~"%d.*"}[5m])) > 1e9`, i)
		}
		rules = append(rules, monitor.Rule{Name: "R" + strconv.Itoa(i), Expr: expr})
	}
	return rules
}

// A jumping clock says what it is told, and its timers never fire.
type jumping struct {
	clock.Clock
	mu  sync.Mutex
	now time.Time
}

func (j *jumping) jump(d time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now = j.now.Add(d)
}

func (j *jumping) Now() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.now
}
func (j *jumping) Until(t time.Time) time.Duration  { return t.Sub(j.Now()) }
func (j *jumping) Timer(time.Duration) *clock.Timer { return j.Clock.Timer(24 * time.Hour) }
