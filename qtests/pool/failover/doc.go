// Package failover sends all callers to one of several pools, and to the next one
// when that fails.
//
//	db := failover.NewT(t, failover.Config[*Conn]{
//		Backends: []pool.Config[*Conn]{{Name: "primary", New: dialPrimary}, {Name: "replica", New: dialReplica}},
//		Breaker:  breaker.Config{FailureThreshold: 5, ResetTimeout: 10 * time.Second},
//	})
//	lease, err := db.Acquire(ctx)
//
// # Terms
//
// A backend is one pool with its breaker. The preferred backend is the first one.
// The active backend gets the traffic. A move makes another backend active.
//
// # When traffic moves
//
//   - Away from the active backend: UnhealthyAfter health checks in a row have failed,
//     or its breaker is open. Traffic moves to the first healthy backend whose breaker
//     is not open. If there is none, it stays, and callers get the errors.
//   - Back to a preferred backend: it has been healthy for HealthyFor, and its breaker
//     is not open.
//
// A caller whose resource cannot be made is served by the next healthy backend
// without waiting for the move. A caller that waits at a backend when traffic moves away
// from it moves along; the Stats of that backend's pool count it as canceled. Leases
// that are out when traffic moves stay valid.
// Each move is in the event log: "primary → replica: health check: connection
// refused".
//
// # Health checks
//
// Each backend is checked every HealthInterval, on a goroutine of the failover. A
// check that panics, calls runtime.Goexit or takes longer than HealthTimeout has
// failed. The next check of a backend begins when the one before has returned.
//
// # Metrics
//
// A failover is a prometheus.Collector with failover_active{failover,backend}, and
// with the metrics of its pools and breakers.
package failover
