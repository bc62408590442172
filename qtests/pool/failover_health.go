package pool

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
)

// This file has the failover's health checks, its moves, and what it reports.

// openSet holds which breakers are open, one bit per backend.
type openSet uint64

// open asks the breakers. It must not hold the lock: a breaker tells the time's
// transitions to its user's hooks as it is asked.
func (f *Failover[R]) openBreakers() (s openSet) {
	for i, b := range f.breakers {
		if b.State() == breaker.Open {
			s |= 1 << i
		}
	}
	return s
}

// current returns the active backend after any move that is due.
func (f *Failover[R]) current() int { return f.update(func(*failoverCore, instant) {}) }

// update changes what is known of the backends and returns the active one after
// any move that follows.
func (f *Failover[R]) update(change func(c *failoverCore, now instant)) int {
	open := f.openBreakers()
	f.mu.Lock()
	defer f.mu.Unlock()
	c := &f.mu.core
	now := f.now()
	change(c, now)
	if open.has(c.active) {
		c.down(c.active, "breaker open", now)
	}
	if m, moved := c.choose(now, open.has); moved {
		f.mu.moves++
		f.log.Add(f.clk.Now(), "failover "+f.name,
			fmt.Sprintf("%s → %s: %s", f.pools[m.from].name, f.pools[m.to].name, m.reason))
	}
	f.armLocked(now)
	return c.active
}

func (s openSet) has(i int) bool { return s>>i&1 == 1 }

// tripped notes that a backend has failed a caller and returns those that may
// serve the caller instead.
func (f *Failover[R]) tripped(i int) (alternatives []int) {
	open := f.openBreakers().has(i)
	f.update(func(c *failoverCore, now instant) {
		if open {
			c.down(i, "breaker open", now)
		}
		alternatives = c.alternatives(i)
	})
	return alternatives
}

// armLocked has the move back made at its instant even if nobody calls.
func (f *Failover[R]) armLocked(now instant) {
	at := f.mu.core.returnAt()
	if at <= now || f.mu.closed {
		at = 0
	}
	if at == f.mu.backAt {
		return
	}
	if f.mu.back != nil {
		f.mu.back.Stop()
	}
	f.mu.backAt, f.mu.back = at, nil
	if at != 0 {
		f.mu.back = f.clk.AfterFunc(at-now, func() { f.current() })
	}
}

// start schedules the first check of each backend.
func (f *Failover[R]) start() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ctx, f.mu.cancel = context.WithCancel(context.Background())
	f.mu.timers = make([]*clock.Timer, len(f.pools))
	for i := range f.pools {
		f.scheduleLocked(i, f.now()+f.interval)
	}
}

// scheduleLocked sets the next check of a backend for the instant due.
func (f *Failover[R]) scheduleLocked(i int, due instant) {
	f.mu.timers[i] = f.clk.AfterFunc(max(1, due-f.now()), func() { f.check(i, due) })
}

// check runs Health. Its result counts once: what it returns, or that it has
// taken too long. The next check waits until Health has returned.
func (f *Failover[R]) check(i int, due instant) {
	f.mu.Lock()
	if f.mu.closed {
		f.mu.Unlock()
		return
	}
	f.mu.checks.Add(1)
	f.mu.Unlock()

	ctx, cancel := f.clk.WithTimeout(f.ctx, f.timeout)
	var judged sync.Once
	judge := func(err error) {
		judged.Do(func() {
			f.update(func(c *failoverCore, now instant) { c.checked(i, text(err), now) })
		})
	}
	late := f.clk.AfterFunc(f.timeout, func() { judge(context.DeadlineExceeded) })
	go func() {
		err := ErrGoexit
		defer func() {
			if p := recover(); p != nil {
				err = &PanicError{p, debug.Stack()}
			}
			late.Stop()
			cancel()
			judge(err)
			f.mu.Lock()
			defer f.mu.Unlock()
			if !f.mu.closed {
				f.scheduleLocked(i, f.nextCheck(due))
			}
			f.mu.checks.Done()
		}()
		_, err = inCallback(func() (any, error) { return nil, f.health(ctx, f.configs[i]) })
	}()
}

// nextCheck is the first instant after now on the grid that due is on.
func (f *Failover[R]) nextCheck(due instant) instant {
	if late := f.now() - due; late >= f.interval {
		due += late / f.interval * f.interval
	}
	return due + f.interval
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return or(err.Error(), "unnamed error")
}

// stop ends the health checks.
func (f *Failover[R]) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.closed = true
	for _, t := range append(f.mu.timers, f.mu.back) {
		if t != nil {
			t.Stop()
		}
	}
	if f.mu.cancel != nil {
		f.mu.cancel()
	}
}

// wait waits until the last call of Health has returned or ctx ends.
func (f *Failover[R]) wait(ctx context.Context) error {
	if insideCallback() {
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.mu.checks.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("pool: failover %s: a health check has not returned: %w", f.name, ctx.Err())
	}
}

// FailoverStats is one snapshot of a failover's own state; each backend's pool
// is a snapshot of its own, taken right after.
type FailoverStats struct {
	Name     string
	Active   string // name of the backend that gets the traffic
	Moves    uint64
	Backends []BackendStats // in order of preference
}

// BackendStats is one backend of [FailoverStats].
type BackendStats struct {
	Name    string
	Healthy bool
	Since   time.Duration // how long it has been so; 0 if it has never changed
	Reason  string        // why it is not healthy
	Breaker breaker.State
	Pool    Stats
}

// Stats returns a snapshot.
func (f *Failover[R]) Stats() FailoverStats {
	f.current()
	f.mu.Lock()
	s := FailoverStats{Name: f.name, Active: f.pools[f.mu.core.active].name, Moves: f.mu.moves}
	now := f.now()
	for i, b := range f.mu.core.backends {
		k := BackendStats{Name: f.pools[i].name, Healthy: b.healthy, Reason: b.reason}
		if b.since != 0 {
			k.Since = qtests.Round(now - b.since)
		}
		s.Backends = append(s.Backends, k)
	}
	f.mu.Unlock()
	for i := range s.Backends {
		s.Backends[i].Breaker, s.Backends[i].Pool = f.breakers[i].State(), f.pools[i].Stats()
	}
	return s
}

// Describe implements prometheus.Collector.
func (f *Failover[R]) Describe(ch chan<- *prometheus.Desc) {
	ch <- f.desc
	for i, p := range f.pools {
		p.Describe(ch)
		f.breakers[i].Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (f *Failover[R]) Collect(ch chan<- prometheus.Metric) {
	active := f.current()
	for i, p := range f.pools {
		v := 0.0
		if i == active {
			v = 1
		}
		ch <- prometheus.MustNewConstMetric(f.desc, prometheus.GaugeValue, v, p.name)
		p.Collect(ch)
		f.breakers[i].Collect(ch)
	}
}
