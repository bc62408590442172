package load

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// confidence is the z of the intervals of Compare: 99.7 %, three standard
// errors. Under a fake clock there is no noise but that of the seed.
const confidence = 3

// A Difference is one figure of two results.
type Difference struct {
	Metric string // as in a threshold: "p(99)", "errors", "step(a).p(95)"
	Before string // as text
	After  string
	Change float64 // After/Before - 1; infinite when Before is zero
	// Significant says that the difference is larger than the noise of both.
	Significant bool
	// Worse says that it is a change for the worse.
	Worse bool
}

// A Comparison is what differs between two results.
type Comparison struct{ Differences []Difference }

// Compare compares two results figure by figure, over the run and over the steps
// that both have. A difference is significant when the confidence intervals (99.7 %) of
// the figures do not overlap: for percentiles the interval of order statistics
// (binomial, normal approximation), for shares that of Wilson, for means that of
// the normal distribution with the spread of the histogram.
func Compare(before, after *Result) Comparison {
	var c Comparison
	c.times("", &before.Response, &after.Response)
	c.share("errors", before.Errors, before.Finished, after.Errors, after.Finished)
	c.share("dropped", before.Dropped, before.Scheduled, after.Dropped, after.Scheduled)
	for i := range before.Steps {
		b := &before.Steps[i]
		a, ok := after.Step(b.Name)
		if !ok || len(before.Steps) == 1 {
			continue
		}
		prefix := "step(" + b.Name + ")."
		c.times(prefix, &b.Response, &a.Response)
		c.share(prefix+"errors", b.Errors, b.Finished, a.Errors, a.Finished)
	}
	return c
}

// Significant returns the differences that exceed the noise.
func (c Comparison) Significant() []Difference {
	var out []Difference
	for _, d := range c.Differences {
		if d.Significant {
			out = append(out, d)
		}
	}
	return out
}

// Regressions returns the significant differences for the worse.
func (c Comparison) Regressions() []Difference {
	var out []Difference
	for _, d := range c.Significant() {
		if d.Worse {
			out = append(out, d)
		}
	}
	return out
}

// String is a table; significant differences have a sign in front of them.
func (c Comparison) String() string {
	rows := [][]string{{"", "metric", "before", "after", "change"}}
	for _, d := range c.Differences {
		sign := " "
		if d.Significant {
			sign = map[bool]string{true: "✗", false: "✓"}[d.Worse]
		}
		change := "same"
		if d.Before != d.After {
			change = fmt.Sprintf("%+.1f%%", 100*d.Change)
		}
		rows = append(rows, []string{sign, d.Metric, d.Before, d.After, change})
	}
	var b strings.Builder
	table(&b, rows)
	return b.String()
}

func (c *Comparison) times(prefix string, before, after *Histogram) {
	if before.Count() == 0 || after.Count() == 0 {
		return
	}
	add := func(metric string, x, y time.Duration, apart bool) {
		c.Differences = append(c.Differences, Difference{
			Metric: prefix + metric, Before: short(x), After: short(y), Change: float64(y)/float64(x) - 1,
			Significant: apart, Worse: y > x,
		})
	}
	for _, p := range []float64{50, 95, 99} {
		lowX, highX := before.interval(p)
		lowY, highY := after.interval(p)
		add(fmt.Sprintf("p(%v)", p), before.Percentile(p), after.Percentile(p), highX < lowY || highY < lowX)
	}
	x, y := before.Mean(), after.Mean()
	add("avg", x, y, math.Abs(float64(y-x)) > float64(confidence)*math.Hypot(before.standardError(), after.standardError()) && x != y)
}

func (c *Comparison) share(metric string, x, ofX, y, ofY int64) {
	if ofX == 0 || ofY == 0 {
		return
	}
	lowX, highX := wilson(x, ofX)
	lowY, highY := wilson(y, ofY)
	before, after := float64(x)/float64(ofX), float64(y)/float64(ofY)
	c.Differences = append(c.Differences, Difference{
		Metric: metric, Before: fmt.Sprintf("%.4g%%", 100*before), After: fmt.Sprintf("%.4g%%", 100*after),
		Change: after/before - 1, Significant: highX < lowY || highY < lowX, Worse: after > before,
	})
}

// interval is the confidence interval of a percentile: the values at the ranks
// n·q ± z·sqrt(n·q·(1-q)).
func (h *Histogram) interval(p float64) (low, high time.Duration) {
	n, q := float64(h.total), p/100
	spread := confidence * math.Sqrt(n*q*(1-q))
	return h.Percentile(100 * (n*q - spread) / n), h.Percentile(100 * (n*q + spread + 1) / n)
}

// standardError is that of the mean, in nanoseconds.
func (h *Histogram) standardError() float64 {
	if h.total < 2 {
		return math.Inf(1)
	}
	mean, sum := float64(h.sum)/float64(h.total), 0.0
	for b, n := range h.counts {
		if n > 0 {
			d := float64(lowestOf(b)+uint64(h.tops[b])) - mean
			sum += float64(n) * d * d
		}
	}
	return 1000 * math.Sqrt(sum/float64(h.total-1)/float64(h.total))
}

// wilson is the score interval of a share (Wilson, 1927).
func wilson(x, of int64) (low, high float64) {
	n, p, z := float64(of), float64(x)/float64(of), float64(confidence)
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return middle - half, middle + half
}
