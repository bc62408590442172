package monitor

import (
	"context"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// A Compiler makes the Evaluator of an expression. Its error refuses the rule.
type Compiler func(expr string) (Evaluator, error)

// An Evaluator evaluates one expression, in place of the monitor's own reader of
// PromQL. The monitor calls it from one goroutine at a time, holding no lock; one
// that panics, exits or takes longer than Config.Timeout has failed.
type Evaluator interface {
	Eval(ctx context.Context, h *History, at time.Time) (Result, error)
}

// A Result is what an expression gave at one instant.
type Result struct {
	// Points are the elements. Where an element still is a metric, its labels
	// include the name as "__name__".
	Points []Point
	// NoData says that no selector of the expression found any sample, which is
	// not the same as a condition that does not hold. See Rule.NoData.
	NoData bool
}

// A History is a monitor's samples as an Evaluator sees them. It is valid until
// Eval returns: from then on it has no series.
type History struct {
	monitor *Monitor
	revoked bool // guarded by the monitor's lock: an evaluator that was given up may still read
}

func (h *History) revoke() { h.monitor.locked(func(*state) { h.revoked = true }) }

// Series returns the series that every matcher chooses (the metric's name is the
// label "__name__"), sorted by labels, with the samples after from and up to to,
// stale markers included: see IsStale.
func (h *History) Series(from, to time.Time, matchers ...Matcher) (out []Series) {
	ms := make([]history.Matcher, len(matchers))
	for i, x := range matchers {
		ms[i] = x.m
	}
	h.monitor.locked(func(s *state) {
		if h.revoked {
			return
		}
		lo, hi := s.history.After(from.UnixNano()), s.history.After(to.UnixNano())
		for _, series := range h.monitor.visible(s, ms...) {
			x := publicSeries(series.Labels)
			for row := lo; row < hi; row++ {
				x.Samples = append(x.Samples, Sample{instant(s.history.At(row)), series.Value(row)})
			}
			out = append(out, x)
		}
	})
	return out
}

// IsStale reports whether v is Prometheus' stale marker, the value of a series at
// a scrape that did not bring it.
func IsStale(v float64) bool { return history.IsStale(v) }

// An outcome is what a rule's expression gave, labels not yet converted.
type outcome struct {
	points []query.Point
	noData bool
	err    error
}

// ask evaluates the expression of a rule. The caller holds the scraping token, so
// that nobody writes the history meanwhile.
func (m *Monitor) ask(ctx context.Context, r *rule, at time.Time) outcome {
	if r.expr != nil {
		result, err := r.expr.Eval(m.mu.history, at.UnixNano())
		return outcome{result.Points, !result.Data, err}
	}
	h := &History{monitor: m}
	defer h.revoke()
	var result Result
	err := r.guard.do(ctx, m.clk, m.cfg.Timeout, func(ctx context.Context) error {
		got, err := r.evaluator.Eval(ctx, h, at)
		result = got
		return err
	})
	if err != nil {
		return outcome{err: err}
	}
	out := outcome{noData: result.NoData}
	for _, p := range result.Points {
		out.points = append(out.points, query.Point{Labels: history.FromMap(p.Labels), Value: p.Value})
	}
	return out
}
