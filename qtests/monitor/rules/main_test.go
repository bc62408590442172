package rules_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gauge returns a gauge in a registry of its own.
func gauge(name string) (prometheus.Gauge, *prometheus.Registry) {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "For the test."})
	r := prometheus.NewRegistry()
	r.MustRegister(g)
	return g, r
}
