package result

import (
	"time"

	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

func (r *Result) charts(end time.Duration) []report.Chart {
	charts := []report.Chart{r.rateChart(), r.latencyChart()}
	if c := r.heatChart(); c.Heat != nil {
		charts = append(charts, c)
	}
	if c := r.stepChart(); len(c.Series) > 0 {
		charts = append(charts, c)
	}
	charts = append(append(charts, r.errorChart(), r.poolChart()), r.panelCharts()...)
	if c := r.laneChart("Breakers", "breaker", end); len(c.Lanes) > 0 {
		charts = append(charts, c)
	}
	if c := r.laneChart("Alerts", "alert", end); len(c.Lanes) > 0 {
		charts = append(charts, c)
	}
	return append(charts, r.sectionCharts()...)
}

// line makes a line of the chart from a value of the timeline. A negative value is a gap.
func (r *Result) line(name string, color int, value func(*Point) float64) report.Series {
	s := report.Series{Name: name, Color: color, Width: r.Interval.Seconds()}
	for i := range r.Timeline {
		var v *report.Value
		if x := report.Value(value(&r.Timeline[i])); x >= 0 {
			v = &x
		}
		s.Values = append(s.Values, v)
	}
	return s
}

func (r *Result) rateChart() report.Chart {
	width := r.Interval.Seconds()
	due := r.line("due", 0, func(p *Point) float64 { return float64(p.Arrivals) / width })
	due.Area = true
	c := report.Chart{Title: "Rate", Unit: report.Rate, Note: "intervals of " + r.Interval.String(), Series: []report.Series{
		due, r.line("finished", 4, func(p *Point) float64 { return float64(p.Finished) / width })}}
	c.Limits = r.limits("rate")
	c.Series = append(c.Series, r.before("finished before", func(s *Summary) []float32 { return s.Rate })...)
	if r.Retries > 0 {
		c.Series = append(c.Series, r.line("retries", 1, func(p *Point) float64 { return float64(p.Retries) / width }))
	}
	return c
}

func (r *Result) latencyChart() report.Chart {
	gap := func(p *Point, d time.Duration) float64 {
		if p.Finished == 0 {
			return -1
		}
		return d.Seconds()
	}
	median, top := r.Response.Percentile(50), r.Response.Max()
	c := report.Chart{
		Title: "Response time", Unit: report.Seconds, Log: median > 0 && top > 50*median, Limits: r.limits("response"),
		Series: []report.Series{
			r.line("p50", 0, func(p *Point) float64 { return gap(p, p.P50) }),
			r.line("p95", 1, func(p *Point) float64 { return gap(p, p.P95) }),
			r.line("p99", 2, func(p *Point) float64 { return gap(p, p.P99) }),
			r.line("max", 6, func(p *Point) float64 { return gap(p, p.Max) }),
		},
	}
	c.Series = append(c.Series, r.before("p99 before", func(s *Summary) []float32 { return s.P99 })...)
	return c
}

// before is a curve of the baseline, if there is one.
func (r *Result) before(name string, of func(s *Summary) []float32) []report.Series {
	if r.Baseline == nil {
		return nil
	}
	line := report.Series{Name: name, Width: r.Baseline.Interval.Seconds(), Dashed: true, Color: 6}
	for _, x := range of(r.Baseline) {
		var v *report.Value
		if x > 0 {
			value := report.Value(x)
			v = &value
		}
		line.Values = append(line.Values, v)
	}
	return []report.Series{line}
}

// errorChart shows errors as a share of the requests that ended, and what did not end as a share of what was due.
func (r *Result) errorChart() report.Chart {
	share := func(n, of int64) float64 {
		if of == 0 {
			return -1
		}
		return float64(n) / float64(of)
	}
	errs := r.line("errors", 3, func(p *Point) float64 { return share(p.Errors, p.Finished) })
	errs.Area = true
	c := report.Chart{Title: "Errors", Unit: report.Share, Note: "of the requests that ended in an interval", Series: []report.Series{errs}, Limits: r.limits("errors")}
	if r.Dropped > 0 {
		c.Series = append(c.Series, r.line("dropped", 5, func(p *Point) float64 { return share(p.Dropped, p.Arrivals) }))
	}
	if r.Interrupted > 0 {
		c.Series = append(c.Series, r.line("interrupted", 6, func(p *Point) float64 { return share(p.Interrupted, p.Finished+p.Interrupted) }))
	}
	return c
}

// limits are the thresholds that lie in a chart.
func (r *Result) limits(of string) (all []report.Limit) {
	for _, v := range r.Thresholds {
		tone := "good"
		if !v.Pass {
			tone = "bad"
		}
		for _, l := range v.Levels {
			if l.Of == of {
				all = append(all, report.Limit{Value: report.Value(l.Value), Text: text.Clip(v.Threshold, 60), Tone: tone})
			}
		}
	}
	return all
}

// broken are the windows in which a threshold was broken.
func (r *Result) broken() (all []report.Band) {
	for _, v := range r.Thresholds {
		for _, s := range v.Spans {
			all = append(all, report.Band{From: s.From.Seconds(), To: s.To.Seconds(), Text: "broken: " + text.Clip(v.Threshold, 60)})
		}
	}
	return all
}
