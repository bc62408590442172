package monitor

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// doubts says of the named alerts, or of all of them, why they could not fire whatever
// happened, one line for each reason.
func (m *Monitor) doubts(alerts []string) (lines []string) {
	if m.Status().Scrapes == 0 {
		return nil // there is nothing to judge yet, which the log says
	}
	var found []*rule
	m.eachAlert(alerts, func(r *rule) { found = append(found, r) })
	m.locked(func(s *state) {
		gap := m.gap(s)
		for _, r := range found {
			for _, x := range m.readBy(r) {
				lines = append(lines, r.doubtsAbout(x, gap)...)
			}
		}
	})
	if more := len(lines) - maxMissing; more > 0 {
		lines = append(lines[:maxMissing], fmt.Sprintf("and %d more", more))
	}
	return lines
}

// doubtsAbout says why r could not fire because of x, which is r itself or a recording
// rule that r reads.
func (r *rule) doubtsAbout(x *rule, gap time.Duration) (lines []string) {
	who := "alert " + r.Name + ": "
	if x != r {
		who += "it reads " + x.Record + ": "
	}
	switch {
	case x.evaluations == 0:
		return []string{who + "it was never evaluated"}
	case x.evaluations == x.failures:
		return []string{fmt.Sprintf("%severy evaluation failed, %d of %d; the last error: %v", who, x.failures, x.evaluations, x.err)}
	}
	if expr := x.parsed(); expr != nil && gap > 0 {
		for _, call := range expr.NeedTwo(gap) {
			lines = append(lines, fmt.Sprintf("%s%s never has two samples, with scrapes %v apart", who, call, gap))
		}
	}
	return lines
}

// gap returns the smallest time between two scrapes, as far as it is known.
func (m *Monitor) gap(s *state) time.Duration {
	if s.gap > 0 || m.cfg.Disabled {
		return s.gap
	}
	return m.cfg.Interval
}

// readBy returns the rule and the recording rules that it reads, also through others.
func (m *Monitor) readBy(r *rule) []*rule {
	out := []*rule{r}
	for i := 0; i < len(out); i++ {
		for _, s := range out[i].selectors() {
			for _, x := range m.rules {
				if x.Record != "" && x.Record == s.Name() && !slices.Contains(out, x) && x.mayHave(s) {
					out = append(out, x)
				}
			}
		}
	}
	return out
}

// mayHave reports whether the labels of a recording rule do not contradict a selector:
// several rules may record one metric, with different labels.
func (r *rule) mayHave(s query.Selector) bool {
	return !slices.ContainsFunc(s, func(m history.Matcher) bool {
		value, ok := r.Labels[m.Name]
		return ok && !m.Matches(value)
	})
}
