package story

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
	"unicode/utf8"
)

//go:embed story.html
var page string

var pageTemplate = template.Must(template.New("story").Parse(page))

// Sizes of the drawing, in pixels.
const (
	pageWidth   = 1040
	leastLane   = 190
	mostLane    = 340
	letterWidth = 7.4 // of the widest usual text, a bold one of 13 pixels
	lineHeight  = 16
	gutter      = 20 // left of the first lane
	clockGutter = 84 // the same, where times stand there
	top         = 52
)

// A drawing is what the page shows, in pixels.
type drawing struct {
	*Story
	Width, Height int
	Columns       []column
	Rows          []row
	Bars          []bar
	Arrows        []arrow
}

type column struct {
	Lane
	X    int
	Who2 []string // Who, in short lines
}

type row struct {
	Line
	X, Y   int // of its dot
	TextY  int
	Height int
	Width  int
	Name   string
	Clock  string
	Texts  []string // Text, in short lines
	Fault  bool
}

type bar struct {
	X, Y, Height int
	Lock         string
}

// An arrow goes down from a row, and across to the lane that was woken.
type arrow struct{ X1, Y1, X2, Y2 int }

// WriteHTML writes the account as a page that needs no other file.
func (s *Story) WriteHTML(w io.Writer) error { return pageTemplate.Execute(w, s.draw()) }

func (s *Story) draw() drawing {
	p := &painter{drawing: drawing{Story: s}, columns: map[int]int{}, open: map[[2]any]int{}}
	p.lay()
	for i := range s.Lines {
		p.row(&s.Lines[i], p.clock[i])
	}
	p.Height = p.y + lineHeight
	for _, at := range p.open {
		p.Bars[at].Height = p.Height - p.Bars[at].Y - 4
	}
	return p.drawing
}

// A painter lays out a drawing.
type painter struct {
	drawing
	columns map[int]int // by lane, x
	lane    int         // width
	left    int
	clock   []string
	y       int            // of the next row
	open    map[[2]any]int // bars without an end, by lane and lock
}

// lay finds the lanes in which something happens, and their places.
func (p *painter) lay() {
	p.clock = p.Story.clock(p.Lines)
	p.left = gutter
	for i := range p.clock {
		p.clock[i] = strings.TrimSpace(p.clock[i])
		if p.clock[i] != "" {
			p.left = clockGutter
		}
	}
	used := p.used()
	p.lane = min(max((pageWidth-p.left)/max(len(used), 1), leastLane), mostLane)
	for i, l := range p.Lanes {
		if used[i] {
			x := p.left + len(p.Columns)*p.lane
			p.columns[i] = x
			p.Columns = append(p.Columns, column{l, x, p.wrap(l.Who, p.lane-34)})
		}
	}
	p.Width = max(p.left+len(p.Columns)*p.lane, pageWidth/2)
	p.y = top
}

// used are the lanes in which something happens, or which are woken.
func (s *Story) used() map[int]bool {
	used := map[int]bool{}
	for _, l := range s.Lines {
		if l.Lane != Fault {
			used[l.Lane] = true
		}
		if l.Wakes > 0 {
			used[l.Wakes-1] = true
		}
	}
	return used
}

// row draws a line.
func (p *painter) row(l *Line, clock string) {
	r := row{Line: *l, Y: p.y + lineHeight/2, Clock: clock, Fault: l.Lane == Fault}
	room := p.lane - 24
	if r.Fault {
		r.X, r.Width = p.left, p.Width-p.left
		room = r.Width - 10
	} else {
		r.X, r.Width, r.Name = p.columns[l.Lane], p.lane-8, p.Lanes[l.Lane].Name
	}
	r.Texts = p.wrap(l.marked(), room)
	r.TextY = r.Y - 11 // each line comes 15 lower
	r.Height = lineHeight * (len(r.Texts) + 1)
	p.y += r.Height + 6
	p.Rows = append(p.Rows, r)
	p.bars(&r)
	if l.Wakes > 0 && l.Wakes-1 != l.Lane && !r.Fault {
		p.Arrows = append(p.Arrows, arrow{r.X, r.Y, p.columns[l.Wakes-1], p.y - 2})
	}
}

// marked is the text of a line, with a sign before a surprise and before a fault.
func (l Line) marked() string {
	switch {
	case l.Surprise:
		return "! " + l.Text
	case l.Lane == Fault:
		return "* " + l.Text
	}
	return l.Text
}

// bars begins the bar of the lock that a row takes, and ends the one of the lock that it gives back.
func (p *painter) bars(r *row) {
	if r.Holds != "" {
		p.open[[2]any{r.Lane, r.Holds}] = len(p.Bars)
		p.Bars = append(p.Bars, bar{r.X - 9, r.Y, 0, r.Holds})
	}
	if at, ok := p.open[[2]any{r.Lane, r.Frees}]; ok && r.Frees != "" {
		p.Bars[at].Height = r.Y - p.Bars[at].Y
		delete(p.open, [2]any{r.Lane, r.Frees})
	}
}

// wrap breaks a text at spaces into lines of so many pixels. A word that is longer is cut.
func (p *painter) wrap(text string, width int) (lines []string) {
	most := max(int(float64(width)/letterWidth), 8)
	line := ""
	for _, word := range strings.Fields(text) {
		for utf8.RuneCountInString(word) > most {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			runes := []rune(word)
			lines, word = append(lines, string(runes[:most])), string(runes[most:])
		}
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > most {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}
