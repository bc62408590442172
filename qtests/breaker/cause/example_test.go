package cause_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/cause"
)

// An opening that an operator asked for wakes nobody up.
func Example() {
	b, err := breaker.New(breaker.Config{
		Name: "payments", FailureThreshold: 2,
		OnTransition: func(t breaker.Transition) {
			if t.To == breaker.Open && t.Cause != cause.Forced && t.Cause != cause.Trip {
				fmt.Println("page:", t.Cause)
			}
		},
	})
	if err != nil {
		panic(err)
	}
	b.Trip()
	b.Reset()
	for range 2 {
		_ = b.Do(context.Background(), func(context.Context) error { return errors.New("connection refused") })
	}
	// Output: page: consecutive failures
}
