package dashboard

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// maxRules bounds the rows of a table.
const maxRules = 300

// panel draws any expression, a line for each series.
func (c chart) panel(expr string) report.Chart {
	found, err := c.values(expr)
	if err != nil {
		return report.Panel(expr, nil, err.Error())
	}
	var lines []report.Series
	for _, s := range found {
		lines = append(lines, c.drawn(s, s.String()))
	}
	return report.Panel(expr, lines, "")
}

// drawn makes a line of a series.
func (c chart) drawn(s monitor.Series, name string) report.Series {
	out := report.Series{Name: name, Width: c.step.Seconds(), Values: make([]*report.Value, c.n)}
	for _, sample := range s.Samples {
		if i := c.index(sample.At); i >= 0 && i < c.n && !math.IsNaN(sample.Value) && !math.IsInf(sample.Value, 0) {
			v := report.Value(sample.Value)
			out.Values[i] = &v
		}
	}
	return out
}

// asked answers the query box: a chart and a table with the current values, or the error.
func (c chart) asked(expr string) (*report.Query, []report.Chart, []report.Table) {
	q := &report.Query{Expr: expr, Hints: c.names()}
	if strings.TrimSpace(expr) == "" {
		return q, nil, nil
	}
	points, err := c.Query(expr, time.Time{})
	if err != nil {
		q.Error = strings.TrimPrefix(err.Error(), "monitor: ")
		return q, nil, nil
	}
	t := report.Table{Title: "Query: " + expr, Head: []string{"Series", "Value"}}
	for _, p := range points[:min(len(points), maxRules)] {
		t.Rows = append(t.Rows, report.Cells(p.Labels.String(), figure(p.Value)))
	}
	if len(points) == 0 {
		t.Rows = append(t.Rows, report.Cells("no series", ""))
	}
	return q, []report.Chart{c.panel(expr)}, []report.Table{t}
}

// maxNames bounds the names that the query box proposes.
const maxNames = 500

// names are those of the metrics that there are, sorted.
func (c chart) names() (out []string) {
	now := c.Status().Last
	for _, s := range c.SeriesBetween(now.Add(-monitor.Lookback), now, "") {
		if n := len(out); n == 0 || out[n-1] != s.Name {
			out = append(out, s.Name)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), maxNames)]
}

// rulesTable shows what the expression of each rule is now.
func (r reader) rulesTable() report.Table {
	t := report.Table{Title: "Rules", Head: []string{"Rule", "State", "Expression", "Now"}}
	all := r.Rules()
	for _, x := range all[:min(len(all), maxRules)] {
		state := report.Cell{Text: string(x.State), Tone: stateTone[x.State]}
		now := report.Cell{Text: x.Now()}
		if x.Err != nil {
			now = report.Cell{Text: x.Err.Error(), Tone: "bad"}
		}
		t.Rows = append(t.Rows, []report.Cell{{Text: x.Name + x.Record}, state, {Text: text.OneLine(x.Expr)}, now})
	}
	if n := len(all) - maxRules; n > 0 {
		t.Rows = append(t.Rows, report.Cells(fmt.Sprintf("and %d more", n)))
	}
	return t
}

// stateTone colours the state of a rule's alerts.
var stateTone = map[monitor.State]string{monitor.Pending: "warn", monitor.Firing: "bad"}

// targetsTable shows why scrapes fail.
func (r reader) targetsTable() report.Table {
	t := report.Table{Title: "Scrapes that fail", Head: []string{"Target", "Error"}}
	errs := r.TargetErrors()
	for _, name := range text.SortedKeys(errs) {
		t.Rows = append(t.Rows, []report.Cell{{Text: name}, {Text: text.Clip(errs[name].Error(), 500), Tone: "bad"}})
	}
	return t
}
