package monitor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Transitions returns every change of the named alerts, or of all of them, in the
// order in which they happened.
func (m *Monitor) Transitions(alerts ...string) (out []Transition) {
	_ = m.tenancy.Use(m.clk, "the", "monitor") // it fails the test
	m.locked(func(s *state) {
		for _, t := range s.timeline.all {
			if len(alerts) == 0 || slices.Contains(alerts, t.Alert) {
				out = append(out, t)
			}
		}
	})
	return out
}

// Timeline returns the transitions as text, one line each: the offset from the
// start of the monitor, the alert, and the change.
//
//	20m10s	PaymentsOpen{breaker="payments"} inactive → pending
//	21m10s	PaymentsOpen{breaker="payments"} pending → firing
//
// It is the same for the same run, and made to be kept as a golden file. Its last line
// counts the transitions that were not kept, if there are any.
func (m *Monitor) Timeline(alerts ...string) string {
	var b strings.Builder
	for _, t := range m.Transitions(alerts...) {
		fmt.Fprintf(&b, "%v\t%v\n", tb.Round(t.At.Sub(m.start)), t)
	}
	if n := m.unkept(alerts...); n > 0 {
		fmt.Fprintf(&b, "and %d transitions that were not kept\n", n)
	}
	return b.String()
}

// unkept counts the transitions of the named alerts, or of all of them, that the
// timeline had no place for.
func (m *Monitor) unkept(alerts ...string) (n int64) {
	m.eachAlert(alerts, func(r *rule) { n += r.unkept })
	return n
}

// eachAlert calls f, with the lock, for every alerting rule that has one of the names, or
// for all of them.
func (m *Monitor) eachAlert(names []string, f func(*rule)) {
	m.locked(func(*state) {
		for _, r := range m.rules {
			if r.Record == "" && (len(names) == 0 || slices.Contains(names, r.Name)) {
				f(r)
			}
		}
	})
}

// Alerts returns the alerts that are pending or firing now, or those of the
// named rules, in the order of the rules and by labels.
func (m *Monitor) Alerts(names ...string) (out []Alert) {
	_ = m.tenancy.Use(m.clk, "the", "monitor") // it fails the test
	// The lock guards the machines of the rules, too.
	m.eachAlert(names, func(r *rule) {
		for _, a := range r.machine.Alerts() {
			if a.State != alert.Resolved {
				out = append(out, publicAlert(a))
			}
		}
	})
	return out
}
