// Package section is what a part of a system tells the report of a load run: tables, and curves over the time of the run.
//
// A [Source] is asked once, when the run has ended. Fleets, gates, meters and the fake of SQL are sources, and a team's own
// components may be: package load knows none of them. load.Scenario.Sections takes sources, and result.Result.Sections has what
// they told; the summary, the report and the JSON of the run show it.
//
// The package has values and helpers to make them. It has no lock, clock or goroutine, and imports nothing of this module.
package section

import "time"

// Bounds of a [Section]. What is beyond them is cut, and the cut is said.
const (
	MaxTables = 20
	MaxRows   = 200 // of a table
	MaxCharts = 20
	MaxCurves = 50   // of a chart
	MaxValues = 2000 // of a curve
)

// A Source tells of itself.
type Source interface {
	// Section returns what is to be said of the time from start to end. It does not wait.
	Section(start, end time.Time) Section
}

// A Section is a part of a report. The zero Section says nothing.
type Section struct {
	Title  string   `json:"title"`           // "fleet shop"
	Lines  []string `json:"lines,omitempty"` // sentences, before the tables
	Tables []Table  `json:"tables,omitempty"`
	Charts []Chart  `json:"charts,omitempty"`
}

// A Table is rows of text under a head. Each row has as many cells as the head.
type Table struct {
	Title string     `json:"title"` // "instances"
	Head  []string   `json:"head"`
	Rows  [][]string `json:"rows"`
	// More is how many rows were cut.
	More int `json:"more,omitempty"`
}

// A Chart is curves over the time of the run.
type Chart struct {
	Title  string  `json:"title"`
	Unit   Unit    `json:"unit"`
	Curves []Curve `json:"curves"`
}

// A Unit is how the values of a chart are written.
type Unit string

// The units.
const (
	Number  Unit = "number"
	Rate    Unit = "rate"    // per second
	Seconds Unit = "seconds" // durations
	Share   Unit = "share"   // 0 to 1, written as per cent
)

// A Curve is one value for each interval of Width: value k belongs to [k·Width, (k+1)·Width) after the start of the run.
type Curve struct {
	Name   string        `json:"name"`
	Width  time.Duration `json:"width_ns"` // above 0
	Values []float64     `json:"values"`
}

// A Step is the value of something from an instant on.
type Step struct {
	At    time.Time
	Value float64
}

// Steps makes a curve of at most n values, n at least 1, of something that changes in steps: each value is the largest of its
// interval. The steps are in order. Before the first one the value is before.
func Steps(name string, start, end time.Time, n int, before float64, steps []Step) Curve {
	length := max(end.Sub(start), time.Millisecond)
	width := max((length+time.Duration(n)-1)/time.Duration(n), time.Millisecond)
	c := Curve{Name: name, Width: width}
	s := stairs{value: before, next: steps}
	for from := time.Duration(0); from < length; from += width {
		s.climb(start, from+1) // a step at from replaces the value before it
		c.Values = append(c.Values, s.climb(start, from+width))
	}
	return c
}

// stairs are on a value, and have steps before them.
type stairs struct {
	value float64
	next  []Step
}

// climb takes the steps that are less than d after start, and returns the largest value on the way.
func (s *stairs) climb(start time.Time, d time.Duration) (most float64) {
	most = s.value
	for len(s.next) > 0 && s.next[0].At.Sub(start) < d {
		s.value, s.next = s.next[0].Value, s.next[1:]
		most = max(most, s.value)
	}
	return most
}
