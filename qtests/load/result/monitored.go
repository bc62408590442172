package result

import (
	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"strings"
)

// Monitored is what Scenario.Monitor knew at the end of the run.
type Monitored struct {
	Panels []Panel `json:"panels,omitempty"` // those of the monitor's Config
	Rules  []Rule  `json:"rules,omitempty"`
	// Failed says of each gatherer or target why its last scrape failed.
	Failed map[string]string `json:"failed,omitempty"`
}

// A Panel is an expression over the run.
type Panel struct {
	Expr  string `json:"expr"`
	Lines []Line `json:"lines"`
	Error string `json:"error,omitempty"` // why it has none
}

// A Line is one series of a panel, with a value for each interval of the timeline, as of
// its end. Where it has none, or no finite one, it is nil.
type Line struct {
	Series string     `json:"series"`
	Values []*float64 `json:"values"`
}

// A Rule is an alert or a recording rule, with what its expression was at the end: of a
// comparison with a number, its left side.
type Rule struct {
	Name  string `json:"name"`
	State string `json:"state,omitempty"` // of an alert: inactive, pending, firing
	Expr  string `json:"expr"`
	Now   string `json:"now"`
	Error string `json:"error,omitempty"` // of its last evaluation
}

// panelCharts draws the panels.
func (r *Result) panelCharts() (charts []report.Chart) {
	if r.Monitored == nil {
		return nil
	}
	for _, p := range r.Monitored.Panels {
		var lines []report.Series
		for _, l := range p.Lines {
			line := report.Series{Name: l.Series, Width: r.Interval.Seconds()}
			for _, v := range l.Values {
				line.Values = append(line.Values, (*report.Value)(v))
			}
			lines = append(lines, line)
		}
		charts = append(charts, report.Panel(p.Expr, lines, p.Error))
	}
	return charts
}

func (r *Result) rulesTable() report.Table {
	t := report.Table{Title: "Rules at the end", Head: []string{"Rule", "State", "Expression", "Then"}}
	if r.Monitored == nil {
		return t
	}
	for _, x := range r.Monitored.Rules {
		then := report.Cell{Text: x.Now}
		if x.Error != "" {
			then = report.Cell{Text: x.Error, Tone: "bad"}
		}
		state := report.Cell{Text: x.State}
		if x.State != "inactive" {
			state.Tone = tone(x.State)
		}
		t.Rows = append(t.Rows, []report.Cell{{Text: x.Name}, state, {Text: x.Expr}, then})
	}
	return t
}

func (r *Result) failedTable() report.Table {
	t := report.Table{Title: "Scrapes that failed at the end", Head: []string{"Target", "Error"}}
	if r.Monitored == nil {
		return t
	}
	for _, name := range text.SortedKeys(r.Monitored.Failed) {
		t.Rows = append(t.Rows, []report.Cell{{Text: name}, {Text: r.Monitored.Failed[name], Tone: "bad"}})
	}
	return t
}

func tone(state string) string {
	switch strings.TrimSpace(state) {
	case "open", "firing", "forced-open":
		return "bad"
	case "half-open", "pending":
		return "warn"
	case "closed":
		return "good"
	}
	return "quiet"
}
