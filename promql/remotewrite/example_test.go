package remotewrite_test

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/promql/remotewrite"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// A load in real time shows in a Prometheus while it runs, if QTESTS_REMOTE_WRITE names one.
func Example() {
	var t *testing.T // the one of the test
	var visit func(context.Context, *load.User) error
	metrics, registry := load.NewMetrics(), prometheus.NewRegistry()
	registry.MustRegister(metrics)
	remotewrite.StartT(t, registry)
	load.Run(t, load.Scenario{Metrics: metrics, Traffic: traffic.Users(10), Do: visit})
}
