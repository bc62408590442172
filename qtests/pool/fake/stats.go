package fake

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/pool"
)

// Calls counts the calls of a fake. At any instant
// Calls = OK + Failed + Canceled + InFlight.
type Calls struct {
	Calls    uint64 // begun
	OK       uint64 // let through
	Failed   uint64 // with an error of the script: outage, error rate, killed connection
	Canceled uint64 // the context ended first
	InFlight int    // waiting for their latency, or frozen
}

// Stats is one snapshot of a [Fake].
type Stats struct {
	Pool  pool.Stats
	Calls Calls
	Ops   map[string]uint64 // calls by operation; beyond a thousand they count as "other"
}

// Stats returns the numbers of the pool and of the calls so far.
func (f *Fake) Stats() Stats {
	return Stats{Pool: f.pool.Stats(), Calls: Calls(f.engine.Stats()), Ops: f.opCalls()}
}

// Describe implements prometheus.Collector.
func (f *Fake) Describe(ch chan<- *prometheus.Desc) {
	f.pool.Describe(ch)
	f.engine.Describe(ch)
}

// Collect implements prometheus.Collector: the metrics of the pool and of the
// calls.
func (f *Fake) Collect(ch chan<- prometheus.Metric) {
	f.pool.Collect(ch)
	f.engine.Collect(ch)
}
