package monitor

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/report"
)

// pagePoints is about how many points a chart of the page has.
const pagePoints = 240

// page draws the monitor's history as the report of package load is drawn.
func (m *Monitor) page() report.Page {
	d := m.Dashboard()
	from, step, n := m.pageRange(d.At)
	shift := from.Sub(m.start).Seconds()
	p := report.Page{
		Title:    "Monitor",
		Subtitle: fmt.Sprintf("%s, %d scrapes every %v, %d series", d.At.Format(time.RFC3339), d.Scrapes, m.cfg.Interval, d.Series),
		Verdict:  string(d.Health), Tone: healthTone(d.Health),
		Facts: []report.Fact{
			{Label: "uptime", Value: d.Uptime.String()},
			{Label: "requests", Value: figure(d.Requests), Note: figure(d.Rate) + " per second now"},
			{Label: "errors", Value: figure(d.Errors), Note: figure(d.ErrorRate) + " per second now"},
			{Label: "p50", Value: span(d.P50)}, {Label: "p95", Value: span(d.P95)}, {Label: "p99", Value: span(d.P99)},
		},
		Marks: m.pageMarks(from), Bands: []report.Band{},
		Span:   max(step.Seconds()*float64(n), 1),
		Footer: []string{"Figures are of the newest scrape; percentiles are interpolated in histogram buckets. The page loads itself again."},
	}
	draw := func(title string, unit report.Unit, lines ...[2]string) {
		c := report.Chart{Title: title, Unit: unit}
		for _, line := range lines {
			for _, s := range m.line(line[1], from, step, n) {
				s.Name, s.Color = strings.TrimSpace(line[0]+" "+s.Name), len(c.Series)%8
				c.Series = append(c.Series, s)
			}
		}
		if len(c.Series) > 0 {
			p.Charts = append(p.Charts, c)
		}
	}
	w := promDuration(max(step, 4*m.cfg.Interval))
	draw("Requests per second", report.Rate, [2]string{"requests", "sum(rate(load_requests_total[" + w + "]))"},
		[2]string{"errors", `sum(rate(load_requests_total{result="error"}[` + w + "]))"})
	quantile := func(q string) string {
		return "histogram_quantile(" + q + ", sum by (le) (rate(load_response_seconds_bucket[" + w + "])))"
	}
	draw("Response time", report.Seconds, [2]string{"p50", quantile("0.5")}, [2]string{"p95", quantile("0.95")}, [2]string{"p99", quantile("0.99")})
	draw("Pools in use", report.Number, [2]string{"", `sum by (pool) (pool_resources{state="in_use"})`}, [2]string{"waiting for", "sum by (pool) (pool_waiters)"})
	lanes := append(m.breakerLanes(from, step, n), m.alertLanes(shift, p.Span)...)
	if len(lanes) > 0 {
		p.Charts = append(p.Charts, report.Chart{Title: "Breakers and alerts", Lanes: lanes})
	}
	p.Tables = m.pageTables(d)
	return p
}

func healthTone(h Health) string {
	if h == Healthy {
		return "good"
	}
	return "bad"
}

// pageMarks are those of the event log since the instant.
func (m *Monitor) pageMarks(from time.Time) []report.Mark {
	out := []report.Mark{}
	marks, _ := m.cfg.EventLog.Marks()
	for _, x := range marks {
		if x.At.Before(from) {
			continue
		}
		kind, _, _ := strings.Cut(x.Source, " ")
		if kind != "event" && kind != "breaker" && kind != "alert" {
			kind = "other"
		}
		out = append(out, report.Mark{At: x.At.Sub(from).Seconds(), When: m.offset(x.At).String(), Kind: kind, Who: x.Source, Text: x.Text})
	}
	return out
}

// pageRange returns the first instant, the step and the number of points.
func (m *Monitor) pageRange(last time.Time) (from time.Time, step time.Duration, n int) {
	m.mu.Lock()
	from = m.start
	if first, end := m.mu.history.Rows(); first > 0 && end > first {
		from = instant(m.mu.history.At(first))
	}
	m.mu.Unlock()
	intervals := max(1, int64(last.Sub(from)/m.cfg.Interval))
	step = time.Duration((intervals+pagePoints-1)/pagePoints) * m.cfg.Interval
	return from, step, max(1, int((last.Sub(from)+step-1)/step))
}

