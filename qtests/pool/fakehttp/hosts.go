package fakehttp

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/go-qtests/qtests/qtests/pool"
)

// maxHosts bounds how many hosts a fake keeps connections to.
const maxHosts = 1000

// pools returns the pools by host.
func (s *state) pools() []*pool.Pool[*conn] {
	var pools []*pool.Pool[*conn]
	for _, host := range slices.Sorted(maps.Keys(s.hosts)) {
		pools = append(pools, s.hosts[host])
	}
	return pools
}

// pools returns the pools by host.
func (h *Fake) pools() (pools []*pool.Pool[*conn]) {
	h.locked(func(s *state) { pools = s.pools() })
	return pools
}

// resize sets the capacity of each host.
func (h *Fake) resize(n int) {
	var pools []*pool.Pool[*conn]
	h.locked(func(s *state) {
		s.capacity = n
		pools = s.pools()
	})
	for _, p := range pools {
		_ = p.Resize(0, n) // a pool that is closed needs no capacity
	}
}

// host returns the pool of connections to a host.
func (h *Fake) host(name string) (p *pool.Pool[*conn], err error) {
	h.locked(func(s *state) {
		if p = s.hosts[name]; p == nil {
			p, err = h.newHost(s, name)
		}
	})
	return p, err
}

func (h *Fake) newHost(s *state, name string) (*pool.Pool[*conn], error) {
	if s.closed {
		return nil, pool.ErrClosed
	}
	if len(s.hosts) >= maxHosts {
		return nil, fmt.Errorf("fakehttp: %s: connections to more than %d hosts", h.common.Name, maxHosts)
	}
	p, err := pool.New(pool.Config[*conn]{
		Name: h.common.Name, Max: s.capacity, NoBackoff: true,
		New:        func(ctx context.Context) (*conn, error) { return h.dial(ctx, name) },
		MaxWaiters: h.cfg.MaxWaiters, AcquireTimeout: h.cfg.AcquireTimeout, MaxIdleTime: h.cfg.MaxIdleTime,
		Stacks: h.cfg.Stacks, Clock: h.common.Clock, EventLog: h.common.EventLog,
	})
	if err == nil {
		s.hosts[name] = p
	}
	return p, err
}

// CloseIdleConnections closes the connections that no request uses: what
// (*http.Client).CloseIdleConnections calls.
func (h *Fake) CloseIdleConnections() {
	for _, p := range h.pools() {
		for _, l := range p.AcquireAllIdle() {
			l.Discard(nil)
		}
	}
}
