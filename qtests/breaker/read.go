package breaker

import "time"

// State returns the state at this moment: an open breaker whose time has passed
// is half-open, whether or not a call has come since.
func (b *Breaker) State() State { return b.Stats().State }

// Mode returns who decides about the state.
func (b *Breaker) Mode() Mode { return b.Stats().Mode }

// Counts returns what was counted since the state was entered, with the windows
// as they are at this moment.
func (b *Breaker) Counts() Counts { return b.Stats().Counts }

// Forever is what [Breaker.RetryAfter] returns for a breaker that is forced open.
const Forever = never

// RetryAfter returns how long an open breaker will go on rejecting: zero when it
// is closed or half-open, [Forever] when it is forced open.
func (b *Breaker) RetryAfter() time.Duration { return b.Stats().RetryAfter }

// Stats returns everything about the breaker as it is at this moment.
func (b *Breaker) Stats() (s Stats) {
	b.control(func(m *machine) {
		s = m.stats()
		s.HooksDropped = b.mu.deliveries.dropped
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
		InFlight: m.running, Transitions: m.totals.transitions, TransitionsDropped: m.log.dropped,
	}
	switch {
	case m.state == Open && m.mode == ForcedOpen:
		s.RetryAfter = Forever
	case m.state == Open:
		s.RetryAfter = m.until - m.now
	}
	return s
}
