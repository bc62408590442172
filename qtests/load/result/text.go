package result

import (
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// maxShown is how many steps, kinds of errors and marks the text shows; the
// JSON and the report have all.
const maxShown = 12

// String is the summary of the run for people: a few lines of figures, then steps, errors, thresholds
// and what happened when. Under a fake clock it is the same, byte for byte, for the same seed.
func (r *Result) String() string {
	var b strings.Builder
	r.headline(&b)
	r.numbers(&b)
	r.stepTable(&b)
	r.errorTable(&b)
	r.checkLines(&b)
	r.metricLines(&b)
	r.thresholdLines(&b)
	r.sectionLines(&b)
	r.markLines(&b)
	if r.Order != "" {
		fmt.Fprintf(&b, "  order       %s\n", r.Order)
	}
	if r.Repeat != "" {
		fmt.Fprintf(&b, "  repeat      %s\n", r.Repeat)
	}
	return b.String()
}

func (r *Result) headline(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %s\n  %s, seed %d", r.Scenario, r.verdict(), r.Profile, r.Seed)
	if r.Scale != 1 {
		fmt.Fprintf(b, ", scale %s", text.Number(r.Scale))
	}
	b.WriteString("\n\n")
	if r.Halted != "" {
		fmt.Fprintf(b, "  ended       at %v: %s\n", text.Short(r.EndedAt()), r.Halted)
	}
	if r.LogLost != "" {
		fmt.Fprintf(b, "  log         not written to its end: %s\n", r.LogLost)
	}
	if r.Warning != "" {
		fmt.Fprintf(b, "  warning     %s\n", r.Warning)
	}
}

func (r *Result) numbers(b *strings.Builder) {
	fmt.Fprintf(b, "  requests    %s in %v, %s", text.Grouped(r.Finished), text.Short(r.Elapsed), text.Rate(r.Rate()))
	for _, c := range []struct {
		n    int64
		what string
	}{{r.Dropped, "dropped"}, {r.Interrupted, "interrupted"}, {r.Retries, "retries"}, {r.RetriesDenied, "retries denied"}} {
		if c.n > 0 {
			fmt.Fprintf(b, ", %s %s", text.Grouped(c.n), c.what)
		}
	}
	fmt.Fprintf(b, "\n  errors      %s (%.4g%%)\n", text.Grouped(r.Errors), 100*r.ErrorRate())
	fmt.Fprintf(b, "  response    %s\n", percentiles(&r.Response))
	if r.Service.Percentile(99) != r.Response.Percentile(99) || r.Service.sum != r.Response.sum {
		fmt.Fprintf(b, "  service     %s\n", percentiles(&r.Service))
	}
	fmt.Fprintf(b, "  in flight   %s\n", r.inFlight())
	if len(r.Timeline) > 1 {
		fmt.Fprintf(b, "  arrivals    %s\n", r.spark(func(p *Point) float64 { return float64(p.Arrivals) }))
		fmt.Fprintf(b, "  p99         %s\n", r.spark(func(p *Point) float64 { return float64(p.P99) }))
		if r.Errors > 0 {
			fmt.Fprintf(b, "  errors      %s\n", r.spark(func(p *Point) float64 { return float64(p.Errors) }))
		}
	}
}

// inFlight says how many requests were under way. A mean near zero says nothing.
func (r *Result) inFlight() string {
	if r.MeanInFlight < 0.01 {
		return "at most " + text.Grouped(r.MaxInFlight)
	}
	return fmt.Sprintf("mean %s, at most %s", text.Significant(r.MeanInFlight), text.Grouped(r.MaxInFlight))
}

func percentiles(h *Histogram) string {
	if h.Count() == 0 {
		return "no request ended"
	}
	return fmt.Sprintf("p50 %v  p90 %v  p95 %v  p99 %v  p99.9 %v  max %v  mean %v",
		text.Short(h.Percentile(50)), text.Short(h.Percentile(90)), text.Short(h.Percentile(95)),
		text.Short(h.Percentile(99)), text.Short(h.Percentile(99.9)), text.Short(h.Max()), text.Short(h.Mean()))
}

func (r *Result) stepTable(b *strings.Builder) {
	if len(r.Steps) < 2 && len(r.Tags) == 0 {
		return
	}
	rows := [][]string{{"step", "requests", "errors", "p50", "p95", "p99", "max"}}
	shown := append(append([]StepResult{}, r.Steps...), r.Tags...)
	hidden := max(len(shown)-maxShown, 0)
	for i, s := range shown[:len(shown)-hidden] {
		name := s.Name
		if s.Part {
			name = "└ " + name
		} else if i >= len(r.Steps) {
			name = "tag " + name
		}
		rows = append(rows, []string{name, text.Grouped(s.Finished), text.Grouped(s.Errors), text.Short(s.Response.Percentile(50)),
			text.Short(s.Response.Percentile(95)), text.Short(s.Response.Percentile(99)), text.Short(s.Response.Max())})
	}
	b.WriteByte('\n')
	text.Table(b, rows)
	if hidden > 0 {
		fmt.Fprintf(b, "  … and %d more\n", hidden)
	}
}

func (r *Result) errorTable(b *strings.Builder) {
	if len(r.ErrorKinds) == 0 {
		return
	}
	rows := [][]string{{"error", "count", "first at", "in step"}}
	hidden := max(len(r.ErrorKinds)-maxShown, 0)
	kinds := distinct(r.ErrorKinds, 60)
	for i, e := range r.ErrorKinds[:len(r.ErrorKinds)-hidden] {
		rows = append(rows, []string{kinds[i], text.Grouped(e.Count), text.Short(e.First), text.Clip(e.Step, 30)})
	}
	b.WriteByte('\n')
	text.Table(b, rows)
	if hidden > 0 {
		fmt.Fprintf(b, "  … and %d more\n", hidden)
	}
}

// distinct clips the kinds to n bytes. Of kinds that begin with the same n bytes or so it shows the first 20,
// and then the place where they differ.
func distinct(kinds []ErrorCount, n int) []string {
	out := make([]string, len(kinds))
	for i, e := range kinds {
		same := 0
		for k, other := range kinds {
			if k != i {
				same = max(same, commonPrefix(e.Kind, other.Kind))
			}
		}
		out[i] = text.Clip(e.Kind, n)
		const head, before = 20, 16
		if len(e.Kind) > n && same > n-before {
			out[i] = strings.ToValidUTF8(e.Kind[:head], "") + "…" + text.Clip(strings.ToValidUTF8(e.Kind[same-before:], ""), n-head)
		}
	}
	return out
}

func commonPrefix(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func (r *Result) checkLines(b *strings.Builder) {
	for i, c := range r.Checks {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "  check %s: %s of %s\n", c.Name, text.Grouped(c.Passed), text.Grouped(c.Total))
	}
}

func (r *Result) metricLines(b *strings.Builder) {
	for i, m := range r.Metrics {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "  metric %s: %s\n", m.Name, m.describe(r.Length()))
	}
}

