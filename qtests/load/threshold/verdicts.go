package threshold

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// Verdicts evaluates every threshold at the end of the run.
func (j *Judge) Verdicts(end time.Duration) []result.Verdict {
	out := []result.Verdict{}
	for _, g := range j.groups {
		v := j.verdictOfAll(g.parts, end)
		v.Threshold = g.text
		out = append(out, v)
	}
	return out
}

// verdictOfAll evaluates the conditions of a threshold.
func (j *Judge) verdictOfAll(conditions []*criterion, end time.Duration) result.Verdict {
	var parts []result.Verdict
	for _, c := range conditions {
		parts = append(parts, j.verdictOf(c, end))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return joined(parts, conditions)
}

// verdictOf evaluates a condition.
func (j *Judge) verdictOf(c *criterion, end time.Duration) (v result.Verdict) {
	c.over = true
	judge := c.verdict
	if c.Every > 0 {
		judge = c.verdictOfWindows
	}
	if err := judge(&v, j, end); err != nil {
		return result.Verdict{Error: err.Error()}
	}
	v.Note, v.Levels = j.note(c, v.Pass), c.levels()
	return v
}

// note says what has to be known with the verdict of a condition.
func (j *Judge) note(c *criterion, pass bool) string {
	var notes []string
	if !pass && j.scale != "" && (c.Own != "" || slices.Contains(loaded, c.Metric)) {
		notes = append(notes, j.scale)
	}
	if n, of := c.leftOut(j.rec); n > 0 && pass && !j.aborted { // an abort interrupts what is under way
		notes = append(notes, fmt.Sprintf("%s of %s were interrupted, and are not counted", text.Grouped(n), text.Plural(of, "request")))
	}
	return strings.Join(notes, "; ")
}

// levels are where a threshold on the whole run lies in the charts of the report.
func (t Threshold) levels() []result.Level {
	whole := t.Step+t.Tag+t.Check+t.Own == "" && !t.Service && !t.Late
	switch {
	case !whole:
	case metrics[t.Metric].isTime():
		return []result.Level{{Of: "response", Value: t.Value}}
	case t.Metric == "errors" && t.Unit == Percent:
		return []result.Level{{Of: "errors", Value: t.Value / 100}}
	case (t.Metric == "rate" || t.Metric == "goodput") && t.Unit == PerSecond:
		return []result.Level{{Of: "rate", Value: t.Value}}
	}
	return nil
}

// loaded are the metrics that grow with the load.
var loaded = []string{"rate", "goodput", "count", "requests", "in_flight"}

// uncounted are the metrics in which an interrupted request is missing.
var uncounted = []string{"avg", "min", "max", "med", "p", "count", "requests", "rate", "goodput", "errors", "timeouts"}

// leftOut returns how many requests were interrupted, of how many, and so are in no count of those that
// ended. The count of a tag does not know them all.
func (c *criterion) leftOut(rec *record.Recorder) (n, of int64) {
	if c.Own != "" || c.Late || !slices.Contains(uncounted, c.Metric) {
		return 0, 0
	}
	t := c.find(rec)
	if t == nil || t.Part {
		return 0, 0
	}
	n = c.interrupted(rec, t)
	return n, t.Finished + n
}

// joined is the verdict of several conditions: kept if all are, and unknown if one is.
func joined(parts []result.Verdict, conditions []*criterion) (v result.Verdict) {
	var errs, found, notes []string
	v.Pass = true
	for i, p := range parts {
		name := conditions[i].name()
		v.Pass = v.Pass && p.Pass
		v.Levels, v.Spans = append(v.Levels, p.Levels...), append(v.Spans, p.Spans...)
		if p.Error != "" {
			errs = append(errs, name+": "+p.Error)
			continue
		}
		if p.Note != "" && !slices.Contains(notes, p.Note) {
			notes = append(notes, p.Note)
		}
		p.Threshold, p.Note = name, ""
		found = append(found, p.String())
	}
	v.Actual, v.Note, v.Error = strings.Join(found, ", "), strings.Join(notes, "; "), strings.Join(errs, "; ")
	return v
}