// line evaluates an expression into one line for every label set.
func (m *Monitor) line(expr string, from time.Time, step time.Duration, n int) []report.Series {
	found, err := m.QueryRange(expr, from.Add(step), from.Add(time.Duration(n)*step), step)
	if err != nil {
		return nil
	}
	var out []report.Series
	for _, s := range found {
		x := report.Series{Width: step.Seconds(), Values: make([]*report.Value, n)}
		for _, v := range s.Labels {
			x.Name = strings.TrimSpace(x.Name + " " + v)
		}
		for _, sample := range s.Samples {
			if i := int(sample.At.Sub(from)/step) - 1; i >= 0 && i < n && !math.IsNaN(sample.Value) {
				v := report.Value(sample.Value)
				x.Values[i] = &v
			}
		}
		out = append(out, x)
	}
	return out
}

var breakerTone = map[string]string{"closed": "good", "open": "bad", "half-open": "warn"}

// breakerLanes draws the state of every breaker at each scrape drawn.
func (m *Monitor) breakerLanes(from time.Time, step time.Duration, n int) []report.Lane {
	found, err := m.QueryRange("breaker_state == 1", from.Add(step), from.Add(time.Duration(n)*step), step)
	if err != nil {
		return nil
	}
	var names []string
	states := map[string][]string{}
	for _, s := range found {
		name := s.Labels["breaker"]
		if states[name] == nil {
			names = append(names, name)
			states[name] = make([]string, n+1)
		}
		for _, x := range s.Samples {
			if i := int(x.At.Sub(from)/step) - 1; i >= 0 && i < n {
				states[name][i] = s.Labels["state"]
			}
		}
	}
	var out []report.Lane
	for _, name := range names {
		lane := report.Lane{Name: "breaker " + name}
		begin := 0
		for i := 1; i <= n; i++ {
			if state := states[name][begin]; states[name][i] != state || i == n {
				if state != "" {
					lane.Spans = append(lane.Spans, report.Phase{From: float64(begin) * step.Seconds(), To: float64(i) * step.Seconds(), State: state, Tone: breakerTone[state]})
				}
				begin = i
			}
		}
		out = append(out, lane)
	}
	return out
}

// alertLanes draws when every alert was pending and firing.
func (m *Monitor) alertLanes(shift, end float64) []report.Lane {
	var out []report.Lane
	index := map[string]int{}
	for _, t := range m.Transitions() {
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
		at := max(0, m.offset(t.At).Seconds()-shift)
		if spans := out[i].Spans; len(spans) > 0 && spans[len(spans)-1].To == end {
			spans[len(spans)-1].To = at
		}
		if tone := map[State]string{Pending: "warn", Firing: "bad"}[t.To]; tone != "" {
			out[i].Spans = append(out[i].Spans, report.Phase{From: at, To: end, State: string(t.To), Tone: tone})
		}
	}
	return out
}

// pageTables are what the charts show, for those who read no charts.
func (m *Monitor) pageTables(d Dashboard) []report.Table {
	alerts := report.Table{Title: "Alerts", Head: []string{"After", "Alert", "Labels", "Change"}}
	for _, t := range m.Transitions() {
		tone := map[State]string{Pending: "warn", Firing: "bad", Resolved: "good"}[t.To]
		alerts.Rows = append(alerts.Rows, []report.Cell{{Text: m.offset(t.At).String()}, {Text: t.Alert}, {Text: t.Labels.String()}, {Text: string(t.From) + " → " + string(t.To), Tone: tone}})
	}
	use := report.Table{Title: "Pools and breakers", Head: []string{"Name", "State", "In use", "Limit", "Waiting", "Calls", "Rejected"}}
	for _, p := range d.Pools {
		use.Rows = append(use.Rows, report.Cells("pool "+p.Name, "", figure(p.InUse), figure(p.Max), figure(p.Waiters), "", ""))
	}
	for _, b := range d.Breakers {
		row := report.Cells("breaker "+b.Name, b.State, "", "", "", figure(b.Calls), figure(b.Rejected))
		row[1].Tone = breakerTone[b.State]
		use.Rows = append(use.Rows, row)
	}
	why := report.Table{Title: "Why it is " + string(d.Health), Head: []string{"Reason"}}
	for _, r := range d.Reasons {
		why.Rows = append(why.Rows, report.Cells(r))
	}
	var out []report.Table
	for _, t := range []report.Table{why, alerts, use} {
		if len(t.Rows) > 0 {
			out = append(out, t)
		}
	}
	return out
}
