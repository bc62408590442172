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
	handler, err := handlerOf(c)
	if err != nil {
		return nil, nil, fmt.Errorf("load: %s: %w", Var, err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("load: %s: %w", Var, err)
	}
	srv := &http.Server{Handler: handler}
	ended := make(chan struct{})
	go func() { _ = srv.Serve(l); close(ended) }() // ends by stop
	return l.Addr(), func() { _ = srv.Close(); <-ended }, nil
}

func handlerOf(c prometheus.Collector) (http.Handler, error) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(c); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux, nil
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
		if err := s.startLocked(address, make()); err != nil {
			return c, nil, err
		}
	}
	s.mu.joined++
	return s.mu.collector, s.leave, nil
}

func (s *Shared[C]) startLocked(address string, c C) error {
	_, stop, err := Serve(address, c)
	if err == nil {
		s.mu.collector, s.mu.stop = c, stop
	}
	return err
}

func (s *Shared[C]) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.joined--; s.mu.joined == 0 {
		s.mu.stop()
	}
}
