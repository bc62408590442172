package compare

import (
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// none is the text of a figure without samples.
const none = "none"

// A figure is what Compare compares, once.
type figure struct {
	metric        string
	before, after estimate
	noise         noise
	show          func(float64) string
	lower         bool // is worse
	// absentBefore and absentAfter say that only the other side has requests. dead says that this is
	// significant however many they are.
	absentBefore, absentAfter, dead bool
	// chance says that the difference may be chance although its interval says otherwise.
	chance bool
}

// A comparer collects the figures of two results.
type comparer struct {
	before, after *result.Result
	paired        bool
	figures       []*figure
	worst         noise // of all figures of the run
	restless      bool  // a figure's noise could not be measured
}

func (c *comparer) add(f figure) *figure {
	c.figures = append(c.figures, &f)
	return &f
}

// judge compares every figure with its share of the error.
func (c *comparer) judge() []Difference {
	var out []Difference
	tail := falseAlarm / 2 / float64(max(len(c.figures), 1))
	for _, f := range c.figures {
		x, y := f.before.value, f.after.value
		d := Difference{Metric: f.metric, Before: f.show(x), After: f.show(y), Worse: y != x && (y > x) != f.lower}
		switch {
		case f.absentBefore || f.absentAfter:
			d.Significant, d.Worse = f.dead, f.absentAfter
			if d.After = none; f.absentBefore {
				d.Before, d.After = none, f.show(y)
			}
			out = append(out, d)
			continue
		case x == 0 && y != 0:
			d.Change = math.Inf(1)
		case x != 0:
			d.Change = y/x - 1
		}
		d.Significant, d.Undecided = apart(f.before, f.after, f.noise.inflation, f.noise.z(tail))
		d.Significant = d.Significant && !f.chance
		out = append(out, d)
	}
	return out
}

// noise measures the noise of a figure of the run. of returns the deviations of the figure in a result. The
// noise of the difference counts, of both runs together: a run that was calm by chance would make too much of
// a small difference. A difference that never settles, for example because the system is overloaded after the
// change, tells no noise. Then the noise of the reference counts, with standard errors twice as large.
func (c *comparer) noise(of func(*result.Result) series) noise {
	x, y := of(c.before), of(c.after)
	n := x.plus(y)
	if c.paired {
		n = x.less(y).measure()
	}
	if math.IsInf(n.inflation, 1) {
		if n = x.measure(); n.freedom < 2*leastBatches-1 {
			n.inflation = math.Inf(1)
		}
		n.inflation *= 4
	}
	if n.inflation > c.worst.inflation {
		c.worst = n
	}
	c.restless = c.restless || math.IsInf(n.inflation, 1)
	return n
}

// run adds the figures of the whole run.
func (c *comparer) run() {
	c.worst = independent
	var within [len(result.Percentiles)]noise
	for i := range result.Percentiles {
		within[i] = c.noise(func(r *result.Result) series {
			return shares(r, func(p *result.Point) (x, of int64) { return p.Within[i], p.Finished })
		})
	}
	mean := c.noise(sums)
	b, a := c.before, c.after
	// A run hangs only if something was due.
	hung := b.Finished == 0 && b.Scheduled > 0 || a.Finished == 0 && a.Scheduled > 0
	c.times("", &b.Response, &a.Response, within, mean, hung)
	c.rate("rate", func(r *result.Result) int64 { return r.Finished }, func(p *result.Point) int64 { return p.Finished })
	c.rate("goodput", func(r *result.Result) int64 { return r.Finished - r.Errors }, func(p *result.Point) int64 { return p.Finished - p.Errors })
	c.share("errors", b.Errors, b.Finished, a.Errors, a.Finished, c.noise(func(r *result.Result) series {
		return shares(r, func(p *result.Point) (x, of int64) { return p.Errors, p.Finished })
	}))
	c.share("dropped", b.Dropped, b.Scheduled, a.Dropped, a.Scheduled, c.noise(func(r *result.Result) series {
		return shares(r, func(p *result.Point) (x, of int64) { return p.Dropped, p.Arrivals })
	}))
	c.share("retries", b.Retries, b.Attempts, a.Retries, a.Attempts, c.noise(func(r *result.Result) series {
		return shares(r, func(p *result.Point) (x, of int64) { return p.Retries, p.Retries + p.Started })
	}))
	c.share("timeouts", b.Timeouts, b.Attempts, a.Timeouts, a.Attempts, c.worst)
	interrupted := c.share("interrupted", b.Interrupted, b.Started, a.Interrupted, a.Started, independent)
	interrupted.chance = b.Interrupted <= 2*a.MaxInFlight && a.Interrupted <= 2*b.MaxInFlight
	c.checks()
}

func (c *comparer) checks() {
	for _, b := range c.before.Checks {
		for _, a := range c.after.Checks {
			if a.Name == b.Name {
				c.share("check("+b.Name+")", b.Passed, b.Total, a.Passed, a.Total, c.worst).lower = true
			}
		}
	}
}

// parts adds the figures of steps or tags that either result has.
func (c *comparer) parts(scope string, before, after []result.StepResult) {
	if scope == "step" && len(before) == 1 && len(after) == 1 && before[0].Name == after[0].Name {
		return // the only step is the same as the run
	}
	seen := map[string]bool{}
	for _, b := range before {
		seen[b.Name] = true
		c.part(scope, b, named(after, b.Name))
	}
	for _, a := range after {
		if !seen[a.Name] {
			c.part(scope, result.StepResult{Name: a.Name}, a)
		}
	}
}

// named returns the part of a name, an empty one if there is none.
func named(parts []result.StepResult, name string) result.StepResult {
	for _, p := range parts {
		if p.Name == name {
			return p
		}
	}
	return result.StepResult{Name: name}
}

func (c *comparer) part(scope string, b, a result.StepResult) {
	share := min(float64(b.Finished+a.Finished)/float64(max(c.before.Finished+c.after.Finished, 1)), 1)
	n := c.worst.ofPart(max(share, 1e-9))
	prefix := scope + "(" + b.Name + ")."
	// A rare tag may be missing by chance, but not a step that was begun and never ended.
	dead := b.Finished == 0 && b.Started > 0 || a.Finished == 0 && a.Started > 0
	c.times(prefix, &b.Response, &a.Response, [len(result.Percentiles)]noise{n, n, n}, n, dead)
	c.share(prefix+"errors", b.Errors, b.Finished, a.Errors, a.Finished, n)
	c.rates(prefix+"rate", b.Finished, a.Finished, n)
}

func (c *comparer) times(prefix string, before, after *result.Histogram, within [len(result.Percentiles)]noise, mean noise, dead bool) {
	if before.Count() == 0 && after.Count() == 0 {
		return
	}
	add := func(metric string, x, y estimate, n noise) {
		c.add(figure{metric: prefix + metric, before: x, after: y, noise: n, show: func(x float64) string { return text.Short(time.Duration(x)) },
			absentBefore: before.Count() == 0, absentAfter: after.Count() == 0, dead: dead})
	}
	for i, p := range result.Percentiles {
		add(fmt.Sprintf("p(%v)", p), estimatePercentile(before, p), estimatePercentile(after, p), within[i])
	}
	add("avg", estimateMean(before), estimateMean(after), mean)
}

// share adds a share, unless a side has no requests for it.
func (c *comparer) share(metric string, x, ofX, y, ofY int64, n noise) *figure {
	if ofX == 0 || ofY == 0 {
		return &figure{}
	}
	return c.add(figure{metric: metric, before: estimateShare(x, ofX), after: estimateShare(y, ofY), noise: n,
		show: func(x float64) string { return fmt.Sprintf("%.4g%%", 100*x) }})
}

// rate adds a rate of the run. count is what a point of the timeline has of it.
func (c *comparer) rate(metric string, total func(*result.Result) int64, count func(*result.Point) int64) {
	c.rates(metric, total(c.before), total(c.after), c.noise(func(r *result.Result) series { return counts(r, count) }))
}

func (c *comparer) rates(metric string, x, y int64, n noise) {
	if c.before.Length() <= 0 || c.after.Length() <= 0 {
		return
	}
	c.add(figure{metric: metric, before: estimateRate(x, c.before.Length().Seconds()), after: estimateRate(y, c.after.Length().Seconds()), noise: n,
		show: func(x float64) string { return text.Significant(x) + "/s" }, lower: true})
}

// shares is the series of a share. count returns its two numbers for a point of the timeline.
func shares(r *result.Result, count func(*result.Point) (x, of int64)) series {
	var x, of int64
	for i := range r.Timeline {
		a, b := count(&r.Timeline[i])
		x, of = x+a, of+b
	}
	p := float64(x) / float64(max(of, 1))
	s := series{off: make([]float64, len(r.Timeline)), variance: float64(of) * p * (1 - p)}
	for i := range r.Timeline {
		a, b := count(&r.Timeline[i])
		s.off[i] = float64(a) - p*float64(b)
	}
	return s
}

// sums is the series of the mean response time.
func sums(r *result.Result) series {
	mean, variance := r.Response.Moments()
	s := series{off: make([]float64, len(r.Timeline)), variance: float64(r.Response.Count()) * variance}
	for i, p := range r.Timeline {
		s.off[i] = float64(p.Sum) - mean*float64(p.Finished)
	}
	return s
}

// counts is the series of a rate. It ends with the profile, because nothing arrives in the drain.
func counts(r *result.Result, count func(*result.Point) int64) series {
	var s series
	for i := range r.Timeline {
		if p := &r.Timeline[i]; p.Offset+r.Interval <= r.Length() {
			s.off = append(s.off, float64(count(p)))
			s.variance += float64(count(p))
		}
	}
	return s
}
