package monitor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"
)

// RequireFired fails t unless every named alert has fired at least once. Without
// names there is nothing to require, which fails t too.
func (m *Monitor) RequireFired(t tb.TB, alerts ...string) {
	t.Helper()
	if len(alerts) == 0 {
		tb.Fatalf(t, "monitor: RequireFired without the name of an alert")
	}
	m.requireKnown(t, alerts)
	for _, name := range alerts {
		if !slices.ContainsFunc(m.Transitions(name), func(x Transition) bool { return x.To == Firing }) {
			m.fail(t, name, "alert %s has not fired", name)
		}
	}
}

// RequireNotFired fails t if any of the named alerts, or without names any alert
// at all, has fired. If an expression names series that the history does not have, the
// log of t says so and proposes names, because an alert on a misspelt metric never
// fires. That is no failure: many counters appear with their first error.
func (m *Monitor) RequireNotFired(t tb.TB, alerts ...string) {
	t.Helper()
	m.requireKnown(t, alerts)
	for _, x := range m.Transitions(alerts...) {
		if x.To == Firing {
			m.fail(t, x.Alert, "alert %s has fired, at %v", x.Alert, m.offset(x.At))
		}
	}
	if missing := m.missing(alerts); len(missing) > 0 {
		t.Logf("monitor: RequireNotFired holds, perhaps for want of series, after %d scrapes:\n  %s", m.Status().Scrapes, strings.Join(missing, "\n  "))
	}
}

// RequireFiredBetween fails t unless the alert began to fire in [from, to], both
// counted from the start of the monitor.
func (m *Monitor) RequireFiredBetween(t tb.TB, name string, from, to time.Duration) {
	t.Helper()
	m.requireKnown(t, []string{name})
	for _, x := range m.Transitions(name) {
		if at := m.offset(x.At); x.To == Firing && at >= from && at <= to {
			return
		}
	}
	m.fail(t, name, "alert %s has not begun to fire between %v and %v", name, from, to)
}

// RequireResolvedWithin fails t unless the alert has fired, and each time it did
// was resolved at most d later.
func (m *Monitor) RequireResolvedWithin(t tb.TB, name string, d time.Duration) {
	t.Helper()
	m.RequireFired(t, name)
	fired := map[string]time.Time{}
	for _, x := range m.Transitions(name) {
		key := x.Labels.String()
		switch x.To {
		case Firing:
			fired[key] = x.At
		case Resolved:
			if took := x.At.Sub(fired[key]); took > d {
				m.fail(t, name, "alert %s%s was resolved %v after it fired, not within %v", name, key, took, d)
			}
			delete(fired, key)
		}
	}
	for key, at := range fired {
		m.fail(t, name, "alert %s%s fired at %v and is not resolved", name, key, m.offset(at))
	}
}

// RequireSeries returns the series of a metric that the matchers choose, and fails
// t if there are none.
func (m *Monitor) RequireSeries(t tb.TB, name string, matchers ...Matcher) []Series {
	t.Helper()
	found := m.Series(name, matchers...)
	if len(found) > 0 {
		return found
	}
	var wanted []string
	for _, x := range matchers {
		wanted = append(wanted, x.m.String())
	}
	status := m.Status()
	tb.Fatalf(t, "monitor: no series %s{%s} in %d scrapes of %d series (last error: %v)\n%s",
		name, strings.Join(wanted, ","), status.Scrapes, status.Series, status.LastError, m.near(name))
	return nil
}

// near lists the series of the metric, or the names of all metrics.
func (m *Monitor) near(name string) string {
	var lines []string
	for _, s := range m.Series(name) {
		lines = append(lines, "  "+s.String())
	}
	if len(lines) == 0 {
		for _, s := range m.Series("") {
			if line := "  " + s.Name; !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	const most = 20
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("  and %d more", len(lines)-most))
	}
	return "have:\n" + strings.Join(lines, "\n")
}

// requireKnown fails t on a name that no rule has: a misspelt alert never fires.
func (m *Monitor) requireKnown(t tb.TB, alerts []string) {
	t.Helper()
	var known []string
	for _, r := range m.rules {
		if r.Record == "" {
			known = append(known, r.Name)
		}
	}
	for _, name := range alerts {
		if !slices.Contains(known, name) {
			tb.Fatalf(t, "monitor: no rule is called %q; there are %q", name, known)
		}
	}
}

func (m *Monitor) offset(at time.Time) time.Duration { return tb.Round(at.Sub(m.start)) }

// fail ends t with the timeline of one alert.
func (m *Monitor) fail(t tb.TB, name, format string, args ...any) {
	t.Helper()
	timeline := m.Timeline(name)
	if timeline == "" {
		timeline = "(no transitions)\n"
	}
	status := m.Status()
	scrapes := "no scrape yet"
	if status.Scrapes > 0 {
		scrapes = fmt.Sprintf("%d scrapes, the last at %v", status.Scrapes, m.offset(status.Last))
	}
	text := fmt.Sprintf("monitor: "+format+"\ntimeline:\n%s%s", append(args, timeline, scrapes)...)
	for _, r := range m.rules {
		if r.Name == name {
			text += "\nrule: " + r.Expr
		}
	}
	for _, line := range m.missing([]string{name}) {
		text += "\n" + line
	}
	if status.LastError != nil {
		text += fmt.Sprintf("\nlast of %d errors: %v", status.Errors, status.LastError)
	}
	tb.Fatalf(t, "%s", text)
}

// RequireTimeline fails t unless the transitions of the named alerts, or of all of
// them, are those of want, in the form of Timeline. Empty lines, and white space
// around lines and between their words, do not count, so that want may be a golden
// file or a raw string of the test.
func (m *Monitor) RequireTimeline(t tb.TB, want string, alerts ...string) {
	t.Helper()
	m.requireKnown(t, alerts)
	have, expected := timelineLines(m.Timeline(alerts...)), timelineLines(want)
	i := 0
	for i < min(len(have), len(expected)) && have[i] == expected[i] {
		i++
	}
	if i == len(have) && i == len(expected) {
		return
	}
	at := func(lines []string) string {
		if i < len(lines) {
			return lines[i]
		}
		return "(the end)"
	}
	tb.Fatalf(t, "monitor: the timeline differs from line %d on\nwant: %s\nhave: %s\nall that happened:\n%s",
		i+1, at(expected), at(have), strings.Join(have, "\n"))
}

func timelineLines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 {
			out = append(out, strings.Join(f, " "))
		}
	}
	return out
}
