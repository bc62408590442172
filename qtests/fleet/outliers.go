package fleet

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
