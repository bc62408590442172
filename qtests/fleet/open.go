package fleet

import (
	"context"
	"net/http"
	"time"

	"github.com/go-qtests/qtests/qtests/fleet/internal/timeline"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/tb"
)

// NewT returns a fleet whose instances run. It closes when q ends, and fails q then if the counts do not
// add up. A cfg that is negative or contradictory fails q at once.
func NewT(q T, cfg Config) *Fleet {
	q.Helper()
	cfg, err := cfg.withDefaults()
	if err != nil {
		tb.Fatalf(q, "%v", err)
	}
	f := &Fleet{q: q, cfg: cfg, clk: q.Clock(), log: q.EventLog(), stream: q.Stream("fleet " + cfg.Name)}
	if cfg.Seed != 0 {
		f.stream = tb.NewStream(cfg.Seed, "fleet "+cfg.Name)
	}
	f.begun = f.clk.Now()
	s := &f.mu.state
	s.fleet, s.lostZones, s.why, s.endpoints = f, map[string]bool{}, map[reason]uint64{}, map[string]*Instance{}
	s.budget = cfg.Retry.Budget
	s.balancer, err = route.New(route.Config{
		Policy: cfg.Policy, Outliers: cfg.Outliers, PanicShare: cfg.PanicShare, NoPanic: cfg.NoPanic, Rand: f.stream.Sub("route").Rand(),
	})
	if err != nil {
		tb.Fatalf(q, "%v", err)
	}
	s.stable = &Release{Version: cfg.Version, New: cfg.New, Capacity: &cfg.Capacity, Life: &cfg.Life}
	s.wanted = cfg.Replicas
	s.timeline = timeline.New(f.begun)
	f.client = &http.Client{Transport: &transport{fleet: f}}
	f.change(func(s *state) {
		s.reconcile(!cfg.ColdStart)
		s.record.Set(f.begun, s.wanted, false, "")
	})
	if d := s.balancer.Interval(); d > 0 {
		f.every(d, func() { f.change(func(s *state) { s.sweep() }) })
	}
	if cfg.Scaling.By != nil {
		f.every(cfg.Scaling.By.Every(), f.rescale)
	}
	q.Cleanup(f.close)
	return f
}

// every calls do every d, until the fleet is closed.
func (f *Fleet) every(d time.Duration, do func()) {
	f.after(d, func() {
		do()
		f.every(d, do)
	})
}

// close ends all processes, and holds the counts together.
func (f *Fleet) close() {
	f.change(func(s *state) {
		s.closed = true
		for _, i := range s.all {
			if i.process != nil {
				s.end(i.process)
			}
		}
	})
	f.settle()
	if problem := f.unbalanced(); problem != "" {
		f.q.Errorf("fleet %s: the counts do not add up: %s", f.cfg.Name, problem)
	}
}

// lingers is how long the end of a fleet waits for handlers. One that goes on after that is reported as a leak.
const lingers = 10 * time.Second

// settle waits until no handler runs, and what follows has come to rest.
func (f *Fleet) settle() {
	f.q.Wait()
	var idle chan struct{}
	f.read(func(s *state) {
		if s.serving > 0 {
			idle = make(chan struct{})
			s.idle = idle
		}
	})
	if idle == nil {
		return
	}
	ctx, cancel := f.clk.WithTimeout(context.Background(), lingers)
	defer cancel()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	f.q.Wait()
}
