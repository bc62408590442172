// Package scrape serves the metrics of a process for a Prometheus that scrapes it.
package scrape

import (
	"fmt"
	"net"
	"net/http"
	"sync"

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

// A Shared serves one collector for all that join it, while at least one has not left. The zero value
// serves nothing. It is safe for concurrent use.
type Shared[C prometheus.Collector] struct {
	mu struct {
		sync.Mutex
		collector C
		joined    int
		stop      func()
	}
}

// Join returns the collector that is served. The first to join has it made, and served at the address.
// leave is to be called once; the last one to leave ends the service.
func (s *Shared[C]) Join(address string, make func() C) (c C, leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.joined == 0 {
		made := make()
		_, stop, err := Serve(address, made)
		if err != nil {
			return c, nil, err
		}
		s.mu.collector, s.mu.stop = made, stop
	}
	s.mu.joined++
	return s.mu.collector, s.leave, nil
}

func (s *Shared[C]) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.joined--; s.mu.joined == 0 {
		s.mu.stop()
	}
}
