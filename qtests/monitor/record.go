package monitor

import (
	"fmt"
	"maps"

	dto "github.com/prometheus/client_model/go"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// A recorded value is one element of what a rule wrote last.
type recorded struct {
	to     *written // or nil, where the series is known
	series *history.Series
	value  float64
	// histogram is what is written in place of the value.
	histogram *dto.Histogram
}

// A recorder writes what a rule gives into the history.
type recorder struct {
	last, spare []recorded              // spare is for the next result
	series      map[string]*alertSeries // by the alert's key
	round       int64                   // of writeAlerts
	written     history.Derived[*written]
	seen        map[string]bool // of one result
}

// hold says nothing about the series that the rule wrote last, until its turn comes: the
// rules before it see what it wrote.
func (r *recorder) hold(st *history.Store) {
	for _, x := range r.last {
		if x.series != nil && !x.series.Removed() {
			st.Hold(x.series)
		}
	}
}

// write puts the values into the newest row. What the rule wrote last and does not write
// now is stale.
func (r *recorder) write(st *history.Store, out []recorded) error {
	for _, x := range r.last {
		if x.series != nil && !x.series.Removed() {
			st.Release(x.series)
		}
	}
	r.last, r.spare = out, r.last[:0]
	return r.repeat(st)
}

// record writes the result of a recording rule. An error writes nothing: what was
// recorded before is seen until it is older than Lookback, as in Prometheus.
func (r *recorder) record(st *history.Store, rule *Rule, o outcome) error {
	if o.err != nil {
		return o.err
	}
	if n := len(o.points); rule.Limit > 0 && n > rule.Limit {
		return fmt.Errorf("exceeded limit of %d with %d series", rule.Limit, n)
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	clear(r.seen)
	out := r.spare
	for i, p := range o.points {
		place := r.written.Of(p.Labels, rule.place)
		if r.seen[place.key] {
			return fmt.Errorf("%w: %s", query.ErrSameLabels, place.labels)
		}
		r.seen[place.key] = true
		x := recorded{to: place, series: place.series, value: p.Value}
		if i < len(o.histograms) {
			x.histogram = o.histograms[i]
		}
		out = append(out, x)
	}
	return r.write(st, out)
}

// A written is where an element of the result is recorded.
type written struct {
	labels history.Labels
	key    string
	series *history.Series // nil until it is made
}

// place returns where a recording rule writes an element.
func (r *Rule) place(ls history.Labels) *written {
	ls = ls.With(history.NameLabel, r.Record)
	for name, value := range r.Labels {
		ls = ls.With(name, value)
	}
	return &written{labels: ls, key: ls.Key()}
}

// repeat writes the last result into the newest row.
func (r *recorder) repeat(st *history.Store) error {
	for i := range r.last {
		x := &r.last[i]
		if x.series == nil || x.series.Removed() {
			s, err := st.Series(x.to.labels)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrTooManySeries, err)
			}
			x.series, x.to.series = s, s
		}
		if !x.set(st) {
			return fmt.Errorf("%w: %s", ErrDuplicate, x.series.Labels)
		}
	}
	return nil
}

// set writes the value into the newest row, unless the series has one there.
func (x *recorded) set(st *history.Store) bool {
	if x.histogram != nil {
		return st.SetHistogram(x.series, x.histogram)
	}
	return st.Set(x.series, x.value)
}

// alertSeries are the series that one alert is.
type alertSeries struct {
	pending, firing, since *history.Series
	round                  int64 // that wrote them last
}

// newAlertSeries makes them. They are not counted against Config.MaxSeries.
func newAlertSeries(st *history.Store, ls history.Labels) *alertSeries {
	state := func(s State) *history.Series {
		return st.Own(ls.With(history.NameLabel, "ALERTS").With("alertstate", string(s)))
	}
	return &alertSeries{pending: state(Pending), firing: state(Firing), since: st.Own(ls.With(history.NameLabel, "ALERTS_FOR_STATE"))}
}

// removed reports whether the history has dropped one of them.
func (a *alertSeries) removed() bool {
	return a.pending.Removed() || a.firing.Removed() || a.since.Removed()
}

// writeAlerts writes the series ALERTS and ALERTS_FOR_STATE of those alerts that are
// pending or firing, as Prometheus does.
func (r *recorder) writeAlerts(st *history.Store, alerts *alert.Machine) {
	r.round++
	out := r.spare
	alerts.Each(func(a *alert.Alert) {
		if a.State == Resolved {
			return
		}
		series, ok := r.series[a.Key()]
		if !ok || series.removed() {
			series = newAlertSeries(st, a.Labels)
			if r.series == nil {
				r.series = map[string]*alertSeries{}
			}
			r.series[a.Key()] = series
		}
		series.round = r.round
		state := series.pending
		if a.State == Firing {
			state = series.firing
		}
		out = append(out, recorded{series: state, value: 1}, recorded{series: series.since, value: float64(a.ActiveAt.Unix())})
	})
	if len(out) == 0 && len(r.last) == 0 {
		return
	}
	if len(r.series) > len(out)/2 {
		maps.DeleteFunc(r.series, func(_ string, x *alertSeries) bool { return x.round != r.round })
	}
	_ = r.write(st, out) // two rules may write one series: the first counts
}
