package compare

import (
	"fmt"
	"math"
	"strings"
	"time"
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

// preface says what was run, where, and how to read it.
func (r *Report) preface(w *strings.Builder) {
	m := r.Machine
	fmt.Fprintf(w, "| | |\n|---|---|\n")
	fmt.Fprintf(w, "| command | `%s` |\n", r.Command)
	fmt.Fprintf(w, "| date | %s, in %v |\n", r.Date.UTC().Format("2006-01-02 15:04 MST"), r.Took.Round(time.Second))
	fmt.Fprintf(w, "| machine | %s, %d cores, GOMAXPROCS %d, %s, %s |\n", m.CPU, m.Cores, m.Procs, m.OS, m.Go)
	fmt.Fprintf(w, "| rounds | %d, with turns of about %v, where a row says nothing else |\n", r.Options.Rounds, r.Options.Turn)
	versions := make([]string, len(r.Versions))
	for i, v := range r.Versions {
		versions[i] = v.Module + " " + v.Version
	}
	fmt.Fprintf(w, "| versions | %s |\n\n", strings.Join(versions, ", "))
	if n := r.run(); n < r.Declared {
		fmt.Fprintf(w, "**A part only: %d of %d comparisons were run.**\n\n", n, r.Declared)
	}
	w.WriteString(`All contestants of a row take one turn each in every round, in an order that changes. A figure is the median of
the rounds. A ratio is that of ours to theirs within a round, below 1 where ours takes less; it is shown as the
median and, in brackets, the quartiles of the rounds, and targets are judged by the median; a target in comparison with
somebody who did not take part is not judged. A floor does less than the work: it shows what nobody can save.

`)
}

func (r *Report) run() (n int) {
	for _, g := range r.Groups {
		n += len(g.Results)
	}
	return n
}

// shortfalls lists the rows that are not as they should be.
func (r *Report) shortfalls(w *strings.Builder) {
	var missed, behind []string
	for _, g := range r.Groups {
		for _, row := range g.rows() {
			name := g.Name + ": " + row.name()
			if row.Missed() {
				missed = append(missed, name)
			}
			if peers := row.Behind(); len(peers) > 0 {
				behind = append(behind, name+" (behind "+strings.Join(peers, ", ")+")")
			}
		}
	}
	list := func(title string, names []string) {
		fmt.Fprintf(w, "**%s:**", title)
		if len(names) == 0 {
			w.WriteString(" none.\n\n")
			return
		}
		w.WriteString("\n\n")
		for _, name := range names {
			fmt.Fprintf(w, "- %s\n", name)
		}
		w.WriteString("\n")
	}
	list("Rows that miss a target", missed)
	list("Rows in which a peer is ahead of ours", behind)
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

// name is that of the comparison and, unless it is the usual one, the figure.
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
		verdicts = append(verdicts, map[Verdict]string{Met: "met", Missed: "**missed**", NotJudged: "not judged"}[j.Verdict])
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
	targeted := map[string]kind{}
	for _, t := range r.Figure.Targets {
		targeted[t.against] = t.kind
	}
	for _, a := range r.Against {
		kind, isTarget := targeted[a.Name]
		if a.Role != RolePeer && !isTarget {
			continue
		}
		if a.Ratio.Low == 1 && a.Ratio.High == 1 {
			texts = append(texts, "equal to "+a.Name)
		} else if finite(a.Ratio.Median) {
			texts = append(texts, a.Ratio.text(Number)+" "+a.Name)
		}
		if isTarget && kind == more {
			texts = append(texts, a.More.text(r.Figure.Unit.Format)+" more than "+a.Name)
		}
	}
	return texts
}

// text is the median and, where there is one, the spread.
func (s Summary) text(format func(float64) string) string {
	middle, low, high := format(s.Median), format(s.Low), format(s.High)
	if low == high {
		return middle
	}
	return fmt.Sprintf("%s [%s–%s]", middle, low, high)
}

const profilesPreface = `## Profiles

Ours, alone, for every comparison in which a target is missed or a peer is ahead: the profile of the processors, or that of
the heap where memory is what is compared. Each is the %d functions with the largest share (flat), by
` + "`go tool pprof -top`" + `, below the command that takes one in the directory ` + "`bench`" + `.
`

// profiles is the appendix.
func (r *Report) profiles(w *strings.Builder) {
	begun := false
	for _, g := range r.Groups {
		for _, result := range g.Results {
			if result.Top == "" {
				continue
			}
			if !begun {
				begun = true
				fmt.Fprintf(w, profilesPreface, topFunctions)
			}
			command := r.Profiled
			if result.ours().Profile != nil {
				command = r.ProfiledOutside
			}
			command = fmt.Sprintf(command, Pattern("BenchmarkRows", g.Name, result.Name, OursName))
			fmt.Fprintf(w, "\n### %s: %s\n\n`%s`\n\n```text\n%s\n```\n", title(g.Name), result.Name, command, result.Top)
		}
	}
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
