package result

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/tb"
)

// SaveHTML writes the report into the directory for artifacts of t and returns its path. go test
// -artifacts keeps that directory; otherwise it is removed when the test has ended. The report is one
// file that asks no network for anything. An error of the file system fails t.
//
// The file is load-<scenario>.html. In the name, letters and digits of any script, - and _ stay and
// everything else becomes -, and a name over 100 bytes is cut. Nothing is overwritten: if there is a
// file of that name, the report is load-<scenario>-2.html, or -3 and so on.
func (r *Result) SaveHTML(t tb.TB) string {
	t.Helper()
	file, err := createNew(filepath.Join(tb.ArtifactDirOf(t), "load-"+fileName(r.Scenario)), ".html")
	if err == nil {
		err = r.WriteHTML(file)
		if closing := file.Close(); err == nil {
			err = closing
		}
	}
	if err != nil {
		tb.Fatalf(t, "load: report: %v", err)
	}
	return file.Name()
}

// maxReports bounds how many reports of one name are told apart by a number.
const maxReports = 10_000

// createNew creates a file that is not there yet.
func createNew(path, extension string) (*os.File, error) {
	name := path + extension
	for n := 2; ; n++ {
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) || n > maxReports {
			return file, err
		}
		name = fmt.Sprintf("%s-%d%s", path, n, extension)
	}
}

func fileName(name string) string {
	safe := strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsMark(c) || unicode.IsDigit(c) || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, name)
	cut := min(len(safe), 100)
	for cut < len(safe) && !utf8.RuneStart(safe[cut]) {
		cut--
	}
	return safe[:cut]
}

// WriteHTML writes the report. Under a fake clock it is the same, byte for byte, for
// the same seed.
func (r *Result) WriteHTML(w io.Writer) error { return r.page().Write(w) }

func (r *Result) page() report.Page {
	end := max(r.Elapsed, r.Duration, time.Millisecond)
	if r.Halted != "" {
		end = max(r.Elapsed, time.Millisecond)
	}
	p := report.Page{
		Title: r.Scenario, Subtitle: r.Profile, Verdict: r.verdict(), Tone: r.tone(),
		Span: end.Seconds(), Facts: r.facts(), Charts: r.charts(end), Bands: r.bands(end), Tables: r.tables(),
	}
	for _, m := range r.Marks {
		p.Marks = append(p.Marks, report.Mark{At: m.Offset.Seconds(), When: m.Offset.String(), Kind: m.kind(), Who: m.Source, Text: m.Text})
	}
	p.Footer = append(p.Footer, fmt.Sprintf("seed %d, scale %s, start %s", r.Seed, text.Number(r.Scale), r.Start.Format(time.RFC3339)))
	if r.Monitored != nil {
		p.Footer = append(p.Footer, "The panels are those of monitor.Config.Panels. A query box is in the live page, dashboard.Handler; after a run, Monitor.QueryRange answers.")
	}
	if r.MarksDropped > 0 {
		p.Footer = append(p.Footer, "Of what happened, "+r.droppedMarks()+".")
	}
	if r.LogLost != "" {
		p.Footer = append(p.Footer, "The request log was not written to its end: "+r.LogLost)
	}
	if r.Warning != "" {
		p.Footer = append(p.Footer, "Warning: "+r.Warning)
	}
	if r.Order != "" {
		p.Footer = append(p.Footer, "Order: "+r.Order)
	}
	if r.Repeat != "" {
		p.Footer = append(p.Footer, "Repeat with: "+r.Repeat)
	}
	return p
}

// kind is the first word of the source.
func (m Mark) kind() string {
	word, _, _ := strings.Cut(m.Source, " ")
	if word == "event" || word == "breaker" || word == "alert" {
		return word
	}
	return "other"
}

func (r *Result) facts() []report.Fact {
	return []report.Fact{
		{Label: "Requests", Value: text.Grouped(r.Finished), Note: "in " + text.Short(r.Elapsed)},
		{Label: "Rate", Value: text.Significant(r.Rate()) + "/s", Note: text.Significant(r.Goodput()) + "/s without error"},
		{Label: "Response p50", Value: text.Short(r.Response.Percentile(50)), Note: "p95 " + text.Short(r.Response.Percentile(95))},
		{Label: "Response p99", Value: text.Short(r.Response.Percentile(99)), Note: "max " + text.Short(r.Response.Max())},
		{Label: "Errors", Value: fmt.Sprintf("%.3g%%", 100*r.ErrorRate()), Note: text.Grouped(r.Errors) + " requests"},
		{Label: "In flight", Value: text.Significant(r.MeanInFlight), Note: "at most " + text.Grouped(r.MaxInFlight)},
	}
}

func (r *Result) charts(end time.Duration) []report.Chart {
	charts := []report.Chart{r.rateChart(), r.latencyChart(), r.errorChart()}
	if c := r.poolChart(); len(c.Series) > 0 {
		charts = append(charts, c)
	}
	charts = append(charts, r.panelCharts()...)
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
	return report.Chart{
		Title: "Response time", Unit: report.Seconds, Log: median > 0 && top > 50*median,
		Series: []report.Series{
			r.line("p50", 0, func(p *Point) float64 { return gap(p, p.P50) }),
			r.line("p95", 1, func(p *Point) float64 { return gap(p, p.P95) }),
			r.line("p99", 2, func(p *Point) float64 { return gap(p, p.P99) }),
			r.line("max", 6, func(p *Point) float64 { return gap(p, p.Max) }),
		},
	}
}

func (r *Result) errorChart() report.Chart {
	width := r.Interval.Seconds()
	errs := r.line("errors", 3, func(p *Point) float64 { return float64(p.Errors) / width })
	errs.Area = true
	c := report.Chart{Title: "Errors", Unit: report.Rate, Series: []report.Series{errs}}
	if r.Dropped > 0 {
		c.Series = append(c.Series, r.line("dropped", 5, func(p *Point) float64 { return float64(p.Dropped) / width }))
	}
	if r.Interrupted > 0 {
		c.Series = append(c.Series, r.line("interrupted", 6, func(p *Point) float64 { return float64(p.Interrupted) / width }))
	}
	return c
}

// poolChart shows how many resources of every pool are in use, its limit, and how many requests wait.
// Idle resources and those under construction would only repeat the picture.
func (r *Result) poolChart() report.Chart {
	c := report.Chart{Title: "Requests in flight and pools", Unit: report.Number}
	inFlight := r.line("in flight", 6, func(p *Point) float64 { return float64(p.InFlight) })
	inFlight.Area = true
	c.Series = append(c.Series, inFlight)
	colors := map[string]int{}
	for _, s := range r.Series {
		pool, state, _ := strings.Cut(s.Labels, " ")
		line := report.Series{Width: r.Interval.Seconds()}
		switch {
		case s.Metric == "pool_resources" && state == "in_use":
			line.Name = pool + " in use"
		case s.Metric == "pool_max_resources":
			line.Name, line.Dashed = pool+" limit", true
		case s.Metric == "pool_waiters" && slices.ContainsFunc(s.Values, func(x float64) bool { return x > 0 }):
			line.Name = pool + " waiting"
		default:
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

func tone(state string) string {
	switch strings.TrimSpace(state) {
	case "open", "firing", "forced-open":
		return "bad"
	case "half-open", "pending":
		return "warn"
	case "closed":
		return "good"
	}
	return "quiet"
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
