package monitor

import (
	"context"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// ask evaluates the expression of a rule. The caller holds the scraping token: nothing
// else writes the history meanwhile.
func (m *Monitor) ask(ctx context.Context, r *rule, at time.Time) outcome {
	if r.expr != nil {
		result, err := r.expr.Eval(m.mu.history, at.UnixNano())
		return outcome{result.Points, !result.Data, err}
	}
	h, revoke := m.lend()
	defer revoke()
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

// lend returns the history as an Evaluator sees it, until revoke is called. An
// evaluator that was given up may still read after that.
func (m *Monitor) lend() (h *History, revoke func()) {
	revoked := false
	h = &History{series: func(from, to time.Time, matchers []history.Matcher) (out []Series) {
		m.locked(func(s *state) {
			if !revoked {
				out = m.rows(s, from, to, matchers)
			}
		})
		return out
	}}
	return h, func() { m.locked(func(*state) { revoked = true }) }
}

// rows returns the series that the rules see, with the samples after from and up to
// to, stale markers included.
func (m *Monitor) rows(s *state, from, to time.Time, matchers []history.Matcher) (out []Series) {
	lo, hi := s.history.After(from.UnixNano()), s.history.After(to.UnixNano())
	for _, series := range m.visible(s, matchers...) {
		x := publicSeries(series.Labels)
		for row := lo; row < hi; row++ {
			x.Samples = append(x.Samples, Sample{instant(s.history.At(row)), series.Value(row)})
		}
		out = append(out, x)
	}
	return out
}

// visible returns the series that the rules see.
func (m *Monitor) visible(s *state, matchers ...history.Matcher) []*history.Series {
	return slices.DeleteFunc(s.history.Select(matchers...), func(x *history.Series) bool { return m.hideReal && x.IsReal() })
}
