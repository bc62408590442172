package result

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// verdict is the word for the whole run.
func (r *Result) verdict() string {
	switch {
	case r.Halted != "":
		return "ENDED EARLY"
	case len(r.Failed()) > 0 || r.Panics > 0 || r.Abandoned > 0 || r.Slow || r.LogLost != "":
		return "FAIL"
	case len(r.Thresholds) == 0:
		return "DONE" // without thresholds there is nothing to pass
	}
	return "PASS"
}

// tone is the colour of the verdict.
func (r *Result) tone() string {
	switch r.verdict() {
	case "PASS":
		return "good"
	case "DONE":
		return "quiet"
	}
	return "bad"
}

func (r *Result) tables() []report.Table {
	var tables []report.Table
	for _, t := range slices.Concat([]report.Table{r.thresholdTable(), r.stepsTable(), r.errorsTable(), r.checksTable(), r.metricsTable()},
		r.sectionTables(), []report.Table{r.countsTable(), r.failedTable(), r.rulesTable(), r.marksTable()}) {
		if len(t.Rows)+len(t.Lines) > 0 {
			tables = append(tables, t)
		}
	}
	return tables
}

func (r *Result) thresholdTable() report.Table {
	t := report.Table{Title: "Thresholds", Head: []string{"", "Threshold", "Found"}}
	for _, v := range r.Thresholds {
		verdict, detail := report.Cell{Text: "kept", Tone: "good"}, v.detail()
		if !v.Pass {
			verdict = report.Cell{Text: "broken", Tone: "bad"}
		}
		if v.Error != "" {
			verdict, detail = report.Cell{Text: "error", Tone: "bad"}, v.Error
		}
		t.Rows = append(t.Rows, []report.Cell{verdict, {Text: v.Threshold}, {Text: detail}})
	}
	return t
}

func (r *Result) stepsTable() report.Table {
	t := report.Table{Title: "Steps", Head: []string{"Step", "Requests", "Errors", "p50", "p95", "p99", "p99.9", "Max", "Service p99"}}
	row := func(kind string, s StepResult) {
		if s.Part {
			kind = "└ "
		}
		h := &s.Response
		t.Rows = append(t.Rows, report.Cells(kind+s.Name, text.Grouped(s.Finished), text.Grouped(s.Errors), text.Short(h.Percentile(50)),
			text.Short(h.Percentile(95)), text.Short(h.Percentile(99)), text.Short(h.Percentile(99.9)), text.Short(h.Max()),
			text.Short(s.Service.Percentile(99))))
	}
	for _, s := range r.Steps {
		row("", s)
	}
	for _, s := range r.Tags {
		row("tag ", s)
	}
	return t
}

func (r *Result) errorsTable() report.Table {
	t := report.Table{Title: "Errors by kind", Head: []string{"Kind", "Count", "First at", "In step", "First one"}}
	for _, e := range r.ErrorKinds {
		t.Rows = append(t.Rows, report.Cells(e.Kind, text.Grouped(e.Count), r.when(e.First.Round(time.Millisecond)), e.Step, e.Text))
	}
	return t
}

func (r *Result) checksTable() report.Table {
	t := report.Table{Title: "Checks", Head: []string{"Check", "Passed", "Of"}}
	for _, c := range r.Checks {
		t.Rows = append(t.Rows, report.Cells(c.Name, text.Grouped(c.Passed), text.Grouped(c.Total)))
	}
	return t
}

func (r *Result) metricsTable() report.Table {
	t := report.Table{Title: "Metrics", Head: []string{"Metric", "Kind", "Values"}}
	for _, m := range r.Metrics {
		t.Rows = append(t.Rows, report.Cells(m.Name, m.Kind, m.describe(r.Length())))
	}
	return t
}

func (r *Result) countsTable() report.Table {
	t := report.Table{Title: "Counts", Head: []string{"Count", "Requests"}}
	for _, c := range []struct {
		name string
		n    int64
	}{
		{"scheduled", r.Scheduled}, {"started", r.Started}, {"dropped", r.Dropped}, {"finished", r.Finished},
		{"interrupted", r.Interrupted}, {"timeouts", r.Timeouts}, {"retries", r.Retries}, {"retries denied", r.RetriesDenied},
		{"panics", r.Panics},
	} {
		t.Rows = append(t.Rows, report.Cells(c.name, text.Grouped(c.n)))
	}
	return t
}

// droppedMarks says that marks are missing.
func (r *Result) droppedMarks() string {
	return fmt.Sprintf("%s further marks are missing: the event log was full", text.Grouped(int64(r.MarksDropped)))
}

// maxMarkRows is how many marks the report writes out.
const maxMarkRows = 500

func (r *Result) marksTable() report.Table {
	t := report.Table{Title: "What happened when", Head: []string{"At", "What", ""}}
	first, hidden := headAndTail(len(r.Marks), maxMarkRows)
	for i, m := range r.Marks {
		switch {
		case i < first || i >= first+hidden:
			t.Rows = append(t.Rows, report.Cells(r.when(m.Offset), m.Source, m.Text))
		case i == first:
			t.Rows = append(t.Rows, report.Cells("…", "", text.Grouped(int64(hidden))+" more, which the charts show"))
		}
	}
	if r.MarksDropped > 0 {
		t.Rows = append(t.Rows, []report.Cell{{}, {}, {Text: r.droppedMarks(), Tone: "warn"}})
	}
	return t
}
