package breaker

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/breaker/cause"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// judge adds a result to the windows of a closed breaker and opens it if a
// condition holds: consecutive failures, then the failure rate, then the rate of
// slow calls, then the number of failures, each of these over the last calls before
// the last time.
func (m *machine) judge(r mark) {
	m.calls.add(r)
	m.recent.add(m.now, r)
	if m.held() {
		return
	}
	c := m.cfg
	if n := m.counts.ConsecutiveFailures; c.FailureThreshold > 0 && n >= uint64(c.FailureThreshold) {
		m.open(m.now, cause.ConsecutiveFailures, text.Plural(n, "consecutive failure"))
		return
	}
	if !c.windowed() {
		return
	}
	byCalls, byTime := m.calls.sum, m.recent.sum
	switch {
	case m.reached(c.FailureRate, byCalls.Failures, byCalls.Calls):
		m.openByRate(cause.FailureRate, c.FailureRate, byCalls.Failures, byCalls.Calls, false)
	case m.reached(c.FailureRate, byTime.Failures, byTime.Calls):
		m.openByRate(cause.FailureRate, c.FailureRate, byTime.Failures, byTime.Calls, true)
	case m.reached(c.SlowCallRate, byCalls.Slow, byCalls.Calls):
		m.openByRate(cause.SlowCallRate, c.SlowCallRate, byCalls.Slow, byCalls.Calls, false)
	case m.reached(c.SlowCallRate, byTime.Slow, byTime.Calls):
		m.openByRate(cause.SlowCallRate, c.SlowCallRate, byTime.Slow, byTime.Calls, true)
	case c.WindowFailures > 0 && byCalls.Failures >= c.WindowFailures:
		m.open(m.now, cause.WindowFailures, m.share(byCalls.Failures, byCalls.Calls, false)+" failed")
	case c.WindowFailures > 0 && byTime.Failures >= c.WindowFailures:
		m.open(m.now, cause.WindowFailures, m.share(byTime.Failures, byTime.Calls, true)+" failed")
	}
}

// tripOf opens the breaker because Config.TripWhen holds for the counts of a generation,
// if that is still the present one.
func (m *machine) tripOf(generation uint64, c Counts, openFor time.Duration) {
	if m.generation != generation || m.held() {
		return
	}
	m.open(m.now, cause.TripWhen, fmt.Sprintf("TripWhen holds, with %s of %d", text.Plural(c.Failures, "failure"), c.Successes+c.Failures))
	m.stayOpen(openFor)
}

// reached compares by division: the quotient nearest to 3/10 is the constant
// 0.3, while 0.3*10 need not be 3.
func (m *machine) reached(rate float64, part, calls int) bool {
	return rate > 0 && part > 0 && calls >= m.cfg.MinCalls && float64(part)/float64(calls) >= rate
}

func (m *machine) openByRate(why cause.Cause, limit float64, part, calls int, byTime bool) {
	rate := float64(part) / float64(calls)
	m.open(m.now, why, fmt.Sprintf("%s %.4g >= %g, %s", why, rate, limit, m.share(part, calls, byTime)))
}

// share returns "3 of the last 7 calls" or "3 of 7 calls in 10s".
func (m *machine) share(part, calls int, byTime bool) string {
	if byTime {
		return fmt.Sprintf("%d of %d calls in %v", part, calls, m.cfg.Window)
	}
	return fmt.Sprintf("%d of the last %d calls", part, calls)
}

// probes counts the calls that a half-open breaker admits.
type probes struct {
	admitted int // ignored ones excepted
	failed   int
	begun    []time.Duration // when each of those in flight was admitted, in order
}

func (p *probes) admit(now time.Duration, limit int) bool {
	if p.admitted >= limit {
		return false
	}
	p.admitted++
	p.begun = append(p.begun, now)
	return true
}

// finish takes a probe that was admitted at begun out of those in flight.
func (p *probes) finish(begun time.Duration) {
	i, _ := slices.BinarySearch(p.begun, begun)
	p.begun = slices.Delete(p.begun, i, i+1)
}

// deadline is when the oldest probe in flight has taken too long.
func (p *probes) deadline(timeout time.Duration) time.Duration {
	if len(p.begun) == 0 {
		return never
	}
	return saturatingAdd(p.begun[0], timeout)
}

// judgeProbe records the result of a probe and decides, when it can, whether
// the breaker closes or opens again.
func (m *machine) judgeProbe(begun time.Duration, o outcome, slow bool) {
	p, c := &m.probes, m.cfg
	p.finish(begun)
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
		m.open(m.now, cause.ProbesFailed, "a probe failed")
	case bad:
		m.open(m.now, cause.ProbesFailed, "a probe took longer than "+c.SlowCall.String())
	case m.counts.ConsecutiveSuccesses >= uint64(c.SuccessThreshold):
		m.close(m.now, cause.ProbesSucceeded, text.Plural(m.counts.ConsecutiveSuccesses, "consecutive successful probe"))
	}
}

func (m *machine) judgeProbeRate() {
	p, limit := &m.probes, m.cfg.ProbeFailureRate
	if p.admitted < m.cfg.Probes || len(p.begun) > 0 {
		return
	}
	rate := float64(p.failed) / float64(p.admitted)
	detail := fmt.Sprintf("%d of %d probes failed", p.failed, p.admitted)
	if rate >= limit {
		m.open(m.now, cause.ProbesFailed, fmt.Sprintf("%s, %.4g >= %g", detail, rate, limit))
		return
	}
	m.close(m.now, cause.ProbesSucceeded, fmt.Sprintf("%s, %.4g < %g", detail, rate, limit))
}
