package pool

import "github.com/prometheus/client_golang/prometheus"

// NewCollector returns a collector of the metrics of a pool, see the package doc.
// It asks stats once for each scrape. Pools that shall count as one use it with the
// sum of their Stats.
func NewCollector(name string, stats func() Stats) prometheus.Collector {
	// The name is a constant label, so that one registry takes any number of pools.
	desc := func(metric, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(metric, help, labels, prometheus.Labels{"pool": name})
	}
	return &collector{
		stats:     stats,
		resources: desc("pool_resources", "Resources by state; one that is being checked counts as constructing.", "state"),
		max:       desc("pool_max_resources", "How many resources there may be."),
		waiters:   desc("pool_waiters", "Callers that wait for a resource."),
		acquires:  desc("pool_acquires_total", "Acquires that have ended, by result.", "result"),
		wait:      desc("pool_wait_seconds_total", "Time that callers have waited, together."),
	}
}

type collector struct {
	stats                                   func() Stats
	resources, max, waiters, acquires, wait *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.resources, c.max, c.waiters, c.acquires, c.wait} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := c.stats()
	send := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, v, labels...)
	}
	send(c.resources, prometheus.GaugeValue, float64(s.Idle), "idle")
	send(c.resources, prometheus.GaugeValue, float64(s.InUse), "in_use")
	send(c.resources, prometheus.GaugeValue, float64(s.Constructing), "constructing")
	send(c.max, prometheus.GaugeValue, float64(s.Max))
	send(c.waiters, prometheus.GaugeValue, float64(s.Waiters))
	for r, n := range [results]uint64{s.Acquired, s.Timeouts, s.Canceled, s.Shed, s.Rejected, s.Errors} {
		send(c.acquires, prometheus.CounterValue, float64(n), resultNames[r])
	}
	send(c.wait, prometheus.CounterValue, s.WaitTime.Seconds())
}
