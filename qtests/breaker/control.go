package breaker

import (
	"fmt"

	"github.com/go-qtests/qtests/qtests/breaker/cause"
)

// trip opens the breaker as a condition would. An open one stays as it is, and
// so does one whose mode holds it.
func (m *machine) trip() {
	if m.state != Open && !m.held() {
		m.open(m.now, cause.Trip, "tripped")
	}
}

// resetState closes the breaker and forgets its counts, unless its mode holds it.
func (m *machine) resetState() {
	if m.held() {
		return
	}
	if m.state == Closed {
		m.restart()
		return
	}
	m.close(m.now, cause.Reset, "reset")
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
		m.transition(Open, m.now, cause.Forced, "forced open")
	case mode == ForcedClosed && m.state != Closed:
		m.close(m.now, cause.Forced, "forced closed")
	default:
		m.restart()
		m.until = saturatingAdd(m.now, m.backoff.wait(0, m.totals.transitions[Open]))
	}
}

// record enters the state that another breaker reports.
func (m *machine) record(to State) {
	m.setMode(Recording)
	switch {
	case to == m.state || int(to) >= len(states):
	case to == Closed:
		m.close(m.now, cause.Recorded, "recorded")
	default:
		m.transition(to, m.now, cause.Recorded, "recorded")
	}
}

// Trip opens the breaker at once, as if a condition held: it is half-open after
// ResetTimeout, or after the back-off if it was half-open. An open breaker stays
// as it is. So does one that is forced, or that records.
func (b *Breaker) Trip() { b.control((*machine).trip) }

// Reset closes the breaker, forgets its counts and resets the back-off; calls in
// flight become stale. The log, the totals and the script stay. A breaker that is
// forced, or that records, stays as it is.
func (b *Breaker) Reset() { b.control((*machine).resetState) }

// SetMode changes who decides about the state, see [Mode]. The mode that it has already
// is no change. With every change the counts begin at zero and calls in flight become
// stale.
//
// Back in Automatic or Observing, the conditions decide again, in the state in which they
// find the breaker. An open breaker then waits a full ResetTimeout from now. SetMode panics
// on a mode that does not exist.
func (b *Breaker) SetMode(mode Mode) {
	if !mode.exists() {
		panic(fmt.Sprintf("breaker: SetMode: %v is no mode", mode))
	}
	b.control(func(m *machine) { m.setMode(mode) })
}

// Record takes over the state of a circuit breaker of another library, so that the one in
// production has the log, the assertions and the metrics of package breaker/metrics. Call it from the
// hook in which that breaker reports its changes of state:
//
//	rec := breaker.NewT(q, breaker.Config{Name: "payments", Mode: breaker.Recording})
//	settings.OnStateChange = func(_ string, _, to gobreaker.State) { rec.Record(states[to]) }
//
// The transition has the present instant. A library that notices the end of a timeout only
// when a call comes reports half-open at that call. The state that the breaker has already,
// and a state that does not exist, is no change. Record sets the mode to Recording.
func (b *Breaker) Record(to State) { b.control(func(m *machine) { m.record(to) }) }

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
