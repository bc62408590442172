package breaker

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

var _ prometheus.Collector = (*Breaker)(nil)

// label returns the name of a breaker as a label can have it: as it is, or quoted as in Go
// where it is not UTF-8. A name that begins with a quote is quoted too, so that different
// names have different labels.
func label(name string) string {
	if utf8.ValidString(name) && !strings.HasPrefix(name, `"`) {
		return name
	}
	return strconv.Quote(name)
}

// metrics describes what one breaker exports. The name is a constant label, so
// that several breakers register with one registry.
type metrics struct{ state, calls, transitions *prometheus.Desc }

func newMetrics(name string) metrics {
	of := prometheus.Labels{"breaker": name}
	return metrics{
		state: prometheus.NewDesc("breaker_state",
			"1 for the present state of the circuit breaker, 0 for the others.", []string{"state"}, of),
		calls: prometheus.NewDesc("breaker_calls_total",
			"Calls by what they counted as.", []string{"result"}, of),
		transitions: prometheus.NewDesc("breaker_transitions_total",
			"Changes of state by the state entered.", []string{"to"}, of),
	}
}

// Describe implements prometheus.Collector.
func (b *Breaker) Describe(ch chan<- *prometheus.Desc) {
	d := newMetrics(b.label)
	ch <- d.state
	ch <- d.calls
	ch <- d.transitions
}

// Collect implements prometheus.Collector with breaker_state{breaker,state},
// breaker_calls_total{breaker,result} and breaker_transitions_total{breaker,to},
// all from one reading. A breaker that records another one has no calls to show.
func (b *Breaker) Collect(ch chan<- prometheus.Metric) {
	d, s := newMetrics(b.label), b.Stats()
	d.collectStates(ch, s.State, s.Transitions)
	if s.Mode == Recording {
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
