package failover_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/failover"
)

// Callers are served by the replica while the primary cannot make a resource. When
// the breaker of the primary opens, the traffic moves.
func Example() {
	type conn struct{}
	db, err := failover.New(failover.Config[*conn]{
		Name: "db",
		Backends: []pool.Config[*conn]{
			{Name: "primary", New: func(context.Context) (*conn, error) { return nil, errors.New("connection refused") }},
			{Name: "replica", New: func(context.Context) (*conn, error) { return &conn{}, nil }},
		},
		Breaker: breaker.Config{FailureThreshold: 2},
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	for range 2 {
		before := db.Active()
		lease, err := db.Acquire(ctx)
		if err != nil {
			panic(err)
		}
		fmt.Println(before, "is active,", lease.Pool(), "serves")
		lease.Release()
	}
	fmt.Println(db.Active(), "is active:", db.Stats().Backends[0].Reason)
	fmt.Println(db.Close(ctx))
	// Output:
	// primary is active, replica serves
	// primary is active, replica serves
	// replica is active: breaker open
	// <nil>
}
