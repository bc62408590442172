package fleet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Selector chooses instances when an event begins.
type Selector struct {
	name   string
	choose func(f *Fleet, all []*Instance) []*Instance
}

// Named are the instances of these names. Names that no instance has select nothing.
func Named(names ...string) Selector {
	return Selector{strings.Join(names, ", "), func(_ *Fleet, all []*Instance) []*Instance {
		return slices.DeleteFunc(all, func(i *Instance) bool { return !slices.Contains(names, i.name) })
	}}
}

// Some are n instances, drawn from the seed.
func Some(n int) Selector {
	return Selector{fmt.Sprintf("some %d", n), func(f *Fleet, all []*Instance) []*Instance {
		r := f.stream.Sub("some").At(uint64(f.clk.Since(f.begun)))
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return all[:min(max(n, 0), len(all))]
	}}
}

// Everyone is every instance.
func Everyone() Selector {
	return Selector{"all", func(_ *Fleet, all []*Instance) []*Instance { return all }}
}

// InZone are the instances of a zone.
func InZone(zone string) Selector {
	return Selector{"zone " + zone, func(_ *Fleet, all []*Instance) []*Instance {
		return slices.DeleteFunc(all, func(i *Instance) bool { return i.zone != zone })
	}}
}

// OfVersion are the instances of a version.
func OfVersion(version string) Selector {
	return Selector{version, func(_ *Fleet, all []*Instance) []*Instance {
		return slices.DeleteFunc(all, func(i *Instance) bool { return i.release.Version != version })
	}}
}

// event is one that changes the selected instances, and changes the same ones back.
func (f *Fleet) event(what string, who Selector, begin, end func(s *state, i *Instance)) event.Event {
	var chosen []*Instance
	each := func(do func(s *state, i *Instance)) {
		f.change(func(s *state) {
			for _, i := range chosen {
				do(s, i)
			}
		})
	}
	var back func()
	if end != nil {
		back = func() { each(end) }
	}
	return event.New(fmt.Sprintf("%s: %s: %s", f.cfg.Name, who.name, what), func() {
		f.read(func(s *state) { chosen = who.choose(f, slices.Clone(s.all)) })
		each(begin)
	}, back)
}

// Crash ends the processes of the selected instances. Requests under way break off. They start again with the back-off
// of Kubernetes: at once, after 10 s, 20 s, … 5 min. The event has no end.
func (f *Fleet) Crash(who Selector) event.Event {
	return f.event("crash", who, func(s *state, i *Instance) { s.crash(i, "crashes") }, nil)
}

// Hang keeps the selected instances from answering: connections are accepted, and nothing comes back before the event ends.
func (f *Fleet) Hang(who Selector) event.Event {
	return f.event("hangs", who,
		func(_ *state, i *Instance) { i.hung = true },
		func(s *state, i *Instance) {
			i.hung = false
			for _, gate := range i.gates {
				s.wake(gate)
			}
			i.gates = nil
		})
}

// Slow makes the selected instances take factor times as long, for processor time and handlers; factor is above 1.
func (f *Fleet) Slow(who Selector, factor float64) event.Event {
	f.q.Helper()
	if !(factor > 1) {
		tb.Fatalf(f.q, "fleet %s: Slow(%v): the factor is not above 1", f.cfg.Name, factor)
	}
	return f.event(fmt.Sprintf("%g times as slow", factor), who,
		func(_ *state, i *Instance) { i.slow = factor },
		func(_ *state, i *Instance) { i.slow = 1 })
}

// Restart stops the selected instances and starts others in their places, as kubectl delete pod does. The event has no end.
func (f *Fleet) Restart(who Selector) event.Event {
	return f.event("restart", who, func(s *state, i *Instance) {
		s.stop(i)
		if s.deploys.current() == nil {
			s.reconcile(false)
		}
	}, nil)
}

// Drain keeps the selected instances out of the balancer until the event ends: they count as not ready.
func (f *Fleet) Drain(who Selector) event.Event {
	return f.event("drained", who,
		func(s *state, i *Instance) { s.setReady(i, false) },
		func(s *state, i *Instance) {
			if i.phase == Running && !i.lost {
				s.setReady(i, i.process.ready.well || !i.release.Life.Readiness.set())
			}
		})
}

// Cut cuts the link of this name of the selected instances until the event ends. What is under way goes on.
func (f *Fleet) Cut(who Selector, name string) event.Event {
	set := func(cut bool) func(*state, *Instance) {
		return func(_ *state, i *Instance) {
			if i.links[name] == nil {
				i.links[name] = &Link{inst: i, name: name}
			}
			i.links[name].cut = cut
		}
	}
	return f.event("cut off from "+name, who, set(true), set(false))
}

// LoseZone puts a zone out of reach until the event ends. Requests under way break off, connections to its instances
// time out. After Life.NodeNotice they count as not ready, and after Life.Eviction more they are replaced in other
// zones. When the zone comes back, those that are left start again.
func (f *Fleet) LoseZone(zone string) event.Event {
	f.q.Helper()
	if !slices.Contains(f.cfg.Zones, zone) {
		tb.Fatalf(f.q, "fleet %s: LoseZone(%q): there is no such zone; there are %q", f.cfg.Name, zone, f.cfg.Zones)
	}
	return event.New(fmt.Sprintf("%s: zone %s is lost", f.cfg.Name, zone),
		func() { f.change(func(s *state) { s.loseZone(zone) }) },
		func() { f.change(func(s *state) { s.findZone(zone) }) })
}

func (s *state) loseZone(zone string) {
	s.lostZones[zone] = true
	for _, i := range slices.Clone(s.all) {
		if i.zone == zone {
			i.lost = true
			s.end(i.process)
			if i.phase == Stopping {
				s.gone(i)
				continue
			}
			i.phase = Crashed
			s.noticeLater(i)
		}
	}
}

// noticeLater is what the control plane does about an instance that it does not hear of.
func (s *state) noticeLater(i *Instance) {
	p, f, life := i.process, s.fleet, i.release.Life
	s.effect(func() {
		f.after(life.NodeNotice, func() {
			f.change(func(s *state) {
				if i.lost && i.process == p {
					s.setReady(i, false)
				}
			})
		})
		f.after(life.NodeNotice+life.Eviction, func() {
			f.change(func(s *state) {
				if i.lost && i.process == p {
					s.stop(i)
					if s.deploys.current() == nil {
						s.reconcile(false)
					}
				}
			})
		})
	})
}

func (s *state) findZone(zone string) {
	delete(s.lostZones, zone)
	for _, i := range s.all {
		if i.zone == zone && i.lost {
			i.lost = false
			s.restartIn(i, 0)
		}
	}
}
