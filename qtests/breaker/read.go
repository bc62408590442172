package breaker

// State returns the state at this moment: an open breaker whose time has passed
// is half-open, whether or not a call has come since.
func (b *Breaker) State() State { return b.Stats().State }

// Stats returns everything about the breaker as it is at this moment.
func (b *Breaker) Stats() (s Stats) {
	b.control(func(m *machine) {
		s = m.stats()
		s.HooksDropped = b.mu.hooksDropped
	})
	return s
}

// Transitions returns a copy of the log, oldest entry first. It holds the latest
// Config.LogSize entries; Stats.TransitionsDropped counts the others.
func (b *Breaker) Transitions() (ts []Transition) {
	b.control(func(m *machine) { ts = m.log.all() })
	return ts
}

// stats reads the machine at its present instant.
func (m *machine) stats() Stats {
	s := Stats{
		Name: m.cfg.Name, State: m.state, Mode: m.mode,
		Since: m.instant(m.since), Counts: m.countsAt(m.now),
		Successes: m.totals.successes, Failures: m.totals.failures, Ignored: m.totals.ignored,
		Rejected: m.totals.rejected, Stale: m.totals.stale, WouldReject: m.totals.wouldReject,
		InFlight: m.running, Scripted: m.script.waiting(), Transitions: m.totals.transitions, TransitionsDropped: m.log.dropped,
	}
	switch {
	case m.state != Open || m.mode == Observing || m.mode == Recording:
	case m.mode == ForcedOpen || m.until == never:
		s.RetryAfter = never
	default:
		s.RetryAfter = m.until - m.now
	}
	return s
}
