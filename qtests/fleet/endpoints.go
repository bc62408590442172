package fleet

// This file has what the balancer is told of the instances, and what it tells of them.

// setReady says whether an instance is ready. The balancer is told later.
func (s *state) setReady(i *Instance, ready bool) {
	if i.ready == ready {
		return
	}
	i.ready, i.since = ready, s.fleet.clk.Now()
	s.tell(i, ready)
}

// tell tells the balancer, when the lag is over.
func (s *state) tell(i *Instance, ready bool) {
	f := s.fleet
	lag := i.release.Life.EndpointLag
	if lag == 0 {
		s.setEndpoint(i, ready)
		return
	}
	s.effect(func() {
		f.after(lag, func() { f.change(func(s *state) { s.setEndpoint(i, ready) }) })
	})
}

// setEndpoint lets the balancer have an instance, or not.
func (s *state) setEndpoint(i *Instance, in bool) {
	if (s.endpoints[i.name] != nil) == in || in && i.phase == Stopped {
		return
	}
	if !in {
		s.balancer.Remove(i.name)
		delete(s.endpoints, i.name)
		return
	}
	s.endpoints[i.name] = i
	_, _ = s.balancer.Add(i.name, i.zone, 1) // a new name, and a weight of 1
	s.balancer.SetFailing(i.name, !i.process.healthy.well)
}

// readyWithoutProbe is what Kubernetes does where there is no readiness probe: the process exists.
func (s *state) readyWithoutProbe(i *Instance) {
	if !i.release.Life.Readiness.set() {
		s.setReady(i, true)
	}
}

// sweep compares the instances with each other.
func (s *state) sweep() {
	s.balancer.Sweep(s.fleet.clk.Now())
	s.tellEjections()
}

// tellEjections writes what the balancer ejected to the event log.
func (s *state) tellEjections() {
	all, _ := s.balancer.Ejections()
	for _, e := range all[min(s.told, len(all)):] {
		s.effect(func() {
			if e.Out {
				s.fleet.log.Add(e.At, "fleet "+s.fleet.cfg.Name, e.Target+": is ejected: "+e.Why)
			} else {
				s.fleet.log.Add(e.At, "fleet "+s.fleet.cfg.Name, e.Target+": is back")
			}
		})
	}
	s.told = len(all)
}
