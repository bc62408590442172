package story

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// most is how long a line of text may be, in characters.
const most = 100

// String is the account as text of at most MostLines lines.
func (s *Story) String() string {
	var b strings.Builder
	s.writeLanes(&b)
	for _, w := range s.With {
		fmt.Fprintf(&b, "  load: %s\n", cut(w))
	}
	written := strings.Count(b.String(), "\n")
	s.writeLines(&b, MostLines-written-1-len(s.Cycle)-len(s.Ends))
	for _, c := range s.Cycle {
		fmt.Fprintf(&b, "  in a circle: %s\n", c)
	}
	for _, e := range s.Ends {
		fmt.Fprintf(&b, "  at the end: %s\n", e)
	}
	fmt.Fprintf(&b, "  => %s: %s\n", s.Failure.Kind, cut(s.Failure.Text))
	return b.String()
}

// writeLanes says which goroutines there are. Of more than five it tells four, and how many more there are.
func (s *Story) writeLanes(b *strings.Builder) {
	for i, l := range s.Lanes {
		if i == 4 && len(s.Lanes) > 5 {
			fmt.Fprintf(b, "  and %d more\n", len(s.Lanes)-i)
			return
		}
		fmt.Fprintf(b, "  %-3s %s\n", l.Name, l.Who)
	}
}

// writeLines writes the last lines, as many as there is room for, in columns.
func (s *Story) writeLines(b *strings.Builder, room int) {
	from := max(0, len(s.Lines)-room)
	clock, width, left := s.clock(s.Lines[from:]), s.width(), 0
	for _, l := range s.Lines[:from] {
		left += l.Left + 1
	}
	for i, l := range s.Lines[from:] {
		where := l.Where
		if left += l.Left; left > 0 {
			where += fmt.Sprintf("  (%s before)", text.Plural(left, "step"))
		}
		line := fmt.Sprintf("%s%s%-3s %-*s  %s", l.mark(), clock[i], s.actor(l), width, cut(l.Text), where)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		left = 0
	}
}

// width is how wide the column of the texts is, in characters.
func (s *Story) width() (widest int) {
	for _, l := range s.Lines {
		widest = max(widest, min(utf8.RuneCountInString(l.Text), most-30))
	}
	return widest
}

// actor is the name of the goroutine of a line, and a star for a fault.
func (s *Story) actor(l Line) string {
	if l.Lane == Fault {
		return "*"
	}
	return s.Lanes[l.Lane].Name
}

// mark is what stands in the margin, two characters.
func (l Line) mark() string {
	if l.Surprise {
		return "! "
	}
	return "  "
}

// clock is what stands before each line: the time, where it has passed since the line before.
func (s *Story) clock(lines []Line) []string {
	texts, width, last := make([]string, len(lines)), 0, time.Duration(0)
	for i, l := range lines {
		if l.At != last {
			texts[i] = l.At.Round(time.Microsecond).String()
		}
		last = l.At
		width = max(width, len(texts[i]))
	}
	for i := range texts {
		if width > 0 {
			texts[i] = fmt.Sprintf("%-*s  ", width, texts[i])
		}
	}
	return texts
}

// cut shortens a text to most characters.
func cut(s string) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
