package compare

import (
	"regexp"
	"strings"
)

// Outline is the structure of the report that these groups would yield, without the
// figures: see [OutlineOf].
func Outline(groups []Group) []string {
	r := &Report{}
	for i := range groups {
		g := GroupResult{Group: &groups[i]}
		for k := range g.Comparisons {
			g.Results = append(g.Results, &Result{Comparison: &g.Comparisons[k]})
		}
		r.Groups = append(r.Groups, g)
	}
	return OutlineOf(r.Markdown())
}

var roundsOfRow = regexp.MustCompile(` \(\d+ rounds?\)$`)

// OutlineOf is the structure of a report: of every table the title and the
// contestants, and of every row the name and the targets. Whether a report has the
// rows that are declared can be told by it without measuring them.
func OutlineOf(markdown string) (outline []string) {
	title := ""
	for line := range strings.Lines(markdown) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "## "); ok {
			title = name
		}
		cells := cellsOf(line)
		if title == "" || len(cells) < 4 || strings.HasPrefix(cells[0], "---") {
			continue
		}
		if cells[0] == "row" {
			outline = append(outline, title+" | "+strings.Join(cells[1:len(cells)-3], " | "))
			continue
		}
		outline = append(outline, title+" | "+roundsOfRow.ReplaceAllString(cells[0], "")+" | "+cells[len(cells)-2])
	}
	return outline
}

// cellsOf takes a line of a table apart. What is none has no cells.
func cellsOf(line string) []string {
	const bar = "\x00" // the mark of a text
	line = strings.ReplaceAll(line, `\|`, bar)
	if !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") {
		return nil
	}
	cells := strings.Split(line[1:len(line)-1], "|")
	for i, text := range cells {
		cells[i] = strings.ReplaceAll(strings.TrimSpace(text), bar, `\|`)
	}
	return cells
}
