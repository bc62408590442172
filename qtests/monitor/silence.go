package monitor

import (
	"slices"
	"time"
)

// Silence mutes, from now on for d, the alerts whose labels all matchers choose.
// Without matchers, or for a d that is not positive, it does nothing.
func (m *Monitor) Silence(d time.Duration, matchers ...Matcher) {
	if d <= 0 || len(matchers) == 0 {
		return
	}
	at := m.clk.Now().Sub(m.start)
	m.locked(func(s *state) {
		// Silences that have ended would pile up.
		silences := slices.DeleteFunc(s.muting.silences, func(x Silence) bool { return x.For > 0 && x.At+x.For <= at })
		s.muting.silences = append(silences, Silence{slices.Clone(matchers), at, d})
	})
}
