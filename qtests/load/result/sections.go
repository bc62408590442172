package result

import (
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/section"
)

// sectionLines shows what the sources told.
func (r *Result) sectionLines(b *strings.Builder) {
	for _, s := range r.Sections {
		if s.Empty() {
			continue
		}
		fmt.Fprintf(b, "\n  %s\n", text.OneLine(s.Title))
		for _, line := range s.Lines {
			fmt.Fprintf(b, "  %s\n", text.OneLine(line))
		}
		for _, t := range s.Tables {
			if len(t.Rows) > 0 {
				sectionText(b, t)
			}
		}
	}
}

func sectionText(b *strings.Builder, t section.Table) {
	fmt.Fprintf(b, "\n  %s\n", text.OneLine(t.Title))
	hidden := max(len(t.Rows)-maxShown, 0)
	rows := [][]string{t.Head}
	for _, row := range t.Rows[:len(t.Rows)-hidden] {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = text.Clip(text.OneLine(cell), 70)
		}
		rows = append(rows, cells)
	}
	text.Table(b, rows)
	if hidden += t.More; hidden > 0 {
		fmt.Fprintf(b, "  … and %d more\n", hidden)
	}
}

func (r *Result) sectionTables() (all []report.Table) {
	for _, s := range r.Sections {
		if len(s.Lines) > 0 {
			all = append(all, report.Table{Title: s.Title, Lines: s.Lines})
		}
		for _, t := range s.Tables {
			out := report.Table{Title: s.Title + ": " + t.Title, Head: t.Head}
			if t.More > 0 {
				out.Lines = []string{fmt.Sprintf("%d more rows are not shown.", t.More)}
			}
			for _, row := range t.Rows {
				out.Rows = append(out.Rows, report.Cells(row...))
			}
			all = append(all, out)
		}
	}
	return all
}

func (r *Result) sectionCharts() (all []report.Chart) {
	for _, s := range r.Sections {
		for _, c := range s.Charts {
			out := report.Chart{Title: s.Title + ": " + c.Title, Unit: report.Unit(c.Unit)}
			for i, x := range c.Curves {
				line := report.Series{Name: x.Name, Width: x.Width.Seconds(), Color: i % 8}
				for k := range x.Values {
					v := report.Value(x.Values[k])
					line.Values = append(line.Values, &v)
				}
				out.Series = append(out.Series, line)
			}
			all = append(all, out)
		}
	}
	return all
}
