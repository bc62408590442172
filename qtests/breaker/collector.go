package breaker

import "github.com/prometheus/client_golang/prometheus"

var _ prometheus.Collector = (*Breaker)(nil)

// metrics describes what one breaker exports. The name is a constant label, so
// that several breakers register with one registry.
type metrics struct{ state, calls, transitions *prometheus.Desc }

func newMetrics(name string) metrics {
	label := prometheus.Labels{"breaker": name}
	return metrics{
		state: prometheus.NewDesc("breaker_state",
			"1 for the present state of the circuit breaker, 0 for the others.", []string{"state"}, label),
		calls: prometheus.NewDesc("breaker_calls_total",
			"Calls by what they counted as.", []string{"result"}, label),
		transitions: prometheus.NewDesc("breaker_transitions_total",
			"Changes of state by the state entered.", []string{"to"}, label),
	}
}

// Describe implements prometheus.Collector.
func (b *Breaker) Describe(ch chan<- *prometheus.Desc) {
	d := newMetrics(b.cfg.Name)
	ch <- d.state
	ch <- d.calls
	ch <- d.transitions
}

// Collect implements prometheus.Collector with breaker_state{breaker,state},
// breaker_calls_total{breaker,result} and breaker_transitions_total{breaker,to},
// all from one reading.
func (b *Breaker) Collect(ch chan<- prometheus.Metric) {
	d, s := newMetrics(b.cfg.Name), b.Stats()
	d.collectStates(ch, s.State, s.Transitions)
	for _, c := range []struct {
		result string
		n      uint64
	}{
		{"success", s.Successes}, {"failure", s.Failures}, {"ignored", s.Ignored},
		{"rejected", s.Rejected}, {"stale", s.Stale},
	} {
		ch <- prometheus.MustNewConstMetric(d.calls, prometheus.CounterValue, float64(c.n), c.result)
	}
}

func (d metrics) collectStates(ch chan<- prometheus.Metric, now State, entered [3]uint64) {
	for _, state := range states {
		current := 0.0
		if state == now {
			current = 1
		}
		ch <- prometheus.MustNewConstMetric(d.state, prometheus.GaugeValue, current, state.String())
		ch <- prometheus.MustNewConstMetric(d.transitions, prometheus.CounterValue, float64(entered[state]), state.String())
	}
}
