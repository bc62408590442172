package pool

import "github.com/prometheus/client_golang/prometheus"

// SQLStats is one snapshot of an [SQL].
type SQLStats struct {
	Pool      Stats
	Calls     FaultStats
	Unmatched uint64 // queries that no stub answered
}

// Stats returns the numbers of the pool and of the calls so far.
func (db *SQL) Stats() SQLStats {
	db.mu.Lock()
	unmatched := db.mu.unmatched
	db.mu.Unlock()
	return SQLStats{Pool: db.pool.Stats(), Calls: db.engine.stats(), Unmatched: unmatched}
}

// Describe implements prometheus.Collector.
func (db *SQL) Describe(ch chan<- *prometheus.Desc) {
	db.pool.Describe(ch)
	db.engine.Describe(ch)
}

// Collect implements prometheus.Collector: the metrics of the pool and of the
// calls.
func (db *SQL) Collect(ch chan<- prometheus.Metric) {
	db.pool.Collect(ch)
	db.engine.Collect(ch)
}
