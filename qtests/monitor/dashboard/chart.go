package dashboard

import (
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// A chart draws what the history of a monitor has: n points from an instant on, each a
// step after the one before.
type chart struct {
	reader
	from time.Time
	step time.Duration
	n    int
}

// newChart returns a chart up to the newest scrape, with about pagePoints points.
func newChart(r reader, last time.Time) chart {
	from, interval := r.Status().Oldest, r.Interval()
	intervals := max(1, int64(last.Sub(from)/interval))
	step := time.Duration((intervals+pagePoints-1)/pagePoints) * interval
	return chart{r, from, step, max(1, int((last.Sub(from)+step-1)/step))}
}

// span is the length of the chart in seconds.
func (c chart) span() float64 { return max(c.step.Seconds()*float64(c.n), 1) }

// index returns which point shows an instant.
func (c chart) index(at time.Time) int { return int(at.Sub(c.from)/c.step) - 1 }

// values evaluates an expression at each point.
func (c chart) values(expr string) ([]monitor.Series, error) {
	return c.QueryRange(expr, c.from.Add(c.step), c.from.Add(time.Duration(c.n)*c.step), c.step)
}

// all draws the charts that have something to show.
func (c chart) all() (charts []report.Chart) {
	draw := func(title string, unit report.Unit, lines ...[2]string) {
		drawn := report.Chart{Title: title, Unit: unit}
		for _, line := range lines {
			for _, s := range c.line(line[1]) {
				s.Name, s.Color = strings.TrimSpace(line[0]+" "+s.Name), len(drawn.Series)%8
				drawn.Series = append(drawn.Series, s)
			}
		}
		if len(drawn.Series) > 0 {
			charts = append(charts, drawn)
		}
	}
	w := promDuration(max(c.step, 4*c.Interval()))
	draw("Requests per second", report.Rate, [2]string{"requests", "sum(rate(load_requests_total[" + w + "]))"},
		[2]string{"errors", `sum(rate(load_requests_total{result="error"}[` + w + "]))"})
	quantile := func(q string) string {
		return "histogram_quantile(" + q + ", sum by (le) (rate(load_response_seconds_bucket[" + w + "])))"
	}
	draw("Response time", report.Seconds, [2]string{"p50", quantile("0.5")}, [2]string{"p95", quantile("0.95")}, [2]string{"p99", quantile("0.99")})
	draw("Pools in use", report.Number, [2]string{"", `sum by (pool) (pool_resources{state="in_use"})`}, [2]string{"waiting for", "sum by (pool) (pool_waiters)"})
	for _, expr := range c.Panels() {
		charts = append(charts, c.panel(expr))
	}
	if lanes := append(c.breakerLanes(), c.alertLanes()...); len(lanes) > 0 {
		charts = append(charts, report.Chart{Title: "Breakers and alerts", Lanes: lanes})
	}
	return charts
}

// line evaluates an expression into one line for every label set.
func (c chart) line(expr string) []report.Series {
	found, err := c.values(expr)
	if err != nil {
		return nil
	}
	var out []report.Series
	for _, s := range found {
		var values []string
		for _, label := range text.SortedKeys(s.Labels) {
			values = append(values, s.Labels[label])
		}
		out = append(out, c.drawn(s, strings.Join(values, " ")))
	}
	return out
}

var breakerTone = map[string]string{"closed": "good", "open": "bad", "half-open": "warn"}

// breakerLanes draws the state of every breaker at each scrape drawn.
func (c chart) breakerLanes() []report.Lane {
	found, err := c.values("breaker_state == 1")
	if err != nil {
		return nil
	}
	var names []string
	states := map[string][]string{}
	for _, s := range found {
		name := s.Labels["breaker"]
		if states[name] == nil {
			names = append(names, name)
			states[name] = make([]string, c.n+1)
		}
		for _, x := range s.Samples {
			if i := c.index(x.At); i >= 0 && i < c.n {
				states[name][i] = s.Labels["state"]
			}
		}
	}
	var out []report.Lane
	for _, name := range names {
		out = append(out, c.breakerLane(name, states[name]))
	}
	return out
}

// breakerLane draws a phase for each run of equal states. There is one state more than
// points: the last one is empty.
func (c chart) breakerLane(name string, states []string) report.Lane {
	lane := report.Lane{Name: "breaker " + name}
	begin := 0
	for i := 1; i <= c.n; i++ {
		state := states[begin]
		if states[i] == state && i < c.n {
			continue
		}
		if state != "" {
			lane.Spans = append(lane.Spans, report.Phase{
				From: float64(begin) * c.step.Seconds(), To: float64(i) * c.step.Seconds(), State: state, Tone: breakerTone[state],
			})
		}
		begin = i
	}
	return lane
}

// alertLanes draws when every alert was pending and firing.
func (c chart) alertLanes() []report.Lane {
	shift, end := c.from.Sub(c.Start()).Seconds(), c.span()
	var out []report.Lane
	index := map[string]int{}
	for _, t := range c.Transitions() {
		key := t.Alert + t.Labels.String()
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			name := "alert " + t.Alert
			if len(t.Labels) > 0 {
				name += " " + t.Labels.String()
			}
			out = append(out, report.Lane{Name: name})
		}
		at := max(0, c.offset(t.At).Seconds()-shift)
		if spans := out[i].Spans; len(spans) > 0 && spans[len(spans)-1].To == end {
			spans[len(spans)-1].To = at
		}
		if tone := map[monitor.State]string{monitor.Pending: "warn", monitor.Firing: "bad"}[t.To]; tone != "" {
			out[i].Spans = append(out[i].Spans, report.Phase{From: at, To: end, State: string(t.To), Tone: tone})
		}
	}
	return out
}
