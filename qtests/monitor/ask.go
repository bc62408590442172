package monitor

import (
	"context"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
	"github.com/go-qtests/qtests/qtests/monitor/internal/template"
)

// ask evaluates an expression. The caller holds the scraping token: nothing else writes
// the history meanwhile.
func (m *Monitor) ask(ctx context.Context, x *expression, at time.Time) outcome {
	if x.expr != nil {
		x.expr.HideReal = m.hideReal
		result, err := x.expr.Eval(m.mu.history, at.UnixNano())
		return outcome{points: result.Points, noData: !result.Data, err: err}
	}
	h, revoke := m.lend()
	defer revoke()
	var result Result
	err := x.guard.do(ctx, m.clk, m.cfg.Timeout, func(ctx context.Context) error {
		got, err := x.evaluator.Eval(ctx, h, at)
		result = got
		return err
	})
	if err != nil {
		return outcome{err: err}
	}
	out := outcome{noData: result.NoData}
	for _, p := range result.Points {
		out.points = append(out.points, query.Point{Labels: history.FromMap(p.Labels), Value: p.Value})
		out.histograms = append(out.histograms, p.Histogram)
	}
	return out
}

// maxTemplateQueries bounds the expressions of templates that are kept ready: their
// texts may contain the values of labels.
const maxTemplateQueries = 1000

// templateQuery evaluates the expression of a template. The caller holds the scraping
// token.
func (m *Monitor) templateQuery(ctx context.Context, at time.Time) template.QueryFunc {
	return func(text string) ([]template.Sample, error) {
		x, ok := m.templateQueries[text]
		if !ok {
			x = &expression{}
			if err := x.compile(text, m.cfg.Compile); err != nil {
				return nil, err
			}
			if len(m.templateQueries) >= maxTemplateQueries {
				clear(m.templateQueries)
			}
			m.templateQueries[text] = x
		}
		o := m.ask(ctx, x, at)
		out := make([]template.Sample, len(o.points))
		for i, p := range o.points {
			out[i] = template.Sample{Labels: p.Labels.Map(), Value: p.Value}
		}
		return out, o.err
	}
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
		x := kept(series)
		for row := lo; row < hi; row++ {
			if v := series.Value(row); !history.IsGap(v) {
				x.Samples = append(x.Samples, sampleOf(s.history, series, row, v))
			}
		}
		out = append(out, x)
	}
	return out
}

// visible returns the series that the rules see.
func (m *Monitor) visible(s *state, matchers ...history.Matcher) []*history.Series {
	return slices.DeleteFunc(s.history.Select(matchers...), func(x *history.Series) bool { return m.hideReal && x.IsReal() })
}
