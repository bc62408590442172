package promql

import (
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// sees reports whether a selector in a node sees a sample when the node is evaluated at
// some instants, in milliseconds. An instant selector sees one where the newest sample is
// younger than the lookback and not a stale marker.
func (q *queryable) sees(n parser.Node, at []int64) bool {
	switch n := n.(type) {
	case *parser.VectorSelector:
		return q.window(n.LabelMatchers, q.times(at, n.Timestamp, n.StartOrEnd, n.OriginalOffset), monitor.Lookback, true)
	case *parser.MatrixSelector:
		v := n.VectorSelector.(*parser.VectorSelector)
		return q.window(v.LabelMatchers, q.times(at, v.Timestamp, v.StartOrEnd, v.OriginalOffset), n.Range, false)
	case *parser.SubqueryExpr:
		step := n.Step
		if step == 0 {
			step = monitor.SubqueryStep
		}
		return q.sees(n.Expr, steps(q.times(at, n.Timestamp, n.StartOrEnd, n.OriginalOffset), n.Range.Milliseconds(), step.Milliseconds()))
	}
	for child := range parser.ChildrenIter(n) {
		if q.sees(child, at) {
			return true
		}
	}
	return false
}

// times moves instants by the modifiers @ and offset.
func (q *queryable) times(at []int64, fixed *int64, end parser.ItemType, offset time.Duration) []int64 {
	if end == parser.START || end == parser.END {
		at = []int64{q.at}
	}
	if fixed != nil {
		at = []int64{*fixed}
	}
	out := make([]int64, len(at))
	for i, t := range at {
		out[i] = t - offset.Milliseconds()
	}
	return out
}

// steps returns the instants at which a subquery is evaluated: the multiples of its step
// in each range, which is open on the left.
func steps(at []int64, span, step int64) []int64 {
	var out []int64
	for _, t := range at {
		from := step * ((t - span) / step)
		if from <= t-span {
			from += step
		}
		for ; from <= t; from += step {
			out = append(out, from)
		}
	}
	return out
}

// window reports whether a selector sees a sample in the span before one of the instants;
// newest says that only the newest sample of the span counts.
func (q *queryable) window(ms []*labels.Matcher, at []int64, span time.Duration, newest bool) bool {
	matchers := matchersOf(ms)
	for _, t := range at {
		end := time.UnixMilli(t)
		for _, s := range q.history.Series(end.Add(-span), end, matchers...) {
			if visible(s.Samples, newest) {
				return true
			}
		}
	}
	return false
}

func visible(samples []monitor.Sample, newest bool) bool {
	for i := len(samples) - 1; i >= 0; i-- {
		if !monitor.IsStale(samples[i].Value) {
			return true
		}
		if newest {
			return false
		}
	}
	return false
}
