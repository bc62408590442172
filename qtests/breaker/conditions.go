package breaker

import (
	"fmt"
	"time"
)

// judge adds a result to the windows of a closed breaker and opens it if a
// condition holds: consecutive failures, then the failure rate, then the rate of
// slow calls, each over the last calls before the last time.
func (m *machine) judge(r mark) {
	m.calls.add(r)
	m.recent.add(m.now, r)
	if m.mode == ForcedClosed {
		return
	}
	c := m.cfg
	if n := m.counts.ConsecutiveFailures; c.FailureThreshold > 0 && n >= uint64(c.FailureThreshold) {
		m.open(m.now, CauseConsecutiveFailures, count(n, "consecutive failure"))
		return
	}
	if !c.rated() {
		return
	}
	byCalls, byTime := m.calls.sum, m.recent.sum
	switch {
	case m.reached(c.FailureRate, byCalls.Failures, byCalls.Calls):
		m.openByRate(CauseFailureRate, c.FailureRate, byCalls.Failures, byCalls.Calls, false)
	case m.reached(c.FailureRate, byTime.Failures, byTime.Calls):
		m.openByRate(CauseFailureRate, c.FailureRate, byTime.Failures, byTime.Calls, true)
	case m.reached(c.SlowCallRate, byCalls.Slow, byCalls.Calls):
		m.openByRate(CauseSlowCallRate, c.SlowCallRate, byCalls.Slow, byCalls.Calls, false)
	case m.reached(c.SlowCallRate, byTime.Slow, byTime.Calls):
		m.openByRate(CauseSlowCallRate, c.SlowCallRate, byTime.Slow, byTime.Calls, true)
	}
}

// reached compares by division: the quotient nearest to 3/10 is the constant
// 0.3, while 0.3*10 need not be 3.
func (m *machine) reached(rate float64, part, calls int) bool {
	return rate > 0 && part > 0 && calls >= m.cfg.MinCalls && float64(part)/float64(calls) >= rate
}

func (m *machine) openByRate(cause Cause, limit float64, part, calls int, byTime bool) {
	over := fmt.Sprintf("the last %d calls", calls)
	if byTime {
		over = fmt.Sprintf("%d calls in %v", calls, m.cfg.Window)
	}
	rate := float64(part) / float64(calls)
	m.open(m.now, cause, fmt.Sprintf("%s %.4g >= %g, %d of %s", cause, rate, limit, part, over))
}

// probes counts the calls that a half-open breaker admits.
type probes struct {
	admitted int // ignored ones excepted
	running  int
	failed   int
	begun    time.Duration // since when one or more have been running
}

func (p *probes) admit(now time.Duration, limit int) bool {
	if p.admitted >= limit {
		return false
	}
	if p.running == 0 {
		p.begun = now
	}
	p.admitted++
	p.running++
	return true
}

// deadline is when the running probes have taken too long.
func (p *probes) deadline(timeout time.Duration) time.Duration {
	if p.running == 0 {
		return never
	}
	return saturatingAdd(p.begun, timeout)
}

// judgeProbe records the result of a probe and decides, when it can, whether
// the breaker closes or opens again.
func (m *machine) judgeProbe(o outcome, slow bool) {
	p, c := &m.probes, m.cfg
	p.running--
	if o == ignored {
		p.admitted--
		return
	}
	bad := o == failure || slow
	if bad {
		p.failed++
	}
	if c.ProbeFailureRate > 0 {
		m.judgeProbeRate()
		return
	}
	switch {
	case bad && o == failure:
		m.open(m.now, CauseProbesFailed, "a probe failed")
	case bad:
		m.open(m.now, CauseProbesFailed, "a probe took longer than "+c.SlowCall.String())
	case m.counts.ConsecutiveSuccesses >= uint64(c.SuccessThreshold):
		m.close(m.now, CauseProbesSucceeded, count(m.counts.ConsecutiveSuccesses, "consecutive successful probe"))
	}
}

func (m *machine) judgeProbeRate() {
	p, limit := &m.probes, m.cfg.ProbeFailureRate
	if p.admitted < m.cfg.Probes || p.running > 0 {
		return
	}
	rate := float64(p.failed) / float64(p.admitted)
	detail := fmt.Sprintf("%d of %d probes failed", p.failed, p.admitted)
	if rate >= limit {
		m.open(m.now, CauseProbesFailed, fmt.Sprintf("%s, %.4g >= %g", detail, rate, limit))
		return
	}
	m.close(m.now, CauseProbesSucceeded, fmt.Sprintf("%s, %.4g < %g", detail, rate, limit))
}

// count returns "1 thing" or "2 things".
func count(n uint64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
