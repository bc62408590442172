package fakehttp

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fake"
)

// Stats is one snapshot of a [Fake].
type Stats struct {
	Hosts     map[string]pool.Stats // the pool of each host
	Pool      pool.Stats            // the pools of all hosts together
	Calls     fake.Calls            // requests that got a connection, and the opening of connections
	Unmatched uint64                // requests that no responder answered
}

// Stats returns the numbers of the pools and of the calls so far.
func (h *Fake) Stats() Stats {
	out := Stats{Hosts: map[string]pool.Stats{}, Calls: fake.Calls(h.engine.Stats())}
	var pools map[string]*pool.Pool[*conn]
	h.locked(func(s *state) {
		out.Unmatched = s.unexpected.Total()
		pools = maps.Clone(s.hosts)
	})
	out.Pool.Name = h.common.Name
	for host, p := range pools {
		one := p.Stats()
		out.Hosts[host] = one
		out.Pool = sum(out.Pool, one)
	}
	return out
}

// sum adds what a dashboard shows; what destroyed resources is left to the hosts.
func sum(s, o pool.Stats) pool.Stats {
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
	return s
}

// Calls returns how many requests were made by "METHOD /path", those that were
// not answered included. Beyond a thousand different ones they count as "other".
func (h *Fake) Calls() (calls map[string]uint64) {
	calls = map[string]uint64{}
	h.locked(func(s *state) {
		for op, n := range s.calls {
			calls[op] = *n
		}
	})
	return calls
}

// Describe implements prometheus.Collector.
func (h *Fake) Describe(ch chan<- *prometheus.Desc) {
	h.metrics.Describe(ch)
	h.engine.Describe(ch)
}

// Collect implements prometheus.Collector: the metrics of the pools of all hosts
// together, under the name of the fake, and those of the calls.
func (h *Fake) Collect(ch chan<- prometheus.Metric) {
	h.metrics.Collect(ch)
	h.engine.Collect(ch)
}
