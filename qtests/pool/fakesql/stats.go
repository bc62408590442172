package fakesql

import (
	"database/sql"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fake"
)

// Stats is one snapshot of a [Fake].
type Stats struct {
	Pool      pool.Stats
	Calls     fake.Calls
	Unmatched uint64 // calls that nothing answered: no stub, no expectation
}

// Stats returns the numbers of the pool and of the calls so far.
func (db *Fake) Stats() Stats {
	var unmatched uint64
	db.locked(func(s *state) { unmatched = s.unexpected.Total() })
	return Stats{Pool: db.pool.Stats(), Calls: fake.Calls(db.engine.Stats()), Unmatched: unmatched}
}

// DBStats returns what (*sql.DB).Stats of a real database with Max connections would say.
// The package doc says why the Stats of [Fake.DB] differ. A connection that is being
// opened counts as in use, and the wait for it as a wait. A caller counts as one that has
// waited when its wait is over.
func (db *Fake) DBStats() sql.DBStats {
	p := db.pool.Stats()
	return sql.DBStats{
		MaxOpenConnections: p.Max,
		OpenConnections:    p.Total(), InUse: p.InUse + p.Constructing, Idle: p.Idle,
		WaitCount: int64(p.Waited), WaitDuration: p.WaitTime,
		MaxIdleTimeClosed: int64(p.DestroyedIdle), MaxLifetimeClosed: int64(p.DestroyedLifetime),
	}
}

// Describe implements prometheus.Collector.
func (db *Fake) Describe(ch chan<- *prometheus.Desc) {
	db.pool.Describe(ch)
	db.engine.Describe(ch)
}

// Collect implements prometheus.Collector: the metrics of the pool and of the
// calls.
func (db *Fake) Collect(ch chan<- prometheus.Metric) {
	db.pool.Collect(ch)
	db.engine.Collect(ch)
}
