package compare

import (
	"fmt"
	"math"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// falseAlarm is the share of comparisons of two runs of the same system in which any figure comes out as
// significant, at most.
const falseAlarm = 0.01

// A Difference is one figure of two results.
type Difference struct {
	Metric string // as in a threshold: "p(99)", "errors", "step(a).p(95)"
	Before string // as text; "none" where nothing was counted
	After  string
	// Change is After/Before - 1: zero when both are zero or one side has no
	// samples, and infinite when only Before is zero.
	Change float64
	// Significant says that the difference is larger than the noise of both results.
	Significant bool
	// Worse says that the figure got worse: higher, or lower for rate, goodput and checks.
	Worse bool
	// Undecided says that no difference could be significant: a side has too few requests for this
	// figure, or they depend on each other for too long.
	Undecided bool
}

// A Comparison is what differs between two results.
type Comparison struct {
	Differences []Difference
	// Notes say in what the runs are not alike, such as the profile or the scale, because a difference
	// may come from there, and what limits the comparison.
	Notes []string
}

// Results compares two results figure by figure: response times (p(50), p(95), p(99), avg), rate and
// goodput, errors, dropped, interrupted, retries and timeouts (both as a share of the attempts), every
// check, and times, errors and rate of every step, part and tag.
//
// A difference is significant if zero lies outside its confidence interval. All intervals together are at
// 99 %: of a hundred comparisons of a system with itself, under different seeds, one may report anything at
// all (Bonferroni: each of m figures is at 1 - 0.01/m). The interval of a percentile comes from order
// statistics, by exact binomial ranks; of a share, Wilson's; of a rate, the score interval of a Poisson
// count; of the mean, Student's. The interval of a difference is made of the two (Zou and Donner, 2008).
//
// Requests depend on each other: in one queue either all wait long or none does. How much they depend is
// measured from the timelines by batch means (Fishman, 1978), and the variance found widens the intervals.
// If both runs have the same profile, what they went through at the same time, such as a ramp or an outage,
// is not taken for noise. before is the reference: if its own requests show less noise than the difference of
// the two, the noise of before counts. Steps, tags, checks and timeouts have no timeline of their own. Each is
// taken to cause all the dependence that the run shows. A run of fewer than 12 intervals tells nothing about
// dependence, and its requests count as independent.
//
// To bound a percentile takes about 15 independent requests for p(50), 160 for p(95) and 800 for p(99). With
// fewer a difference is Undecided. To see a change of 20 % in the middle of a wide distribution takes some
// thousands. Two runs with one seed share a part of their noise, so that fewer differences come out as
// significant than could.
//
// If no request finished on one side, though some were due, and the other side has some, every figure of time
// is significant: a system that hangs is a regression. All interrupted requests end at one instant, the end of
// the run. They are significant only if they are also more than twice as many as the other run ever had under
// way.
//
// A regression does not fail a test by itself:
//
//	c := compare.Results(before, after)
//	if len(c.Regressions()) > 0 {
//		t.Errorf("worse than before:\n%s", c)
//	}
//
// Compare panics when a result is nil.
func Results(before, after *result.Result) Comparison {
	switch {
	case before == nil:
		panic("load: compare.Results: before is nil: there is no result to compare with")
	case after == nil:
		panic("load: compare.Results: after is nil: there is no result to compare")
	}
	c := comparer{before: before, after: after, paired: alike(before, after)}
	c.run()
	c.parts("step", before.Steps, after.Steps)
	c.parts("tag", before.Tags, after.Tags)
	return Comparison{Differences: c.judge(), Notes: c.notes()}
}

// alike reports whether the intervals of the two timelines had the same load.
func alike(x, y *result.Result) bool {
	return x.Profile == y.Profile && x.Interval == y.Interval && x.Scale == y.Scale
}

func (c *comparer) notes() []string {
	var notes []string
	for _, x := range []struct {
		what          string
		before, after any
	}{
		{"version", c.before.Version, c.after.Version}, {"scenario", quoted(c.before.Scenario), quoted(c.after.Scenario)},
		{"profile", quoted(c.before.Profile), quoted(c.after.Profile)}, {"scale", text.Number(c.before.Scale), text.Number(c.after.Scale)},
	} {
		if x.before != x.after {
			notes = append(notes, fmt.Sprintf("not alike: %s %v before, %v after", x.what, x.before, x.after))
		}
	}
	for _, x := range []struct {
		side string
		*result.Result
	}{{"before", c.before}, {"after", c.after}} {
		if x.Halted != "" {
			notes = append(notes, fmt.Sprintf("%s ended early, at %v: %s", x.side, text.Short(x.Elapsed), x.Halted))
		}
	}
	switch {
	case min(len(c.before.Timeline), len(c.after.Timeline)) < leastBatches:
		notes = append(notes, fmt.Sprintf("fewer than %d intervals: requests count as independent", leastBatches))
	case c.restless:
		notes = append(notes, "a run is too short for how long its requests depend on each other: what is marked ? cannot be told")
	}
	return notes
}

// quoted puts quotes around a text that may have commas.
func quoted(s string) string { return `"` + s + `"` }

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

// String says how many figures differ, and shows the notes and a table. The sign before a figure is ✗ if it
// is significantly worse, ✓ if it is significantly better, and ? if it is undecided. The last column says the
// same in words.
func (c Comparison) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "comparison: %s\n", c.finding())
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "  %s\n", n)
	}
	if len(c.Differences) == 0 {
		return b.String()
	}
	rows := [][]string{{"", "metric", "before", "after", "change", ""}}
	for _, d := range c.Differences {
		rows = append(rows, []string{d.sign(), d.Metric, d.Before, d.After, d.change(), d.verdict()})
	}
	text.Table(&b, rows)
	if c.undecided() > 0 {
		b.WriteString("  ?  there are too few requests, or they depend on each other for too long, to tell a difference from noise\n")
	}
	return b.String()
}