func (r *Result) thresholdLines(b *strings.Builder) {
	for i, v := range r.Thresholds {
		if i == 0 {
			b.WriteByte('\n')
		}
		sign := "✓"
		if !v.Pass {
			sign = "✗"
		}
		detail := v.detail()
		if v.Error != "" {
			detail = v.Error
		}
		fmt.Fprintf(b, "  %s %s  (%s)\n", sign, v.Threshold, detail)
	}
}

func (r *Result) markLines(b *strings.Builder) {
	if r.MarksDropped > 0 {
		defer fmt.Fprintf(b, "  %s\n\n", r.droppedMarks())
	}
	if len(r.Marks) == 0 {
		b.WriteByte('\n')
		return
	}
	rows := [][]string{{"at", "", ""}}
	first, hidden := headAndTail(len(r.Marks), 2*maxShown)
	for i, m := range r.Marks {
		switch {
		case i < first || i >= first+hidden:
			rows = append(rows, []string{text.Short(m.Offset), m.Source, text.Clip(m.Text, 70)})
		case i == first:
			rows = append(rows, []string{"…", "", fmt.Sprintf("%d more", hidden)})
		}
	}
	b.WriteByte('\n')
	text.Table(b, rows)
	b.WriteByte('\n')
}

// headAndTail returns how many of n rows are shown before a gap, and how many rows the gap hides, if
// there is room for a number of rows. The rows after the gap are shown, too: a story needs its end.
func headAndTail(n, room int) (first, hidden int) {
	if n <= room {
		return n, 0
	}
	return room / 2, n - room
}

// sparkWidth is how many characters a spark line has at most.
const sparkWidth = 60

// spark draws a value over the run in columns: each shows the largest value of its intervals, and a blank
// shows zero.
func (r *Result) spark(value func(*Point) float64) string {
	n := min(len(r.Timeline), sparkWidth)
	columns := make([]float64, n)
	top := 0.0
	for i := range r.Timeline {
		x := value(&r.Timeline[i])
		c := i * n / len(r.Timeline)
		columns[c] = max(columns[c], x)
		top = max(top, x)
	}
	bars := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, x := range columns {
		switch {
		case x == 0:
			b.WriteRune(' ')
		default:
			b.WriteRune(bars[min(int(x/top*float64(len(bars))), len(bars)-1)])
		}
	}
	return strings.TrimRight(b.String(), " ")
}
