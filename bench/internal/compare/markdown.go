package compare

import (
	"fmt"
	"math"
	"strings"
)

// Markdown writes the report.
func (r *Report) Markdown() string {
	w := &strings.Builder{}
	fmt.Fprintf(w, "<!-- Written by `%s`, nothing by hand. -->\n\n# Side by side\n\n", r.Command)
	r.preface(w)
	r.shortfalls(w)
	for _, g := range r.Groups {
		g.section(w)
	}
	r.profiles(w)
	return w.String()
}

// spread says of a verdict that another run may come to another.
func spread(within bool) string {
	if within {
		return ", but noise decides"
	}
	return ""
}

// section is one table and what belongs to it.
func (g *GroupResult) section(w *strings.Builder) {
	fmt.Fprintf(w, "## %s\n\n%s\n\n", title(g.Name), strings.TrimSpace(g.About))
	if g.ChartFile != "" {
		fmt.Fprintf(w, "![%s](%s)\n\n", title(g.Name), g.ChartFile)
	}
	contestants := g.contestants()
	g.head(w, contestants)
	for _, row := range g.rows() {
		row.line(w, contestants)
	}
	w.WriteString("\n")
	g.explanations(w)
}

// explanations says why some rows are not as they should be, once for all that
// have the same reason.
func (g *GroupResult) explanations(w *strings.Builder) {
	names, order := map[string][]string{}, []string(nil)
	for _, r := range g.Results {
		if !r.needsExplaining() || r.Why == "" {
			continue
		}
		if names[r.Why] == nil {
			order = append(order, r.Why)
		}
		names[r.Why] = append(names[r.Why], r.Name)
	}
	for _, why := range order {
		fmt.Fprintf(w, "*%s:* %s\n\n", strings.Join(names[why], "; "), why)
	}
}

// head is the first two lines of the table.
func (g *GroupResult) head(w *strings.Builder, contestants []*Contestant) {
	w.WriteString("| row |")
	for _, c := range contestants {
		name := c.Name
		if c.Role == RoleFloor {
			name = "floor: " + name
		}
		fmt.Fprintf(w, " %s |", cell(name))
	}
	w.WriteString(" ours to theirs | target | |\n|---|" + strings.Repeat("--:|", len(contestants)) + "---|---|---|\n")
}

// contestants are all that take part in the group, in the order in which they
// first appear, the floors last.
func (g *GroupResult) contestants() (all []*Contestant) {
	seen := map[string]bool{}
	for _, floors := range []bool{false, true} {
		for _, r := range g.Results {
			for i := range r.Contestants {
				c := &r.Contestants[i]
				if !seen[c.Name] && (c.Role == RoleFloor) == floors {
					seen[c.Name] = true
					all = append(all, c)
				}
			}
		}
	}
	return all
}

func (g *GroupResult) rows() (rows []Row) {
	for _, r := range g.Results {
		rows = append(rows, r.Rows()...)
	}
	return rows
}

// name is the name of the comparison and, unless it is the usual one, of the figure.
func (r Row) name() string {
	if r.Figure.Name == Time && len(r.Result.Figures) == 1 {
		return r.Result.Name
	}
	return r.Result.Name + ": " + r.Figure.Name
}

// line is the row's line of the table.
func (r Row) line(w *strings.Builder, contestants []*Contestant) {
	name := r.name()
	if r.Result.Rounds > 0 {
		name += fmt.Sprintf(" (%s)", rounds(len(r.Result.Turns)))
	}
	fmt.Fprintf(w, "| %s |", cell(name))
	for _, c := range contestants {
		fmt.Fprintf(w, " %s |", r.figure(c.Name))
	}
	var targets, verdicts []string
	for _, j := range r.Judged {
		targets = append(targets, j.format(r.Figure))
		verdict := map[Verdict]string{Met: "met", Missed: "**missed**", NotJudged: "not judged"}[j.Verdict]
		verdicts = append(verdicts, verdict+spread(j.WithinSpread))
	}
	fmt.Fprintf(w, " %s | %s | %s |\n", lines(r.comparisons()), lines(targets), lines(verdicts))
}

// figure is the median of a contestant, or why there is none.
func (r Row) figure(contestant string) string {
	c := r.Result.named(contestant)
	switch {
	case c == nil:
		return ""
	case c.Absent != "":
		return "*" + c.Absent + "*"
	}
	median := r.Result.Median(contestant, r.Figure.Name)
	if math.IsNaN(median) {
		return "—"
	}
	return r.Figure.Unit.Format(median)
}

// comparisons are the ratio to every peer, and what else the targets are about.
func (r Row) comparisons() (texts []string) {
	targeted := map[string]bool{}
	for _, t := range r.Figure.Targets {
		targeted[t.against] = true
	}
	for _, a := range r.Against {
		if a.Role != RolePeer && !targeted[a.Name] {
			continue
		}
		if a.Ratio.Low == 1 && a.Ratio.High == 1 {
			texts = append(texts, "equal to "+a.Name)
		} else if finite(a.Ratio.Median) {
			texts = append(texts, a.Ratio.text(Number)+" "+a.Name)
		}
	}
	return texts
}

// text is the median and, of more than one round, the quartiles: also where they
// read alike, for that is how little the rounds differ.
func (s Summary) text(format func(float64) string) string {
	if s.N == 1 {
		return format(s.Median)
	}
	return fmt.Sprintf("%s [%s–%s]", format(s.Median), format(s.Low), format(s.High))
}

func rounds(n int) string {
	if n == 1 {
		return "1 round"
	}
	return fmt.Sprintf("%d rounds", n)
}

// lines puts texts below each other in one cell.
func lines(texts []string) string {
	if len(texts) == 0 {
		return "—"
	}
	for i, text := range texts {
		texts[i] = cell(text)
	}
	return strings.Join(texts, "<br>")
}

// cell keeps a text from ending its cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
