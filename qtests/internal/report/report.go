// Package report draws the report of a run: one HTML file that holds its data,
// its styles and its script, asks no network for anything, and reads in light and dark,
// by mouse, by keyboard, and on paper.
package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"time"
)

// A Page is a report as a value. Times are seconds from the start of the run.
type Page struct {
	Title    string
	Subtitle string
	// Verdict is the word in the badge, and Tone its colour, as in Phase.
	Verdict string
	Tone    string
	// Reasons say why the verdict is what it is, below it.
	Reasons []string
	Facts   []Fact
	// Origin, if it is not zero, is the instant of the start: the time axis then has dates and times.
	Origin time.Time
	// Span is the end of the time axis that all charts share; it is positive.
	Span   float64
	Charts []Chart
	Marks  []Mark
	Bands  []Band
	Broken []Band // windows in which a threshold was broken
	Tables []Table
	// Query is the box in which a reader asks for a series; nil is none.
	Query *Query
	// Refresh is after how many seconds the page loads itself again, unless somebody
	// writes into the box. Zero is never.
	Refresh int
	// Footer are lines of small print: the seed, the command that repeats the run.
	Footer []string
}

// A Fact is a figure that stands out at the top.
type Fact struct{ Label, Value, Note string }

// A Query is the box for an expression, which a live page answers: the form asks for the
// page itself with ?query=….
type Query struct {
	Expr  string // that was asked for
	Error string // why it has no answer
	Hints []string
}

// A Unit is how a chart writes the values of its axis.
type Unit string

// The units of charts.
const (
	Number  Unit = "number"
	Rate    Unit = "rate"    // per second
	Seconds Unit = "seconds" // durations
	Share   Unit = "share"   // 0 to 1, as per cent
)

// A Chart is one picture over the time axis: lines and areas, or, with Lanes, bars
// that show which state something was in.
type Chart struct {
	Title  string   `json:"title"`
	Note   string   `json:"note,omitempty"`
	Unit   Unit     `json:"unit,omitempty"`
	Log    bool     `json:"log,omitempty"` // the value axis, to begin with
	Series []Series `json:"series,omitempty"`
	Lanes  []Lane   `json:"lanes,omitempty"`
	Limits []Limit  `json:"limits,omitempty"`
	Heat   *Heat    `json:"heat,omitempty"`
}

// A Limit is a level of the value axis: a threshold.
type Limit struct {
	Value Value  `json:"value"`
	Text  string `json:"text"`
	Tone  string `json:"tone"` // as in Phase
}

// Heat makes a chart a map: how many there were in each interval of Width seconds, by value. Tops are the largest values of the rows,
// rising.
type Heat struct {
	Width  float64   `json:"width"`
	Tops   []Value   `json:"tops"`
	Counts [][]int64 `json:"counts"` // by interval and row
}

// A Series is one value per interval of Width seconds; null is a gap.
type Series struct {
	Name   string   `json:"name"`
	Width  float64  `json:"width"`
	Values []*Value `json:"values"`
	Area   bool     `json:"area,omitempty"`
	Dashed bool     `json:"dashed,omitempty"`
	// Color is the number of a colour, 0 to 7; the same number is the same
	// colour in every chart.
	Color int `json:"color"`
}

// A Value is a float64 that JSON writes in the fewest digits of float32 precision: a
// chart shows no more, and a report has thousands.
type Value float64

// MarshalJSON writes a value that is not finite as null.
func (v Value) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float32(v))
}

// A Lane is the history of one thing that has states.
type Lane struct {
	Name  string  `json:"name"`
	Spans []Phase `json:"spans"`
}

// A Phase is a stretch of time in one state. Tone is good, bad, warn or quiet.
type Phase struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	State string  `json:"state"`
	Tone  string  `json:"tone"`
}

// A Mark is an instant at which something happened. Kind is event, breaker,
// alert or other.
type Mark struct {
	At   float64 `json:"at"`
	When string  `json:"when"` // At as text
	Kind string  `json:"kind"`
	Who  string  `json:"who"`
	Text string  `json:"text"`
}

// A Band is a stretch of time that lies behind all charts, such as an outage.
type Band struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
	Text string  `json:"text"`
}

// A Table is rows of text under a head. Short cells that begin with a digit are figures,
// which are not broken into lines.
type Table struct {
	Title string
	Lines []string // sentences above it; a table may have them alone
	Head  []string
	Rows  [][]Cell
}

// A Cell is the text of a table's cell; Tone is as in Phase, or empty.
type Cell struct{ Text, Tone string }

// Cells makes plain cells.
func Cells(texts ...string) []Cell {
	cells := make([]Cell, len(texts))
	for i, s := range texts {
		cells[i].Text = s
	}
	return cells
}

// Numeric reports whether the cell is a figure: it begins with a digit, as a number and an instant do, and is no
// expression, such as 100 * sum(rate(errors_total[5m])).
func (c Cell) Numeric() bool {
	return c.Text != "" && c.Text[0] >= '0' && c.Text[0] <= '9' && len(c.Text) <= maxNumeric && !strings.Contains(c.Text, "[")
}

// maxNumeric is the length of a figure in bytes: the longest is an instant with its date and the time of the run.
const maxNumeric = 44

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

var page = template.Must(template.New("page").Parse(pageHTML))

// data is what the script draws.
type data struct {
	Span   float64 `json:"span"`
	Origin *int64  `json:"origin"` // in seconds since 1970
	Charts []Chart `json:"charts"`
	Marks  []Mark  `json:"marks"`
	Bands  []Band  `json:"bands"`
	Broken []Band  `json:"broken"`
}

// Write writes the page. The same Page is the same bytes.
func (p Page) Write(w io.Writer) error {
	if !(p.Span > 0) || math.IsInf(p.Span, 1) {
		return fmt.Errorf("report: Page.Span: %v is not a positive number", p.Span)
	}
	var out bytes.Buffer
	d := data{
		Span: p.Span, Charts: append([]Chart{}, p.Charts...), Marks: append([]Mark{}, p.Marks...),
		Bands: append([]Band{}, p.Bands...), Broken: append([]Band{}, p.Broken...),
	}
	if !p.Origin.IsZero() {
		seconds := p.Origin.Unix()
		d.Origin = &seconds
	}
	err := page.Execute(&out, struct {
		Page
		CSS  template.CSS
		JS   template.JS
		Data data
	}{p, template.CSS(pageCSS), template.JS(pageJS), d}) // #nosec: both are this package's own files
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.Write(out.Bytes())
	return err
}
