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

// hold lets the rules before this one see what it recorded last, until its turn comes.
func (r *rule) hold(st *history.Store) {
	for _, x := range r.last {
		if x.series != nil && !x.series.Removed() {
			st.Hold(x.series)
		}
	}
}

// record writes the result of a recording rule into the newest row. An error
// writes nothing, so that the recorded series become stale, as in Prometheus.
func (r *rule) record(st *history.Store, o outcome) error {
	for _, x := range r.last {
		if x.series != nil {
			st.Release(x.series)
		}
	}
	r.last = r.last[:0]
	if o.err != nil {
		return o.err
	}
	seen := map[string]bool{}
	var out []recorded
	for _, p := range o.points {
		labels := p.Labels.With(history.NameLabel, r.Record)
		for name, value := range r.Labels {
			labels = labels.With(name, value)
		}
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
