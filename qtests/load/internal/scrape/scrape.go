// Package scrape serves the metrics of a process for a Prometheus that scrapes it.
package scrape

import (
	"fmt"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Var is the variable with the address, such as :9464.
const Var = "QTESTS_METRICS"

// Serve serves a collector at /metrics of an address until stop is called, which waits.
func Serve(address string, c prometheus.Collector) (at net.Addr, stop func(), err error) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(c); err != nil {
		return nil, nil, fmt.Errorf("load: %s: %w", Var, err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("load: %s: %w", Var, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	srv := &http.Server{Handler: mux}
	ended := make(chan struct{})
	go func() { _ = srv.Serve(l); close(ended) }() // ends by stop
	return l.Addr(), func() { _ = srv.Close(); <-ended }, nil
}
