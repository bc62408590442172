// Package remotewrite pushes metrics to a Prometheus while a test runs, with Prometheus' own client for
// its remote write protocol. It is for loads in real time whose parts are many processes: each pushes
// its own, with a label share, and the Prometheus sees the whole live.
//
//	metrics := load.NewMetrics()
//	registry := prometheus.NewRegistry()
//	registry.MustRegister(metrics)
//	remotewrite.StartT(t, registry) // where QTESTS_REMOTE_WRITE has a URL
//	load.Run(t, load.Scenario{Metrics: metrics, ...})
package remotewrite
