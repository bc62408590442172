package result

import (
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/report"
)

// poolChart shows how many resources of every pool are in use, its limit, and how many requests wait.
// Idle resources and those under construction would only repeat the picture.
func (r *Result) poolChart() report.Chart {
	c := report.Chart{Title: "Requests in flight and pools", Unit: report.Number}
	inFlight := r.line("in flight", 6, func(p *Point) float64 { return float64(p.InFlight) })
	inFlight.Area = true
	c.Series = append(c.Series, inFlight)
	colors := map[string]int{}
	for _, s := range r.Series {
		line := report.Series{Name: s.poolLine(), Dashed: s.Metric == "pool_max_resources", Width: r.Interval.Seconds()}
		if line.Name == "" {
			continue
		}
		if _, ok := colors[line.Name]; !ok {
			colors[line.Name] = len(colors)
		}
		line.Color = []int{0, 1, 2, 4, 5, 7}[len(colors)%6]
		for i := range s.Values {
			v := report.Value(s.Values[i])
			line.Values = append(line.Values, &v)
		}
		c.Series = append(c.Series, line)
	}
	return c
}

// poolLine is the name of the line of a series in the chart of pools, or "" where it has none.
func (s *Series) poolLine() string {
	pool, state, _ := strings.Cut(s.Labels, " ")
	switch {
	case s.Metric == "pool_resources" && state == "in_use":
		return pool + " in use"
	case s.Metric == "pool_max_resources":
		return pool + " limit"
	case s.Metric == "pool_waiters" && slices.ContainsFunc(s.Values, func(x float64) bool { return x > 0 }):
		return pool + " waiting"
	}
	return ""
}

// laneChart shows the states of breakers or alerts. It takes them from the marks of their transitions,
// "from → to: reason", because the instants of marks are exact and those of scrapes are not.
func (r *Result) laneChart(title, kind string, end time.Duration) report.Chart {
	c := report.Chart{Title: title}
	lanes := map[string]int{}
	for _, m := range r.Marks {
		from, to, ok := strings.Cut(m.Text, " → ")
		if m.kind() != kind || !ok {
			continue
		}
		to, _, _ = strings.Cut(to, ":")
		name := strings.TrimPrefix(m.Source, kind+" ")
		i, known := lanes[name]
		if !known {
			i = len(c.Lanes)
			lanes[name] = i
			c.Lanes = append(c.Lanes, report.Lane{Name: name, Spans: []report.Phase{{State: from, Tone: tone(from)}}})
		}
		spans := c.Lanes[i].Spans
		spans[len(spans)-1].To = m.Offset.Seconds()
		c.Lanes[i].Spans = append(spans, report.Phase{From: m.Offset.Seconds(), State: to, Tone: tone(to)})
	}
	for i := range c.Lanes {
		spans := c.Lanes[i].Spans
		spans[len(spans)-1].To = end.Seconds()
	}
	return c
}

// bands are the times in which events lasted, from the marks of their begin and end. An event that never
// ends lasts to the end of the axis. If several events have one name, the marks do not say which of them
// ends. The one that began first is taken: how many of them last at an instant does not depend on that.
func (r *Result) bands(end time.Duration) []report.Band {
	var bands []report.Band
	lasting := map[string][]int{} // by name, the bands without an end
	for _, m := range r.Marks {
		if m.Source != "event" || m.Offset >= end {
			continue
		}
		if name, ok := strings.CutSuffix(m.Text, ": begins"); ok {
			lasting[name] = append(lasting[name], len(bands))
			bands = append(bands, report.Band{From: m.Offset.Seconds(), To: end.Seconds(), Text: name})
		} else if name, ok := strings.CutSuffix(strings.TrimSuffix(m.Text, " early"), ": ends"); ok {
			if i := lasting[name]; len(i) > 0 {
				bands[i[0]].To = m.Offset.Seconds()
				lasting[name] = i[1:]
			}
		}
	}
	return bands
}
