package metrics_test

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/metrics"
)

func Example() {
	b, err := breaker.New(breaker.Config{Name: "payments"})
	if err != nil {
		panic(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.Of(b))
	b.Trip()
	families, err := registry.Gather()
	if err != nil {
		panic(err)
	}
	for _, f := range families {
		if strings.Contains(f.GetName(), "state") {
			fmt.Println(f.GetName(), f.GetHelp())
		}
	}
	// Output:
	// breaker_state 1 for the present state of the circuit breaker, 0 for the others.
}
