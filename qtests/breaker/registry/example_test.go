package registry_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/registry"
)

// A gateway has a breaker for each host that it calls. One hook hears of all of them.
func Example() {
	hosts, err := registry.New(registry.Config{
		Default: breaker.Config{
			FailureThreshold: 2,
			OnTransition:     func(t breaker.Transition) { fmt.Println(t.Breaker, t) },
		},
		Overrides: map[string]breaker.Config{"fragile.example": {FailureThreshold: 1}},
	})
	if err != nil {
		panic(err)
	}
	call := func(host string) {
		b, err := hosts.Get(host)
		if err != nil {
			panic(err)
		}
		_ = b.Do(context.Background(), func(context.Context) error { return errors.New("connection refused") })
	}
	call("fragile.example")
	call("sturdy.example")
	for _, s := range hosts.Stats() {
		fmt.Println(s.Name, s.State)
	}
	// Output:
	// fragile.example closed → open: 1 consecutive failure
	// fragile.example open
	// sturdy.example closed
}
