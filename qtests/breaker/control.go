package breaker

// trip opens the breaker as a condition would. An open one stays as it is, and
// so does a forced one.
func (m *machine) trip() {
	if m.state != Open && m.mode != ForcedClosed {
		m.open(m.now, CauseTrip, "tripped")
	}
}

// reset closes the breaker and forgets its counts, unless it is forced.
func (m *machine) resetState() {
	if m.mode == ForcedOpen || m.mode == ForcedClosed {
		return
	}
	if m.state == Closed {
		m.reopened = 0
		m.restart()
		return
	}
	m.close(m.now, CauseReset, "reset")
}

// setMode changes who decides. Every change begins a new generation, because
// what was counted under one mode says nothing under another, and an open
// breaker that is no longer forced waits its full time from here.
func (m *machine) setMode(mode Mode) {
	if mode == m.mode {
		return
	}
	m.mode = mode
	switch {
	case mode == ForcedOpen && m.state != Open:
		m.transition(Open, m.now, CauseForced, "forced open")
	case mode == ForcedClosed && m.state != Closed:
		m.close(m.now, CauseForced, "forced closed")
	default:
		m.restart()
		m.until = saturatingAdd(m.now, m.cfg.ResetTimeout)
	}
}

// control runs one verb of the machine under the lock.
func (b *Breaker) control(verb func(*machine)) {
	_ = b.tenancy.Use(b.clock, "breaker", b.cfg.Name) // it fails the test
	now := b.now()
	b.lock()
	b.mu.machine.advance(now)
	verb(b.mu.machine)
	if b.unlock() {
		b.deliver()
	}
}

// Trip opens the breaker at once, as if a condition held: it is half-open after
// ResetTimeout, or after the back-off if it was half-open. An open breaker stays
// as it is, and so does a forced one.
func (b *Breaker) Trip() { b.control((*machine).trip) }

// Reset closes the breaker, forgets its counts and resets the back-off; calls in
// flight become stale. The log, the totals and the script stay. A forced breaker
// stays as it is.
func (b *Breaker) Reset() { b.control((*machine).resetState) }

// ForceOpen opens the breaker until [Breaker.Auto], or another mode, releases
// it. Time, results, Trip, Reset and scripted openings do not change its state.
func (b *Breaker) ForceOpen() { b.setMode(ForcedOpen) }

// ForceClosed closes the breaker until [Breaker.Auto], or another mode, releases
// it. Calls are counted, but no condition is evaluated.
func (b *Breaker) ForceClosed() { b.setMode(ForcedClosed) }

// Observe makes the breaker pass every call while its state goes on as the
// Config says: the log shows when it would have opened and closed, with entries
// marked Observed, and Stats.WouldReject how many calls it would have rejected.
// Those calls do not count for the state, as they would not have been made.
func (b *Breaker) Observe() { b.setMode(Observing) }

// Auto gives the decision back to the conditions of the Config, in the state in
// which it finds the breaker. As with every change of mode the counts begin at
// zero, calls in flight become stale, and an open breaker waits a full
// ResetTimeout from now.
func (b *Breaker) Auto() { b.setMode(Automatic) }

func (b *Breaker) setMode(mode Mode) { b.control(func(m *machine) { m.setMode(mode) }) }

// Script adds steps that drive the breaker as a fake is driven: it opens at an
// instant, rejects the next calls, or fails them. Steps wait beside those that
// are waiting already. A step without meaning is an error, and then none of them
// is added.
func (b *Breaker) Script(steps ...Step) (err error) {
	b.control(func(m *machine) { err = m.script.add(m.now, steps) })
	return err
}

// ClearScript forgets the steps that have not happened. An opening that has
// begun goes on.
func (b *Breaker) ClearScript() { b.control(func(m *machine) { m.script = script{} }) }
