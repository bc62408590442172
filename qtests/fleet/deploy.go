package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
	"github.com/go-qtests/qtests/qtests/tb"
)

// deployTick is how often a deployment is looked at.
const deployTick = time.Second

// Deploy is the event in which a release begins to take the place of what runs. A deployment that is
// still under way is given up: its instances are then among the old ones. A release or a strategy that is
// contradictory fails the test at once.
func (f *Fleet) Deploy(r Release, by rollout.Strategy) event.Event {
	f.q.Helper()
	release, err := f.complete(r)
	if err == nil {
		_, err = by.Begin(f.clk.Now())
	}
	if err != nil {
		tb.Fatalf(f.q, "fleet %s: Deploy: %v", f.cfg.Name, err)
	}
	return event.New(fmt.Sprintf("%s: deploys %s", f.cfg.Name, r.Version), func() { f.deploy(release, by) }, nil)
}

// complete fills in what a release leaves to the fleet.
func (f *Fleet) complete(r Release) (*Release, error) {
	cfg := f.cfg
	cfg.Version = r.Version
	if r.New != nil {
		cfg.New = r.New
	}
	if r.Capacity != nil {
		cfg.Capacity = *r.Capacity
	}
	if r.Life != nil {
		cfg.Life = *r.Life
	}
	if r.Version == "" {
		return nil, fmt.Errorf("fleet: Release.Version: \"\" is no version")
	}
	if r.Capacity != nil || r.Life != nil { // those of the fleet have their defaults already
		var err error
		bare := Config{New: cfg.New, Version: r.Version, Capacity: cfg.Capacity, Life: cfg.Life}
		if r.Capacity == nil {
			bare.Capacity = Capacity{}
		}
		if r.Life == nil {
			bare.Life = Life{}
		}
		if bare, err = bare.withDefaults(); err != nil {
			return nil, err
		}
		if r.Capacity != nil {
			cfg.Capacity = bare.Capacity
		}
		if r.Life != nil {
			cfg.Life = bare.Life
		}
	}
	return &Release{Version: cfg.Version, New: cfg.New, Capacity: &cfg.Capacity, Life: &cfg.Life}, nil
}

func (f *Fleet) deploy(release *Release, by rollout.Strategy) {
	now := f.clk.Now()
	r, err := by.Begin(now)
	if err != nil {
		return // not reached: Deploy has asked
	}
	d := &Deployment{Version: release.Version, Began: now, release: release, rollout: r, share: -1, old: newGroup(), new: newGroup()}
	f.change(func(s *state) {
		if running := s.deploys.current(); running != nil {
			running.finish(now, rollout.RolledBack, "given up for "+release.Version)
		}
		s.next = release
		s.deploys = append(s.deploys, d)
	})
	f.advance(d)
}

// advance asks the rollout, does what it says, and goes on a second later.
func (f *Fleet) advance(d *Deployment) {
	var now rollout.State
	under := false
	f.read(func(s *state) {
		if under = s.deploys.current() == d; under {
			now = s.rolling(d)
		}
	})
	if !under {
		return
	}
	var a rollout.Action
	err := f.guard("the rollout", func() error {
		a = d.rollout.Next(now)
		return nil
	})
	if err != nil {
		a = rollout.Action{Old: now.Old.Instances, New: now.New.Instances, Share: -1, Phase: rollout.Stuck, Reason: "the rollout failed"}
	}
	f.change(func(s *state) { s.act(d, a) })
	if !a.Phase.Final() {
		f.after(deployTick, func() { f.advance(d) })
	}
}

// act does what a rollout says.
func (s *state) act(d *Deployment, a rollout.Action) {
	if s.deploys.current() != d {
		return
	}
	if d.Reason != a.Reason || a.Phase.Final() {
		s.effect(func() { s.fleet.mark("%s: %v: %s", d.Version, a.Phase, a.Reason) })
	}
	d.Phase, d.Reason, d.share = a.Phase, a.Reason, a.Share
	s.resize(true, a.New, false)
	s.resize(false, a.Old, false)
	if !a.Phase.Final() {
		return
	}
	d.finish(s.fleet.clk.Now(), a.Phase, a.Reason)
	switch a.Phase {
	case rollout.Complete:
		s.stable, s.next = d.release, nil
		s.reconcile(false)
	case rollout.RolledBack:
		for _, i := range s.group(true) {
			s.stop(i)
		}
		s.next = nil
		s.reconcile(false)
	}
}

// rolling is what a rollout knows.
func (s *state) rolling(d *Deployment) rollout.State {
	now := s.fleet.clk.Now()
	side := func(coming bool, g group) rollout.Group {
		x := rollout.Group{Requests: g.counts.Offered, Failed: g.counts.Failed, P99: time.Duration(g.latency.ValueAtQuantile(99)) * time.Microsecond}
		for _, i := range s.group(coming) {
			x.Instances++
			if i.ready && now.Sub(i.since) >= d.rollout.MinReady() {
				x.Available++
			}
		}
		return x
	}
	return rollout.State{Now: now, Wanted: s.wanted, Old: side(false, d.old), New: side(true, d.new)}
}

// Deployments returns what was deployed, in order, and how far it is.
func (f *Fleet) Deployments() (all []Deployment) {
	f.read(func(s *state) {
		for _, d := range s.deploys {
			all = append(all, Deployment{Version: d.Version, Began: d.Began, Ended: d.Ended, Phase: d.Phase, Reason: d.Reason})
		}
	})
	return slices.Clip(all)
}
