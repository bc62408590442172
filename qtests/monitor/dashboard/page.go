package dashboard

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// pagePoints is about how many points a chart of the page has.
const pagePoints = 240

// page draws the history of a monitor as the report of package load is drawn, with the
// answer to what was asked in the query box.
func page(m *monitor.Monitor, asked string) report.Page {
	r, d := reader{m}, Of(m)
	c := newChart(r, d.At)
	p := report.Page{
		Title:    "Monitor",
		Subtitle: fmt.Sprintf("%s, %d scrapes every %v, %d series", d.At.Format(time.RFC3339), d.Scrapes, m.Interval(), d.Series),
		Verdict:  string(d.Health), Tone: healthTone(d.Health),
		Facts: []report.Fact{
			{Label: "uptime", Value: d.Uptime.String()},
			{Label: "requests", Value: figure(d.Requests), Note: figure(d.Rate) + " per second now"},
			{Label: "errors", Value: figure(d.Errors), Note: figure(d.ErrorRate) + " per second now"},
			{Label: "p50", Value: span(d.P50)}, {Label: "p95", Value: span(d.P95)}, {Label: "p99", Value: span(d.P99)},
		},
		Marks: r.marks(c.from), Bands: []report.Band{},
		Span:   c.span(),
		Footer: []string{"Figures are of the newest scrape; percentiles are interpolated in histogram buckets. The page loads itself again, unless you write into the query box."},
	}
	query, charts, tables := c.asked(asked)
	p.Query, p.Refresh = query, max(1, int(m.Interval().Seconds()))
	p.Charts = append(charts, c.all()...)
	p.Tables = append(tables, r.tables(d)...)
	return p
}

func healthTone(h Health) string {
	if h == Healthy {
		return "good"
	}
	return "bad"
}

// marks are those of the event log since the instant.
func (r reader) marks(from time.Time) []report.Mark {
	out := []report.Mark{}
	marks, _ := r.EventLog().Marks()
	for _, x := range marks {
		if x.At.Before(from) {
			continue
		}
		kind, _, _ := strings.Cut(x.Source, " ")
		if kind != "event" && kind != "breaker" && kind != "alert" {
			kind = "other"
		}
		out = append(out, report.Mark{At: x.At.Sub(from).Seconds(), When: r.offset(x.At).String(), Kind: kind, Who: x.Source, Text: x.Text})
	}
	return out
}

// tables are what the charts show, as text.
func (r reader) tables(d Dashboard) []report.Table {
	var out []report.Table
	for _, t := range []report.Table{reasonsTable(d), r.targetsTable(), r.rulesTable(), r.alertsTable(), useTable(d)} {
		if len(t.Rows) > 0 {
			out = append(out, t)
		}
	}
	return out
}

func reasonsTable(d Dashboard) report.Table {
	t := report.Table{Title: "Why it is " + string(d.Health), Head: []string{"Reason"}}
	for _, reason := range d.Reasons {
		t.Rows = append(t.Rows, report.Cells(reason))
	}
	return t
}

func (r reader) alertsTable() report.Table {
	t := report.Table{Title: "Alerts", Head: []string{"After", "Alert", "Labels", "Change"}}
	for _, x := range r.Transitions() {
		change := report.Cell{Text: string(x.From) + " → " + string(x.To), Tone: alertTone[x.To]}
		t.Rows = append(t.Rows, append(report.Cells(r.offset(x.At).String(), x.Alert, x.Labels.String()), change))
	}
	return t
}

// alertTone colours a change of an alert by the new state.
var alertTone = map[monitor.State]string{monitor.Pending: "warn", monitor.Firing: "bad", monitor.Resolved: "good"}

func useTable(d Dashboard) report.Table {
	t := report.Table{Title: "Pools and breakers", Head: []string{"Name", "State", "In use", "Limit", "Waiting", "Calls", "Rejected"}}
	for _, p := range d.Pools {
		t.Rows = append(t.Rows, report.Cells("pool "+p.Name, "", figure(p.InUse), figure(p.Max), figure(p.Waiters), "", ""))
	}
	for _, b := range d.Breakers {
		row := report.Cells("breaker "+b.Name, b.State, "", "", "", figure(b.Calls), figure(b.Rejected))
		row[1].Tone = breakerTone[b.State]
		t.Rows = append(t.Rows, row)
	}
	return t
}
