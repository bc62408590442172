package result

import (
	"fmt"
	"time"
)

// A Verdict is how a threshold came out.
type Verdict struct {
	Threshold string `json:"threshold"`
	Pass      bool   `json:"pass"`
	// Actual is the value found, or the worst of all windows, or the value that aborted the run. Of
	// several conditions it says of each how it came out.
	Actual string `json:"actual,omitempty"`
	// Windows, Broken and First are those of a threshold over windows.
	Windows int           `json:"windows,omitempty"`
	Broken  int           `json:"broken,omitempty"`
	First   time.Duration `json:"first_ns,omitempty"` // the start of the first broken window
	// Note says that the load was scaled, if that may be why the threshold is broken, and how many
	// requests were interrupted, if the threshold does not count them.
	Note string `json:"note,omitempty"`
	// Error says why the threshold could not be evaluated.
	Error string `json:"error,omitempty"`
	// Levels are where the threshold lies in the charts of the report, and Spans its broken windows, those that touch as one,
	// at most 100.
	Levels []Level `json:"levels,omitempty"`
	Spans  []Span  `json:"spans,omitempty"`
}

// A Level is a value of a chart: a response time in seconds ("response"), a share of errors from 0 to 1 ("errors"), or a rate
// per second ("rate").
type Level struct {
	Of    string  `json:"of"`
	Value float64 `json:"value"`
}

// A Span is a stretch of a run.
type Span struct {
	From time.Duration `json:"from_ns"`
	To   time.Duration `json:"to_ns"`
}

// String says in a line how the threshold came out.
func (v Verdict) String() string {
	switch {
	case v.Error != "":
		return fmt.Sprintf("%s cannot be evaluated: %s", v.Threshold, v.Error)
	case v.Pass:
		return fmt.Sprintf("%s kept: %s", v.Threshold, v.detail())
	}
	return fmt.Sprintf("%s broken: %s", v.Threshold, v.detail())
}

func (v Verdict) found() string {
	switch {
	case v.Windows == 1 && v.Broken == 1:
		return fmt.Sprintf("%s in the only window, from %v", v.Actual, v.First)
	case v.Windows == 1:
		return v.Actual + " in the only window"
	case v.Windows > 0 && v.Broken > 0:
		return fmt.Sprintf("%d of %d windows, the first from %v, the worst at %s", v.Broken, v.Windows, v.First, v.Actual)
	case v.Windows > 0:
		return fmt.Sprintf("%s in the worst of %d windows", v.Actual, v.Windows)
	}
	return v.Actual
}

func (v Verdict) detail() string {
	if v.Note == "" {
		return v.found()
	}
	return v.found() + "; " + v.Note
}
