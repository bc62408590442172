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
	for i, l := range s.Lanes {
		if i == 4 && len(s.Lanes) > 5 {
			fmt.Fprintf(&b, "  and %d more\n", len(s.Lanes)-i)
			break
		}
		fmt.Fprintf(&b, "  %-3s %s\n", l.Name, l.Who)
	}
	width := 0
	for _, l := range s.Lines {
		width = max(width, min(utf8.RuneCountInString(l.Text), most-30))
	}
	for _, w := range s.With {
		fmt.Fprintf(&b, "  load: %s\n", cut(w))
	}
	lines := strings.Count(b.String(), "\n")
	room := MostLines - lines - 1 - len(s.Cycle) - len(s.Ends)
	from := max(0, len(s.Lines)-room)
	clock := s.clock(s.Lines[from:])
	for i, l := range s.Lines[from:] {
		mark := " "
		name := "*"
		if l.Lane != Fault {
			name = s.Lanes[l.Lane].Name
		}
		if l.Surprise {
			mark = "!"
		}
		left := l.Left
		if i == 0 {
			for _, before := range s.Lines[:from] {
				left += 1 + before.Left
			}
		}
		dots := ""
		if left > 0 {
			dots = fmt.Sprintf("  (%s before)", text.Plural(left, "step"))
		}
		line := fmt.Sprintf("%s %s%-3s %-*s  %s%s", mark, clock[i], name, width, cut(l.Text), l.Where, dots)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	for _, c := range s.Cycle {
		fmt.Fprintf(&b, "  in a circle: %s\n", c)
	}
	for _, e := range s.Ends {
		fmt.Fprintf(&b, "  at the end: %s\n", e)
	}
	fmt.Fprintf(&b, "  => %s: %s\n", s.Failure.Kind, cut(s.Failure.Text))
	return b.String()
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
