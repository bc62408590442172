package fleet

import (
	"cmp"
	"slices"

	"github.com/go-qtests/qtests/qtests/tb"
)

// group are the instances that were not told to stop, of the release that comes or of all others.
func (s *state) group(coming bool) (some []*Instance) {
	for _, i := range s.all {
		if !i.leaving && (i.release == s.next) == coming {
			some = append(some, i)
		}
	}
	return some
}

// reconcile makes the number of instances what is wanted, where no deployment does.
func (s *state) reconcile(warm bool) {
	if s.next == nil {
		s.resize(false, s.wanted, warm)
		return
	}
	s.resize(true, min(len(s.group(true)), s.wanted), warm)
	s.resize(false, s.wanted-len(s.group(true)), warm)
}

// resize starts or stops instances of one group until there are n.
func (s *state) resize(coming bool, n int, warm bool) {
	some := s.group(coming)
	release := s.stable
	if coming {
		release = s.next
	}
	for range n - len(some) {
		s.create(release, s.emptiestZone(), warm)
		if !warm {
			s.readyWithoutProbe(s.all[len(s.all)-1])
		}
	}
	if excess := len(some) - max(0, n); excess > 0 {
		for _, i := range victims(some)[:excess] {
			s.stop(i)
		}
	}
	s.timeline.SetReplicas(s.fleet.clk.Now(), len(s.group(true))+len(s.group(false)))
}

// victims orders instances by who is stopped first, as a ReplicaSet of Kubernetes does: those that do not run,
// those that are not ready, those that became ready last, those that crashed most, the youngest.
func victims(some []*Instance) []*Instance {
	some = slices.Clone(some)
	rank := func(i *Instance) int {
		switch {
		case i.phase == Starting || i.lost:
			return 0
		case !i.ready:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(some, func(a, b *Instance) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), b.since.Compare(a.since), cmp.Compare(b.starts, a.starts), cmp.Compare(b.number, a.number))
	})
	return some
}

// emptiestZone is the zone with the fewest instances, of those that are not lost.
func (s *state) emptiestZone() string {
	best, least := "", -1
	for _, lostToo := range []bool{false, true} {
		for _, z := range s.fleet.cfg.Zones {
			n := 0
			for _, i := range s.all {
				if i.zone == z && !i.leaving {
					n++
				}
			}
			if (lostToo || !s.lostZones[z]) && (least < 0 || n < least) {
				best, least = z, n
			}
		}
		if least >= 0 {
			break
		}
	}
	return best
}

// Scale makes n the number of replicas that are wanted, from 0 to MaxReplicas; the Scaling of the fleet may change it again.
// It returns at once.
func (f *Fleet) Scale(n int) {
	f.q.Helper()
	if n < 0 || n > MaxReplicas {
		tb.Fatalf(f.q, "fleet %s: Scale(%d): is not from 0 to %d", f.cfg.Name, n, MaxReplicas)
	}
	f.change(func(s *state) { s.scale(n, false, "by hand") })
}

// scale changes the number that is wanted.
func (s *state) scale(n int, over bool, why string) {
	now, before := s.fleet.clk.Now(), s.wanted
	s.record.Set(now, n, over, why)
	if n == before {
		return
	}
	s.wanted = n
	s.effect(func() { s.fleet.mark("%d → %d replicas: %s", before, n, why) })
	if s.deploys.current() == nil {
		s.reconcile(false)
	}
}

// Replicas is how many are wanted, and how many are ready.
func (f *Fleet) Replicas() (wanted, ready int) {
	f.read(func(s *state) {
		wanted = s.wanted
		for _, i := range s.all {
			if i.ready {
				ready++
			}
		}
	})
	return wanted, ready
}

// Instances returns those that are not gone, in the order in which they were made.
func (f *Fleet) Instances() (all []*Instance) {
	f.read(func(s *state) { all = slices.Clone(s.all) })
	return all
}
