// Package metrics shows circuit breakers to Prometheus. It is a package of its own because the
// client library of Prometheus links net/http, and package breaker does without.
//
//	prometheus.MustRegister(metrics.Of(payments), metrics.OfAll(perHost.Stats))
//
// A breaker has three metrics, all from one reading: breaker_state{breaker,state} is 1 for the
// state that it is in and 0 for the others; breaker_calls_total{breaker,result} counts calls by
// success, failure, ignored, rejected and stale; breaker_transitions_total{breaker,to} counts
// transitions by the state entered. A breaker that records another one has no calls to show.
// The label breaker is the name in its Config, quoted as in Go where it is not UTF-8.
//
// Collectors are safe for concurrent use.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// Of returns the collector of one breaker. Several register with one registry if their names
// differ.
func Of(b *breaker.Breaker) prometheus.Collector {
	return one{describe(b.Stats().Name), b.Stats}
}

// OfAll returns the collector of breakers that come and go, such as those that the Stats of a
// registry.Registry returns. It describes nothing, and so is an unchecked collector.
func OfAll(stats func() []breaker.Stats) prometheus.Collector { return all(stats) }

type one struct {
	descriptions
	stats func() breaker.Stats
}

// Describe implements prometheus.Collector.
func (c one) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.state
	ch <- c.calls
	ch <- c.transitions
}

// Collect implements prometheus.Collector.
func (c one) Collect(ch chan<- prometheus.Metric) { c.collect(ch, c.stats()) }

type all func() []breaker.Stats

// Describe implements prometheus.Collector.
func (all) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c all) Collect(ch chan<- prometheus.Metric) {
	for _, s := range c() {
		describe(s.Name).collect(ch, s)
	}
}

// descriptions are those of the metrics of one breaker. The name is a constant label, so that
// several breakers register with one registry.
type descriptions struct{ state, calls, transitions *prometheus.Desc }

func describe(name string) descriptions {
	of := prometheus.Labels{"breaker": text.Label(name)}
	return descriptions{
		state: prometheus.NewDesc("breaker_state",
			"1 for the present state of the circuit breaker, 0 for the others.", []string{"state"}, of),
		calls: prometheus.NewDesc("breaker_calls_total",
			"Calls by what they counted as.", []string{"result"}, of),
		transitions: prometheus.NewDesc("breaker_transitions_total",
			"Changes of state by the state entered.", []string{"to"}, of),
	}
}

func (d descriptions) collect(ch chan<- prometheus.Metric, s breaker.Stats) {
	for _, state := range []breaker.State{breaker.Closed, breaker.Open, breaker.HalfOpen} {
		present := 0.0
		if state == s.State {
			present = 1
		}
		ch <- prometheus.MustNewConstMetric(d.state, prometheus.GaugeValue, present, state.String())
		ch <- prometheus.MustNewConstMetric(d.transitions, prometheus.CounterValue, float64(s.Transitions[state]), state.String())
	}
	if s.Mode == breaker.Recording {
		return
	}
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
