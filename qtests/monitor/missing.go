package monitor

import (
	"fmt"
	"slices"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

const (
	// maxMissing bounds what is said about missing series: a rule file of
	// production names many that no test has.
	maxMissing = 20
	// maxCompared bounds the names, or the series of one metric, among which the
	// meant one is looked for.
	maxCompared = 500
)

// missing says which selectors of the named alerts, or of all alerts, choose no series
// of the history, one line for each. It leaves out expressions that only a Compiler can
// read.
func (m *Monitor) missing(alerts []string) (lines []string) {
	more := 0
	m.locked(func(s *state) {
		for _, r := range m.rules {
			if r.Record != "" || len(alerts) > 0 && !slices.Contains(alerts, r.Name) {
				continue
			}
			found := m.missingOf(s, r)
			fits := min(len(found), maxMissing-len(lines))
			lines = append(lines, found[:fits]...)
			more += len(found) - fits
		}
	})
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

// missingOf says of one rule what missing says.
func (m *Monitor) missingOf(st *state, r *rule) (lines []string) {
	for _, s := range m.unmatched(st, r) {
		line := "alert " + r.Name + ": no series matches " + s.String()
		if len(lines) < maxMissing { // what is not shown need not be explained
			line += m.meant(st, s)
		}
		lines = append(lines, line)
	}
	return lines
}

// unmatched returns the selectors of a rule that choose no series, each once.
func (m *Monitor) unmatched(st *state, r *rule) (out []query.Selector) {
	for _, s := range r.selectors() {
		again := slices.ContainsFunc(out, func(x query.Selector) bool { return x.String() == s.String() })
		if !again && len(m.visible(st, s...)) == 0 {
			out = append(out, s)
		}
	}
	return out
}

// meant guesses why a selector chooses nothing.
func (m *Monitor) meant(st *state, s query.Selector) string {
	name := s.Name()
	if name == "" {
		return ""
	}
	if len(st.history.Select(s...)) > 0 {
		return ", which rules do not see under a fake clock without Config.AlertOnReal"
	}
	for _, r := range m.rules {
		if r.Record == name {
			return ", recorded from " + r.Expr
		}
	}
	var known []string
	for _, x := range m.visible(st, history.Matcher{Name: history.NameLabel, Op: history.Equal, Value: name}) {
		known = append(known, x.Labels.String())
	}
	wanted := s.String()
	if len(known) == 0 {
		wanted = name
		for _, x := range m.visible(st) {
			known = append(known, x.Labels.Name())
		}
		slices.Sort(known)
		known = slices.Compact(known)
	}
	return text.DidYouMean(wanted, known[:min(len(known), maxCompared)])
}