// finding counts in a sentence what differs.
func (c Comparison) finding() string {
	worse := len(c.Regressions())
	better, undecided := len(c.Significant())-worse, c.undecided()
	var found string
	switch {
	case len(c.Differences) == 0:
		return "there is nothing to compare, no request ended"
	case undecided == len(c.Differences):
		return "no difference could be told from noise"
	case worse > 0 && better > 0:
		found = fmt.Sprintf("%s worse, %s better", are(worse, " figure"), are(better, ""))
	case worse > 0:
		found = are(worse, " figure") + " worse"
	case better > 0:
		found = are(better, " figure") + " better"
	default:
		found = "nothing differs by more than the noise"
	}
	if undecided > 0 {
		found += fmt.Sprintf("; of %s, marked ?, nothing can be told", text.Plural(undecided, "figure"))
	}
	return found
}

func are(n int, what string) string {
	if n == 1 {
		return "1" + what + " is"
	}
	if what != "" {
		what += "s"
	}
	return fmt.Sprintf("%d%s are", n, what)
}

func (c Comparison) undecided() (n int) {
	for _, d := range c.Differences {
		if d.sign() == "?" {
			n++
		}
	}
	return n
}

func (d Difference) sign() string {
	switch {
	case d.Significant && d.Worse:
		return "✗"
	case d.Significant:
		return "✓"
	case d.Undecided:
		return "?"
	}
	return " "
}

// verdict is the sign in words, because a change without words looks like a finding.
func (d Difference) verdict() string {
	switch d.sign() {
	case "✗":
		return "worse"
	case "✓":
		return "better"
	case "?":
		return "cannot be told"
	}
	if d.Before == d.After {
		return ""
	}
	return "within the noise"
}

func (d Difference) change() string {
	switch {
	case d.Before == d.After:
		return "same"
	case d.Before == none || d.After == none:
		return "-"
	case math.IsInf(d.Change, 0):
		return "from zero"
	}
	return fmt.Sprintf("%+.1f%%", 100*d.Change)
}
