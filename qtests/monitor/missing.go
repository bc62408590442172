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

// missing says for the named alerts, or for all of them, which selectors choose no
// series of the history, one line each. An expression that only a Compiler can
// read is left out.
func (m *Monitor) missing(alerts []string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []string
	more := 0
	for _, r := range m.rules {
		if r.Record != "" || len(alerts) > 0 && !slices.Contains(alerts, r.Name) {
			continue
		}
		var seen []string
		for _, s := range r.selectors() {
			text := s.String()
			if slices.Contains(seen, text) || len(m.visibleLocked(s...)) > 0 {
				continue
			}
			seen = append(seen, text)
			if len(lines) == maxMissing {
				more++
				continue
			}
			lines = append(lines, fmt.Sprintf("alert %s: no series matches %s%s", r.Name, text, m.meantLocked(s)))
		}
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

// selectors reads the expression, also where another evaluates it.
func (r *rule) selectors() []query.Selector {
	expr := r.expr
	if expr == nil {
		parsed, err := query.Parse(r.Expr)
		if err != nil {
			return nil
		}
		expr = parsed
	}
	return expr.Selectors()
}

// visibleLocked returns the series that the rules see.
func (m *Monitor) visibleLocked(matchers ...history.Matcher) []*history.Series {
	return slices.DeleteFunc(m.mu.history.Select(matchers...), func(s *history.Series) bool { return m.hideReal && s.IsReal() })
}

// meantLocked guesses why a selector chooses nothing.
func (m *Monitor) meantLocked(s query.Selector) string {
	name := s.Name()
	if name == "" {
		return ""
	}
	if len(m.mu.history.Select(s...)) > 0 {
		return ", which rules do not see under a fake clock without Config.AlertOnReal"
	}
	for _, r := range m.rules {
		if r.Record == name {
			return ", recorded from " + r.Expr
		}
	}
	var known []string
	for _, x := range m.visibleLocked(history.Matcher{Name: history.NameLabel, Op: history.Equal, Value: name}) {
		known = append(known, x.Labels.String())
	}
	wanted := s.String()
	if len(known) == 0 {
		wanted = name
		for _, x := range m.visibleLocked() {
			known = append(known, x.Labels.Name())
		}
		slices.Sort(known)
		known = slices.Compact(known)
	}
	return text.DidYouMean(wanted, known[:min(len(known), maxCompared)])
}
