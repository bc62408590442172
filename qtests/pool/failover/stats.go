package failover

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Stats is one snapshot of a failover's own state; each backend's pool
// is a snapshot of its own, taken right after.
type Stats struct {
	Name     string
	Active   string // name of the backend that gets the traffic
	Moves    uint64
	Backends []Backend // in order of preference
}

// Backend is one backend of [Stats].
type Backend struct {
	Name    string
	Healthy bool
	Since   time.Duration // how long it has been so; 0 if it has never changed
	Reason  string        // why it is not healthy
	Breaker breaker.State
	Pool    pool.Stats
}

// Stats returns a snapshot.
func (f *Failover[R]) Stats() Stats {
	f.current()
	var s Stats
	f.locked(func(m *state) {
		now := f.now()
		s = Stats{Name: f.name, Active: f.pools[m.core.active].Name(), Moves: m.moves}
		for i, b := range m.core.backends {
			k := Backend{Name: f.pools[i].Name(), Healthy: b.healthy, Reason: b.reason}
			if b.since != 0 {
				k.Since = tb.Round(now - b.since)
			}
			s.Backends = append(s.Backends, k)
		}
	})
	for i := range s.Backends {
		s.Backends[i].Breaker, s.Backends[i].Pool = f.breakers[i].State(), f.pools[i].Stats()
	}
	return s
}

// Describe implements prometheus.Collector.
func (f *Failover[R]) Describe(ch chan<- *prometheus.Desc) {
	ch <- f.desc
	for i, p := range f.pools {
		p.Describe(ch)
		f.shown[i].Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (f *Failover[R]) Collect(ch chan<- prometheus.Metric) {
	active := f.current()
	for i, p := range f.pools {
		v := 0.0
		if i == active {
			v = 1
		}
		ch <- prometheus.MustNewConstMetric(f.desc, prometheus.GaugeValue, v, p.Name())
		p.Collect(ch)
		f.shown[i].Collect(ch)
	}
}
