package story

import (
	_ "embed"
	"html/template"
	"io"
)

//go:embed story.html
var page string

var pageTemplate = template.Must(template.New("story").Parse(page))

const (
	laneWidth = 230 // of the drawing, in pixels
	rowHeight = 34
	top       = 40
)

// A drawing is what the page shows, in pixels.
type drawing struct {
	*Story
	Width, Height int
	Columns       []column
	Rows          []row
	Faults        []row
	Bars          []bar
	Arrows        []arrow
}

type column struct {
	Lane
	X int
}

type row struct {
	Line
	X, Y int
	Name string
}

type bar struct {
	X, Y, Height int
	Lock         string
}

type arrow struct{ X1, Y1, X2, Y2 int }

// WriteHTML writes the account as a page that needs no other file.
func (s *Story) WriteHTML(w io.Writer) error {
	d := drawing{Story: s, Width: laneWidth*len(s.Lanes) + 20, Height: top + rowHeight*(len(s.Lines)+1)}
	x := func(lane int) int { return 20 + lane*laneWidth }
	for i, l := range s.Lanes {
		d.Columns = append(d.Columns, column{l, x(i)})
	}
	open := map[[2]any]int{}
	for i, l := range s.Lines {
		y := top + rowHeight*i + rowHeight/2
		if l.Lane == Fault {
			d.Faults = append(d.Faults, row{l, 20, y, ""})
			continue
		}
		d.Rows = append(d.Rows, row{l, x(l.Lane), y, s.Lanes[l.Lane].Name})
		if l.Holds != "" {
			open[[2]any{l.Lane, l.Holds}] = len(d.Bars)
			d.Bars = append(d.Bars, bar{x(l.Lane) - 9, y, d.Height - y - 10, l.Holds})
		}
		if at, ok := open[[2]any{l.Lane, l.Frees}]; ok && l.Frees != "" {
			d.Bars[at].Height = y - d.Bars[at].Y
			delete(open, [2]any{l.Lane, l.Frees})
		}
		if l.Wakes > 0 && l.Wakes-1 != l.Lane {
			d.Arrows = append(d.Arrows, arrow{x(l.Lane), y, x(l.Wakes - 1), y + rowHeight/2})
		}
	}
	return pageTemplate.Execute(w, d)
}
