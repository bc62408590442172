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
// It is the same for the same run, and made to be kept as a golden file.
func (m *Monitor) Timeline(alerts ...string) string {
	var b strings.Builder
	for _, t := range m.Transitions(alerts...) {
		fmt.Fprintf(&b, "%v\t%v\n", tb.Round(t.At.Sub(m.start)), t)
	}
	return b.String()
}

// Alerts returns the alerts that are pending or firing now, or those of the
// named rules, in the order of the rules and by labels.
func (m *Monitor) Alerts(names ...string) (out []Alert) {
	_ = m.tenancy.Use(m.clk, "the", "monitor") // it fails the test
	// The lock guards the machines of the rules, too.
	m.locked(func(*state) {
		for _, r := range m.rules {
			if r.Record != "" || len(names) > 0 && !slices.Contains(names, r.Name) {
				continue
			}
			for _, a := range r.machine.Alerts() {
				if a.State != alert.Resolved {
					out = append(out, publicAlert(a))
				}
			}
		}
	})
	return out
}
