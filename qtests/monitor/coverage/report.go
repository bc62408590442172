package coverage

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/internal/covered"
)

// An Alert is what one alert did in all monitors together.
type Alert struct {
	Origin string `json:"origin,omitempty"` // the file, the line and the group; empty of a rule written in Go
	Name   string `json:"name"`
	// Monitors had the alert.
	Monitors int64 `json:"monitors"`
	// Pending, Fired and Resolved are how often it became so. An alert without `for` fires
	// without being pending.
	Pending  int64 `json:"pending"`
	Fired    int64 `json:"fired"`
	Resolved int64 `json:"resolved"`
	// Tests are those in which it fired, sorted, at most twenty.
	Tests []string `json:"tests,omitempty"`
	// Missing are selectors of its expression that chose no series in any monitor: why an
	// alert may never have moved.
	Missing []string `json:"missing,omitempty"`
}

// A Verdict is how far an alert was moved.
type Verdict string

// The verdicts, the worst first.
const (
	Nowhere  Verdict = "in no monitor"
	Still    Verdict = "never moved"
	Pending  Verdict = "pending only"
	Fired    Verdict = "fired, never resolved"
	Resolved Verdict = "fired, resolved"
)

// order is the order of a report's lines.
var order = []Verdict{Nowhere, Still, Pending, Fired, Resolved}

// said is how the first line of a report counts the alerts of a verdict.
var said = map[Verdict][2]string{
	Nowhere: {"is in no monitor", "are in no monitor"}, Still: {"never moved", "never moved"}, Pending: {"was pending only", "were pending only"},
	Fired: {"fired and was never resolved", "fired and were never resolved"}, Resolved: {"fired and was resolved", "fired and were resolved"},
}

// Verdict returns how far the alert was moved.
func (a Alert) Verdict() Verdict {
	switch {
	case a.Monitors == 0:
		return Nowhere
	case a.Resolved > 0:
		return Resolved
	case a.Fired > 0:
		return Fired
	case a.Pending > 0:
		return Pending
	}
	return Still
}

// title is the place and the name.
func (a Alert) title() string {
	if a.Origin == "" {
		return a.Name
	}
	return a.Origin + ": " + a.Name
}

// String returns the alert as a line of the report.
func (a Alert) String() string {
	out := fmt.Sprintf("%-22s  %s", a.Verdict(), a.title())
	if a.Fired > 0 {
		out += " " + text.Plural(a.Fired, "time")
	}
	if len(a.Tests) > 0 {
		out += " in " + strings.Join(a.Tests, ", ")
	}
	if len(a.Missing) > 0 && a.Verdict() == Still {
		out += "; no series matches " + strings.Join(a.Missing, ", ")
	}
	return out
}

// A Report is the coverage of alerts, the worst first, then by place and name.
type Report []Alert

// newReport joins what was counted with the rules of the files. With files, only their
// alerts are reported.
func newReport(counted []covered.Count, files []monitor.Rule) Report {
	type key struct{ place, name string }
	wanted := map[key]*Alert{}
	for _, r := range files {
		if r.Record == "" {
			wanted[key{place(r.Origin), r.Name}] = &Alert{Origin: r.Origin, Name: r.Name}
		}
	}
	for _, c := range counted {
		k := key{place(c.Origin), c.Name}
		a := wanted[k]
		if a == nil && len(files) > 0 {
			continue
		}
		if a == nil {
			a = &Alert{Origin: c.Origin, Name: c.Name}
			wanted[k] = a
		}
		a.Monitors, a.Pending, a.Fired, a.Resolved = a.Monitors+c.Monitors, a.Pending+c.Pending, a.Fired+c.Fired, a.Resolved+c.Resolved
		a.Tests, a.Missing = append(a.Tests, c.Tests...), append(a.Missing, c.Missing...)
	}
	var out Report
	for _, a := range wanted {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Alert) int {
		return cmp.Or(slices.Index(order, a.Verdict())-slices.Index(order, b.Verdict()), strings.Compare(a.Origin, b.Origin), strings.Compare(a.Name, b.Name))
	})
	return out
}

// place is an origin whose file is an absolute path: two tests may name one file
// differently.
func place(origin string) string {
	file, rest, ok := strings.Cut(origin, ":")
	if abs, err := filepath.Abs(file); ok && err == nil {
		return abs + ":" + rest
	}
	return origin
}

// Of returns the alerts of a verdict.
func (r Report) Of(v Verdict) (out []Alert) {
	for _, a := range r {
		if a.Verdict() == v {
			out = append(out, a)
		}
	}
	return out
}

// String returns the report as text: a line in all, then one for each alert.
func (r Report) String() string {
	if len(r) == 0 {
		return "coverage: there are no alerts\n"
	}
	var parts []string
	for _, v := range slices.Backward(order) {
		switch n := len(r.Of(v)); n {
		case 0:
		case 1:
			parts = append(parts, "1 "+said[v][0])
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, said[v][1]))
		}
	}
	out := fmt.Sprintf("coverage of %s: %s\n", text.Plural(len(r), "alert"), strings.Join(parts, ", "))
	for _, a := range r {
		out += "  " + a.String() + "\n"
	}
	return out
}
