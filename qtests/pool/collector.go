package pool

import "github.com/prometheus/client_golang/prometheus"

// The metrics of a pool. They are the same for every pool, which differ by label.
var (
	descResources = prometheus.NewDesc("pool_resources",
		"Resources by state; one that is being checked counts as constructing.", []string{"pool", "state"}, nil)
	descMax = prometheus.NewDesc("pool_max_resources",
		"How many resources there may be.", []string{"pool"}, nil)
	descWaiters = prometheus.NewDesc("pool_waiters",
		"Callers that wait for a resource.", []string{"pool"}, nil)
	descAcquires = prometheus.NewDesc("pool_acquires_total",
		"Acquires that have ended, by result.", []string{"pool", "result"}, nil)
	descWait = prometheus.NewDesc("pool_wait_seconds_total",
		"Time that callers have waited, together.", []string{"pool"}, nil)
)

// Describe implements prometheus.Collector.
func (e *engine) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descResources, descMax, descWaiters, descAcquires, descWait} {
		ch <- d
	}
}

// Collect implements prometheus.Collector with the numbers of one Stats.
func (e *engine) Collect(ch chan<- prometheus.Metric) {
	s := e.Stats()
	send := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, v, append([]string{s.Name}, labels...)...)
	}
	send(descResources, prometheus.GaugeValue, float64(s.Idle), "idle")
	send(descResources, prometheus.GaugeValue, float64(s.InUse), "in_use")
	send(descResources, prometheus.GaugeValue, float64(s.Constructing), "constructing")
	send(descMax, prometheus.GaugeValue, float64(s.Max))
	send(descWaiters, prometheus.GaugeValue, float64(s.Waiters))
	for r, n := range [results]uint64{s.Acquired, s.Timeouts, s.Canceled, s.Shed, s.Rejected, s.Errors} {
		send(descAcquires, prometheus.CounterValue, float64(n), resultNames[r])
	}
	send(descWait, prometheus.CounterValue, s.WaitTime.Seconds())
}
