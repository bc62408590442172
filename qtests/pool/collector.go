package pool

import "github.com/prometheus/client_golang/prometheus"

// descs are the metrics of one pool. The name is a constant label, so that one
// registry takes any number of pools.
type descs struct {
	resources, max, waiters, acquires, wait *prometheus.Desc
}

func newDescs(name string) descs {
	desc := func(metric, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(metric, help, labels, prometheus.Labels{"pool": name})
	}
	return descs{
		resources: desc("pool_resources", "Resources by state; one that is being checked counts as constructing.", "state"),
		max:       desc("pool_max_resources", "How many resources there may be."),
		waiters:   desc("pool_waiters", "Callers that wait for a resource."),
		acquires:  desc("pool_acquires_total", "Acquires that have ended, by result.", "result"),
		wait:      desc("pool_wait_seconds_total", "Time that callers have waited, together."),
	}
}

// Describe implements prometheus.Collector.
func (e *engine) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		e.descs.resources, e.descs.max, e.descs.waiters, e.descs.acquires, e.descs.wait,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector with the numbers of one Stats.
func (e *engine) Collect(ch chan<- prometheus.Metric) {
	s := e.Stats()
	send := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, v, labels...)
	}
	send(e.descs.resources, prometheus.GaugeValue, float64(s.Idle), "idle")
	send(e.descs.resources, prometheus.GaugeValue, float64(s.InUse), "in_use")
	send(e.descs.resources, prometheus.GaugeValue, float64(s.Constructing), "constructing")
	send(e.descs.max, prometheus.GaugeValue, float64(s.Max))
	send(e.descs.waiters, prometheus.GaugeValue, float64(s.Waiters))
	for r, n := range [results]uint64{s.Acquired, s.Timeouts, s.Canceled, s.Shed, s.Rejected, s.Errors} {
		send(e.descs.acquires, prometheus.CounterValue, float64(n), resultNames[r])
	}
	send(e.descs.wait, prometheus.CounterValue, s.WaitTime.Seconds())
}
