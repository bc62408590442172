package monitor

import (
	"fmt"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// A recorded value is one element of what a recording rule wrote last.
type recorded struct {
	labels history.Labels
	series *history.Series
	value  float64
}

// record writes the result of a recording rule into the newest row. An error
// writes nothing, so that the recorded series become stale, as in Prometheus.
func (r *rule) record(st *history.Store, o outcome) error {
	r.last = r.last[:0]
	if o.err != nil {
		return o.err
	}
	seen := map[string]bool{}
	var out []recorded
	for _, p := range o.points {
		labels, err := r.relabel(p, templateData{Labels: p.Labels.Map(), Value: p.Value})
		if err != nil {
			return err
		}
		labels = labels.With(history.NameLabel, r.Record)
		if key := labels.Key(); seen[key] {
			return fmt.Errorf("%w: %s", query.ErrSameLabels, labels)
		} else {
			seen[key] = true
		}
		out = append(out, recorded{labels: labels, value: p.Value})
	}
	r.last = out
	return r.repeat(st)
}

// repeat writes the last result into the newest row.
func (r *rule) repeat(st *history.Store) error {
	for i := range r.last {
		x := &r.last[i]
		if x.series == nil || x.series.Removed() {
			s, err := st.Series(x.labels)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrTooManySeries, err)
			}
			x.series = s
		}
		if !st.Set(x.series, x.value) {
			return fmt.Errorf("%w: %s", ErrDuplicate, x.labels)
		}
	}
	return nil
}
