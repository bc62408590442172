package bench

import (
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
			compare.Ours(compare.Timed(scrapeOurs)),
			compare.Floor("gather", compare.Timed(func(testing.TB) func(n int) error {
				reg := gauges(1000)
				return func(n int) error {
					for range n {
						if _, err := reg.Gather(); err != nil {
							return err
						}
					}
					return nil
				}
			})),
		},
		Figures: []compare.Figure{compare.TimeOf(compare.Bound(float64(2 * time.Millisecond)))},
	}
}

func scrapeOurs(t testing.TB) func(n int) error {
	clk := &jumping{Clock: clock.New(), now: time.Unix(1000, 0)}
	m, err := monitor.New(monitor.Config{
		Clock: clk, Interval: 1000 * time.Hour, Gatherers: []prometheus.Gatherer{gauges(1000)}, Rules: hundredRules(),
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
	if err := scrapes(30); err != nil { // a full window of rates
		t.Fatal(err)
	}
	return scrapes
}

func gauges(n int) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "level", Help: "h"}, []string{"i"})
	reg.MustRegister(v)
	for i := range n {
		v.WithLabelValues(strconv.Itoa(i)).Set(float64(i))
	}
	return reg
}

func hundredRules() (rules []monitor.Rule) {
	for i := range 100 {
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
