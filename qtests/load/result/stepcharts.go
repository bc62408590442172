package result

import (
	"slices"

	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// maxStepCurves is how many steps the chart shows: those with most requests.
const maxStepCurves = 8

// stepChart shows the mean response time of each step.
func (r *Result) stepChart() report.Chart {
	c := report.Chart{Title: "Mean response time by step", Unit: report.Seconds}
	steps := slices.DeleteFunc(slices.Clone(r.Steps), func(s StepResult) bool { return len(s.Curve) == 0 })
	if len(r.Steps) < 2 {
		return c
	}
	slices.SortStableFunc(steps, func(a, b StepResult) int { return int(b.Finished - a.Finished) })
	if len(steps) > maxStepCurves {
		c.Note = "the " + text.Plural(maxStepCurves, "step") + " with most requests"
	}
	for i, s := range steps[:min(len(steps), maxStepCurves)] {
		line := report.Series{Name: s.Name, Width: s.Interval.Seconds(), Color: i}
		for _, p := range s.Curve {
			var v *report.Value
			if p.Finished > 0 {
				x := report.Value(p.Sum.Seconds() / float64(p.Finished))
				v = &x
			}
			line.Values = append(line.Values, v)
		}
		c.Series = append(c.Series, line)
	}
	return c
}

// heatChart shows how the response times were spread at each time.
func (r *Result) heatChart() report.Chart {
	c := report.Chart{Title: "Response times, each", Unit: report.Seconds}
	if len(r.Heat.Counts) == 0 || len(r.Heat.Tops) < 2 {
		return c
	}
	c.Heat = &report.Heat{Width: r.Heat.Width.Seconds(), Counts: r.Heat.Counts}
	for _, top := range r.Heat.Tops {
		c.Heat.Tops = append(c.Heat.Tops, report.Value(top.Seconds()))
	}
	return c
}
