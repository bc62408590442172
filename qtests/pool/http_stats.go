package pool

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"
)

// HTTPStats is one snapshot of an [HTTP].
type HTTPStats struct {
	Hosts     map[string]Stats // the pool of each host
	Pool      Stats            // the pools of all hosts together
	Calls     FaultStats       // requests that got a connection, and the opening of connections
	Unmatched uint64           // requests that no responder answered
}

// Stats returns the numbers of the pools and of the calls so far.
func (h *HTTP) Stats() HTTPStats {
	s := HTTPStats{Hosts: map[string]Stats{}, Calls: h.engine.stats()}
	h.mu.Lock()
	s.Unmatched = h.mu.unmatched
	pools := maps.Clone(h.mu.hosts)
	h.mu.Unlock()
	s.Pool.Name = h.name
	for host, p := range pools {
		one := p.Stats()
		s.Hosts[host] = one
		s.Pool.add(one)
	}
	return s
}

// add sums what a dashboard shows; what destroyed resources is left to the hosts.
func (s *Stats) add(o Stats) {
	s.Min += o.Min
	s.Max += o.Max
	s.Idle += o.Idle
	s.InUse += o.InUse
	s.Constructing += o.Constructing
	s.Waiters += o.Waiters
	s.Acquired += o.Acquired
	s.Timeouts += o.Timeouts
	s.Canceled += o.Canceled
	s.Shed += o.Shed
	s.Rejected += o.Rejected
	s.Errors += o.Errors
	s.Waited += o.Waited
	s.WaitTime += o.WaitTime
	s.Constructed += o.Constructed
	s.ConstructErrors += o.ConstructErrors
	s.Destroyed += o.Destroyed
}

// Calls returns how many requests were made by "METHOD /path", those that were
// not answered included. Beyond a thousand different ones they count as "other".
func (h *HTTP) Calls() map[string]uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.mu.calls)
}

// Describe implements prometheus.Collector.
func (h *HTTP) Describe(ch chan<- *prometheus.Desc) {
	h.descs.describe(ch)
	h.engine.Describe(ch)
}

// Collect implements prometheus.Collector: the metrics of the pools of all hosts
// together, under the name of the fake, and those of the calls.
func (h *HTTP) Collect(ch chan<- prometheus.Metric) {
	h.descs.collect(ch, h.Stats().Pool)
	h.engine.Collect(ch)
}

func (d descs) describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{d.resources, d.max, d.waiters, d.acquires, d.wait} {
		ch <- desc
	}
}

func (d descs) collect(ch chan<- prometheus.Metric, s Stats) {
	send := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, v, labels...)
	}
	send(d.resources, prometheus.GaugeValue, float64(s.Idle), "idle")
	send(d.resources, prometheus.GaugeValue, float64(s.InUse), "in_use")
	send(d.resources, prometheus.GaugeValue, float64(s.Constructing), "constructing")
	send(d.max, prometheus.GaugeValue, float64(s.Max))
	send(d.waiters, prometheus.GaugeValue, float64(s.Waiters))
	for r, n := range [results]uint64{s.Acquired, s.Timeouts, s.Canceled, s.Shed, s.Rejected, s.Errors} {
		send(d.acquires, prometheus.CounterValue, float64(n), resultNames[r])
	}
	send(d.wait, prometheus.CounterValue, s.WaitTime.Seconds())
}
