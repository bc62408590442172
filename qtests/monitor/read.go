package monitor

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// Lookback is how old a sample may be for an instant read to see it, as in
// Prometheus; one exactly this old is not seen.
const Lookback = query.Lookback

// SubqueryStep is the step of a subquery that gives none, as in a Prometheus whose
// evaluation_interval is the default.
const SubqueryStep = query.SubqueryStep

// MaxSteps bounds the instants of one QueryRange, as Prometheus does.
const MaxSteps = 11_000

// Series returns the series of a metric that every matcher chooses, sorted by
// labels, with all samples that are kept. It never returns stale markers.
func (m *Monitor) Series(name string, matchers ...Matcher) []Series {
	return m.SeriesBetween(time.Time{}, time.Time{}, name, matchers...)
}

// SeriesBetween is Series with only the samples after from and up to to. The
// zero time leaves that side open. Series without samples in between are left
// out. An empty name chooses every metric.
func (m *Monitor) SeriesBetween(from, to time.Time, name string, matchers ...Matcher) []Series {
	ms := make([]history.Matcher, 0, len(matchers)+1)
	if name != "" {
		ms = append(ms, history.Matcher{Name: history.NameLabel, Op: history.Equal, Value: name})
	}
	for _, x := range matchers {
		ms = append(ms, x.m)
	}
	var out []Series
	m.locked(func(s *state) { out = readSeries(s.history, from, to, ms) })
	return out
}

func readSeries(st *history.Store, from, to time.Time, ms []history.Matcher) (out []Series) {
	lo, hi := st.Rows()
	if !from.IsZero() {
		lo = st.After(from.UnixNano())
	}
	if !to.IsZero() {
		hi = st.After(to.UnixNano())
	}
	for _, s := range st.Select(ms...) {
		x := kept(s)
		for row := lo; row < hi; row++ {
			if v := s.Value(row); !history.IsGap(v) && !history.IsStale(v) {
				x.Samples = append(x.Samples, sampleOf(st, s, row, v))
			}
		}
		if len(x.Samples) > 0 {
			out = append(out, x)
		}
	}
	return out
}

// Query evaluates an expression at an instant. The zero time means the instant of the
// newest scrape. A scalar is one Point without labels.
func (m *Monitor) Query(expr string, at time.Time) ([]Point, error) {
	e, err := query.Parse(expr)
	if err != nil {
		return nil, fmt.Errorf("monitor: %q: %w", expr, err)
	}
	var r query.Result
	m.locked(func(s *state) {
		if at.IsZero() {
			at = s.status.Last
		}
		r, err = e.Eval(s.history, nanos(at))
	})
	if err != nil {
		return nil, fmt.Errorf("monitor: %q: %w", expr, err)
	}
	out := make([]Point, len(r.Points))
	for i, p := range r.Points {
		out[i] = Point{Labels: p.Labels.Map(), Value: p.Value}
	}
	return out, nil
}

// QueryRange evaluates an expression at from, from+step, … up to to, and returns
// one series for every label set, sorted by labels, with a sample for each
// instant at which it has a value.
func (m *Monitor) QueryRange(expr string, from, to time.Time, step time.Duration) ([]Series, error) {
	e, err := query.Parse(expr)
	switch {
	case err != nil:
		return nil, fmt.Errorf("monitor: %q: %w", expr, err)
	case step <= 0:
		return nil, fmt.Errorf("monitor: QueryRange: the step %v is not positive", step)
	case to.Sub(from)/step >= MaxSteps:
		return nil, fmt.Errorf("monitor: QueryRange: more than %d steps of %v from %v to %v", MaxSteps, step, from, to)
	}
	var out []Series
	m.locked(func(s *state) { out, err = evalRange(e, s.history, from, to, step) })
	if err != nil {
		return nil, fmt.Errorf("monitor: %q %w", expr, err)
	}
	return out, nil
}

// evalRange evaluates an expression at each step and sorts the results by series.
func evalRange(e *query.Expr, st *history.Store, from, to time.Time, step time.Duration) ([]Series, error) {
	byKey := map[string]*Series{}
	var ids []history.Labels
	for at := from; !at.After(to); at = at.Add(step) {
		r, err := e.EvalIn(st, nanos(at), nanos(from), nanos(to))
		if err != nil {
			return nil, fmt.Errorf("at %v: %w", at, err)
		}
		for _, p := range r.Points {
			key := p.Labels.Key()
			s, ok := byKey[key]
			if !ok {
				made := publicSeries(p.Labels)
				s = &made
				byKey[key] = s
				ids = append(ids, p.Labels)
			}
			s.Samples = append(s.Samples, Sample{At: instant(nanos(at)), Value: p.Value})
		}
	}
	sortLabels(ids)
	out := make([]Series, len(ids))
	for i, id := range ids {
		out[i] = *byKey[id.Key()]
	}
	return out, nil
}

func sortLabels(ids []history.Labels) {
	slices.SortFunc(ids, func(a, b history.Labels) int { return a.Compare(b) })
}

// Functions returns the names of the PromQL functions that are evaluated, sorted.
func Functions() []string { return query.Functions() }

// Status returns what the monitor did so far.
func (m *Monitor) Status() (status Status) {
	m.locked(func(s *state) {
		status = s.status
		status.At, status.Oldest = m.clk.Now(), m.start
		if first, end := s.history.Rows(); first > 0 && end > first {
			status.Oldest = instant(s.history.At(first))
		}
	})
	return status
}

// Rules returns the rules in their order, as of the newest scrape.
func (m *Monitor) Rules() []RuleStatus {
	out := make([]RuleStatus, len(m.rules))
	m.locked(func(s *state) {
		for i, r := range m.rules {
			out[i] = RuleStatus{Rule: r.Rule, State: r.state(), Err: r.err, Evaluations: r.evaluations, Failures: r.failures, Points: m.now(s, r)}
		}
	})
	return out
}

// now evaluates the left side of a rule at the newest scrape. The rule's own expression
// belongs to the scrape under way.
func (m *Monitor) now(s *state, r *rule) (out []Point) {
	e, err := query.Parse(r.Expr)
	if err != nil || s.status.Scrapes == 0 {
		return nil
	}
	e.HideReal = m.hideReal
	got, err := e.Left().Eval(s.history, nanos(s.status.Last.Add(-r.QueryOffset)))
	if err != nil {
		return nil
	}
	for _, p := range got.Points {
		out = append(out, Point{Labels: p.Labels.Map(), Value: p.Value})
	}
	return out
}

// TargetErrors returns why the last scrape of each gatherer or target failed, by its name:
// "gatherer 0", "target shop shop-1:8080". A scrape that brought everything has no entry.
func (m *Monitor) TargetErrors() map[string]error {
	out := map[string]error{}
	m.locked(func(*state) {
		for _, s := range m.sources {
			if s.failed != nil {
				out[s.name] = s.failed
			}
		}
	})
	return out
}

// Panels returns Config.Panels.
func (m *Monitor) Panels() []string { return slices.Clone(m.cfg.Panels) }
