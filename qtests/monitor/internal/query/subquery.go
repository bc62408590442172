package query

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// SubqueryStep is the step of a subquery that gives none: the default of Prometheus'
// evaluation_interval.
const SubqueryStep = time.Minute

// A subquery is the range vector of an expression, evaluated at every multiple of step in
// the span.
type subquery struct {
	arg        node
	span, step time.Duration
	shift
}

func (*subquery) typ() Type { return Matrix }

func (*subquery) eval(*evaluation) (value, error) { return value{}, nil } // the function around it reads the range

// A row is what the steps of a subquery gave for one label set.
type row struct {
	labels  history.Labels
	place   int // the first of its points' places
	samples []history.Sample
}

// eachWindow evaluates the expression at every step. An expression that is evaluated once
// for all steps, because @ fixes its instant, is evaluated for each, with one result.
func (s *subquery) eachWindow(ev *evaluation, size func(int), f func(history.Labels, window)) error {
	end := s.instant(ev)
	w := window{start: end - int64(s.span), end: end, buffers: ev.buffers}
	rows, err := s.rows(ev, w)
	if err != nil {
		return err
	}
	size(len(rows))
	for i, r := range rows {
		w.samples, w.place = r.samples, i
		f(r.labels, w)
	}
	return nil
}

// rows has the label sets in the order in which Prometheus has them: by the place of their
// first series, at whatever step it first came. Where Prometheus has no order, because the
// expression combines several vectors, this one is as good as any.
func (s *subquery) rows(ev *evaluation, w window) ([]*row, error) {
	inner := *ev
	byKey := map[string]*row{}
	var out []*row
	step := int64(s.step)
	at := step * (w.start / step)
	if at <= w.start {
		at += step
	}
	for ; at <= w.end; at += step {
		inner.at = at
		used := len(ev.slab.points)
		v, err := s.arg.eval(&inner)
		if err != nil {
			return nil, err
		}
		for _, p := range v.vector {
			key := p.Labels.Key()
			r, ok := byKey[key]
			if !ok {
				r = &row{labels: p.Labels, place: p.place}
				byKey[key] = r
				out = append(out, r)
			}
			r.place = min(r.place, p.place)
			r.samples = append(r.samples, history.Sample{At: at, Value: p.Value})
		}
		ev.slab.points = ev.slab.points[:min(used, len(ev.slab.points))]
	}
	ev.data = ev.data || inner.data
	slices.SortStableFunc(out, func(a, b *row) int { return cmp.Compare(a.place, b.place) })
	return out, nil
}
