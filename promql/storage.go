package promql

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// A queryable shows a monitor's history to the engine. It lives for one
// evaluation.
type queryable struct {
	history *monitor.History
	at      int64 // of the evaluation, in milliseconds
	any     bool  // whether any selector was given a sample
	found   bool  // whether any selector saw one, if it is in no subquery
}

// Querier implements storage.Queryable. Both ends are inclusive milliseconds.
func (q *queryable) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{q, mint, maxt}, nil
}

type querier struct {
	*queryable
	mint, maxt int64
}

// matchersOf converts matchers.
func matchersOf(ms []*labels.Matcher) []monitor.Matcher {
	out := make([]monitor.Matcher, len(ms))
	for i, m := range ms {
		switch m.Type {
		case labels.MatchEqual:
			out[i] = monitor.Equal(m.Name, m.Value)
		case labels.MatchNotEqual:
			out[i] = monitor.NotEqual(m.Name, m.Value)
		case labels.MatchRegexp:
			out[i] = monitor.Match(m.Name, m.Value)
		default:
			out[i] = monitor.NotMatch(m.Name, m.Value)
		}
	}
	return out
}

// Select returns the series with their stale markers. The engine treats the markers as
// Prometheus does.
func (q *querier) Select(_ context.Context, _ bool, hints *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	from, to := q.mint, q.maxt
	if hints != nil {
		from, to = hints.Start, hints.End
	}
	set := &seriesSet{at: -1}
	for _, s := range q.history.Series(time.UnixMilli(from-1), time.UnixMilli(to), matchersOf(ms)...) {
		q.any = q.any || visible(s.Samples, false)
		q.found = q.found || visible(s.Samples, hints == nil || hints.Range == 0)
		b := labels.NewScratchBuilder(len(s.Labels) + 1)
		b.Add(model.MetricNameLabel, s.Name)
		for name, value := range s.Labels {
			b.Add(name, value)
		}
		b.Sort()
		samples := make([]chunks.Sample, len(s.Samples))
		for i, x := range s.Samples {
			samples[i] = pointOf(x)
		}
		set.series = append(set.series, storage.NewListSeries(b.Labels(), samples))
	}
	return set
}

func (*querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, fmt.Errorf("promql: label values are not supported")
}

func (*querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, fmt.Errorf("promql: label names are not supported")
}

func (*querier) Close() error { return nil }

// A seriesSet iterates over series that are sorted by labels already.
type seriesSet struct {
	series []storage.Series
	at     int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *seriesSet) At() storage.Series                { return s.series[s.at] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }
