package compare

import (
	"math"
	"strconv"
)

// A Target is what ours should reach: a bound, or what it may cost in proportion to
// one of the others.
type Target struct {
	kind    kind
	against string
	limit   float64
}

type kind int

const (
	bound kind = iota
	ratio
)

// Bound is at most so much, or at least where more is better.
func Bound(limit float64) Target { return Target{bound, "", limit} }

// Times is at most so many times what the contestant of that name has, or at least
// where more is better.
func Times(limit float64, against string) Target { return Target{ratio, against, limit} }

// format says what the target is.
func (t Target) format(f *Figure) string {
	sign := "≤ "
	if f.MoreIsBetter {
		sign = "≥ "
	}
	if t.kind == ratio {
		return sign + strconv.FormatFloat(t.limit, 'g', -1, 64) + " × " + t.against
	}
	return sign + f.Unit.Format(t.limit)
}

// actual is what the target is about, from the readings of ours and of the other.
func (t Target) actual(ours, theirs []float64) Summary {
	if t.kind == ratio {
		return Summarize(ratios(ours, theirs))
	}
	return Summarize(ours)
}

// A Verdict is how a target came out.
type Verdict int

const (
	// NotJudged is the verdict where the other contestant, or its figure, is
	// missing.
	NotJudged Verdict = iota
	// Met is a target that is kept by the median.
	Met
	// Missed is one that is not.
	Missed
)

// judge compares what it came to with the limit.
func (t Target) judge(f *Figure, actual float64) Verdict {
	switch {
	case math.IsNaN(actual):
		return NotJudged
	case f.MoreIsBetter && actual >= t.limit, !f.MoreIsBetter && actual <= t.limit:
		return Met
	}
	return Missed
}
