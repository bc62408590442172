// Package chart draws a few figures as lines, in an SVG that is readable on light
// and on dark pages.
package chart

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// A Panel is one line. Its axis begins at zero, so that what is flat looks flat
// and what grows looks as if it grew.
type Panel struct {
	Title  string
	Label  string // what the points are of, below the axis
	Points []Point
}

// A Point is one figure of a panel. The points of a panel are equally far apart.
type Point struct {
	Label string // below the axis
	Y     float64
	Text  string // Y for people, written at the point
}

// Sizes, in pixels.
const (
	width, height = 400, 260 // of a panel
	left, right   = 40, 40   // margins
	top, bottom   = 60, 50
)

// The drawing brings its own ground, because what is behind it may be light or
// dark, whatever the reader's system prefers.
const style = `<style>
svg { --ground: #ffffff; --text: #1f2328; --quiet: #59636e; --rule: #d1d9e0; --line: #0969da; }
@media (prefers-color-scheme: dark) { svg { --ground: #0d1117; --text: #e6edf3; --quiet: #9198a1; --rule: #3d444d; --line: #4493f8; } }
text { font: 12px system-ui, sans-serif; fill: var(--quiet); text-anchor: middle; }
.title { font-size: 14px; font-weight: 600; fill: var(--text); }
.value { fill: var(--text); paint-order: stroke; stroke: var(--ground); stroke-width: 5px; }
.ground { fill: var(--ground); }
.axis { stroke: var(--rule); }
.line { stroke: var(--line); stroke-width: 2; fill: none; }
.dot { fill: var(--line); }
</style>
`

// abreast is how many panels stand beside each other.
const abreast = 2

// SVG draws panels, two beside each other.
func SVG(panels ...Panel) string {
	w := &strings.Builder{}
	columns, rows := max(min(len(panels), abreast), 1), max((len(panels)+abreast-1)/abreast, 1)
	across, down := width*columns, height*rows
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n", across, down, across, down)
	fmt.Fprintf(w, "<title>%s</title>\n%s", html.EscapeString(summary(panels)), style)
	fmt.Fprintf(w, `<rect class="ground" width="%d" height="%d" rx="8"/>`+"\n", across, down)
	for i, p := range panels {
		fmt.Fprintf(w, `<g transform="translate(%d %d)">`+"\n", i%abreast*width, i/abreast*height)
		p.draw(w)
		w.WriteString("</g>\n")
	}
	w.WriteString("</svg>\n")
	return w.String()
}

// summary is the drawing for those who cannot see it.
func summary(panels []Panel) string {
	var parts []string
	for _, p := range panels {
		var values []string
		for _, point := range p.Points {
			values = append(values, point.Label+": "+point.Text)
		}
		parts = append(parts, p.Title+" by "+p.Label+": "+strings.Join(values, ", "))
	}
	return strings.Join(parts, "; ")
}

func (p Panel) draw(w *strings.Builder) {
	text := func(class string, x, y float64, s string) {
		fmt.Fprintf(w, `<text class="%s" x="%.1f" y="%.1f">%s</text>`+"\n", class, x, y, html.EscapeString(s))
	}
	const base = height - bottom
	text("title", width/2, 26, p.Title)
	fmt.Fprintf(w, `<path class="axis" d="M%d %dH%d"/>`+"\n", left, base, width-right)
	text("", width/2, height-10, p.Label)
	var path []string
	for i := range p.Points {
		x, y := p.at(i)
		path = append(path, fmt.Sprintf("%.1f %.1f", x, y))
	}
	if len(path) > 0 {
		fmt.Fprintf(w, `<path class="line" d="M%s"/>`+"\n", strings.Join(path, "L"))
	}
	for i, point := range p.Points {
		x, y := p.at(i)
		fmt.Fprintf(w, `<circle class="dot" cx="%.1f" cy="%.1f" r="3.5"/>`+"\n", x, y)
		fmt.Fprintf(w, `<text class="value" style="text-anchor:%s" x="%.1f" y="%.1f">%s</text>`+"\n", p.side(i), x, y-10, html.EscapeString(point.Text))
		text("", x, base+18, point.Label)
	}
}

// side is to which side of the i-th point its value stands, so that a line which comes down to the point or rises from it does
// not run through the text.
func (p Panel) side(i int) (anchor string) {
	_, y := p.at(i)
	above := func(j int) float64 {
		if j < 0 || j >= len(p.Points) {
			return 0
		}
		_, other := p.at(j)
		return y - other
	}
	const steep = 32 // pixels
	switch left, right := above(i-1), above(i+1); {
	case left > steep && right < left:
		return "start"
	case right > steep:
		return "end"
	}
	return "middle"
}

// at is where the i-th point lies.
func (p Panel) at(i int) (x, y float64) {
	const inner, room = width - left - right, height - top - bottom
	highest := 0.0
	for _, point := range p.Points {
		highest = max(highest, point.Y)
	}
	x = left + inner*(float64(i)+0.5)/float64(len(p.Points))
	share := 0.0
	if highest > 0 {
		share = max(p.Points[i].Y, 0) / highest
	}
	return x, height - bottom - room*math.Min(share, 1)
}
