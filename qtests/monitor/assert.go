package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// RequireFired fails t unless every named alert has fired at least once, and names all
// that have not. Without names there is nothing to require, which fails t too.
func (m *Monitor) RequireFired(t tb.TB, alerts ...string) {
	t.Helper()
	if len(alerts) == 0 {
		tb.Fatalf(t, "monitor: RequireFired without the name of an alert")
	}
	m.requireKnown(t, alerts)
	fired := m.firedAt(alerts)
	var silent, lines []string
	for _, name := range alerts {
		if _, ok := fired[name]; !ok && !slices.Contains(silent, name) {
			silent = append(silent, name)
			lines = append(lines, fmt.Sprintf("alert %s has not fired", name))
		}
	}
	if len(silent) > 0 {
		m.fail(t, silent, "%s", strings.Join(lines, "\n"))
	}
}

// firedAt returns when each of the named alerts, or each of all, began to fire first.
func (m *Monitor) firedAt(alerts []string) map[string]time.Time {
	out := map[string]time.Time{}
	m.eachAlert(alerts, func(r *rule) {
		if at, ok := out[r.Name]; r.fired > 0 && (!ok || r.firstFired.Before(at)) {
			out[r.Name] = r.firstFired
		}
	})
	return out
}

// RequireNotFired fails t if any of the named alerts, or without names any alert
// at all, has fired, and names all that have. It fails t as well for an alert that could
// not fire whatever happened: one that was never evaluated, one whose evaluations all
// failed, and one that asks, in its own expression or in the one of a recording rule it
// reads, for two samples of a range that never has more than one, such as
// increase(x[1m]) with scrapes a minute apart.
//
// If an expression names series that the history does not have, the log of t says so and
// proposes names, because an alert on a misspelt metric never fires. That is no failure:
// many counters appear with their first error.
func (m *Monitor) RequireNotFired(t tb.TB, alerts ...string) {
	t.Helper()
	m.requireKnown(t, alerts)
	var lines []string
	fired := m.firedAt(alerts)
	names := slices.SortedFunc(maps.Keys(fired), func(a, b string) int {
		return cmp.Or(fired[a].Compare(fired[b]), strings.Compare(a, b))
	})
	for _, name := range names {
		lines = append(lines, fmt.Sprintf("alert %s has fired, at %v", name, m.offset(fired[name])))
	}
	if len(names) > 0 {
		m.fail(t, names, "%s", strings.Join(lines, "\n"))
	}
	if doubts := m.doubts(alerts); len(doubts) > 0 {
		tb.Fatalf(t, "monitor: RequireNotFired cannot tell, after %d scrapes:\n  %s", m.Status().Scrapes, strings.Join(doubts, "\n  "))
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
	m.requireKept(t, name)
	m.fail(t, []string{name}, "alert %s has not begun to fire between %v and %v", name, from, to)
}

// RequireResolvedWithin fails t unless the alert has fired, and each time it did
// was resolved at most d later.
func (m *Monitor) RequireResolvedWithin(t tb.TB, name string, d time.Duration) {
	t.Helper()
	m.RequireFired(t, name)
	m.requireKept(t, name)
	fired := map[string]time.Time{}
	for _, x := range m.Transitions(name) {
		key := x.Labels.String()
		switch x.To {
		case Firing:
			fired[key] = x.At
		case Resolved:
			if took := x.At.Sub(fired[key]); took > d {
				m.fail(t, []string{name}, "alert %s%s was resolved %v after it fired, not within %v", name, key, took, d)
			}
			delete(fired, key)
		}
	}
	for key, at := range fired {
		m.fail(t, []string{name}, "alert %s%s fired at %v and is not resolved", name, key, m.offset(at))
	}
}

// RequireNotified fails t unless the alert has fired, and each time it did the receiver
// took a notification about it at most d later. The receiver is the name of one of
// Config.Receivers, or of a channel as notifications call it: "channel 0".
func (m *Monitor) RequireNotified(t tb.TB, receiver, name string, d time.Duration) {
	t.Helper()
	if known := m.receiverNames(); !slices.Contains(known, receiver) {
		tb.Fatalf(t, "monitor: no receiver is called %q; there are %q", receiver, known)
	}
	m.RequireFired(t, name)
	m.requireKept(t, name)
	var all []telling
	m.locked(func(s *state) { all = slices.Clone(s.told.all) })
	for _, x := range m.Transitions(name) {
		if x.To != Firing {
			continue
		}
		i := slices.IndexFunc(all, func(y telling) bool { return y.receiver == receiver && y.is(x) })
		switch {
		case i < 0:
			m.fail(t, []string{name}, "receiver %s was not told that alert %s%s fires, at %v%s", receiver, name, x.Labels, m.offset(x.At), others(all, x))
		case all[i].at.Sub(x.At) > d:
			m.fail(t, []string{name}, "receiver %s was told that alert %s%s fires %v after it did, not within %v", receiver, name, x.Labels,
				tb.Round(all[i].at.Sub(x.At)), d)
		}
	}
}

// receiverNames returns what notifications call the receivers.
func (m *Monitor) receiverNames() (names []string) {
	for _, r := range m.receivers {
		if !slices.Contains(names, r.public) {
			names = append(names, r.public)
		}
	}
	return names
}

// requireKept fails t where the timeline does not have all transitions of an alert.
func (m *Monitor) requireKept(t tb.TB, name string) {
	t.Helper()
	if n := m.unkept(name); n > 0 {
		m.fail(t, []string{name}, "%d transitions of alert %s were not kept: the timeline has no place for more than %d", n, name, MaxTransitions)
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
	asked := name + "{}"
	if len(wanted) > 0 {
		asked = history.Written(name, wanted)
	}
	tb.Fatalf(t, "monitor: no series %s in %d scrapes of %d series (last error: %v)\n%s",
		asked, status.Scrapes, status.Series, status.LastError, m.near(name))
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
			own := strings.HasPrefix(s.Name, "ALERTS")
			if line := "  " + s.Name; !own && !slices.Contains(lines, line) {
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

// requireKnown fails t on names that no rule has: a misspelt alert never fires.
func (m *Monitor) requireKnown(t tb.TB, alerts []string) {
	t.Helper()
	var known []string
	m.eachAlert(nil, func(r *rule) { known = append(known, r.Name) })
	for _, name := range alerts {
		if !slices.Contains(known, name) {
			tb.Fatalf(t, "monitor: no rule is called %q; there are %q", name, known)
		}
	}
}

func (m *Monitor) offset(at time.Time) time.Duration { return tb.Round(at.Sub(m.start)) }

// maxShown bounds the lines of a timeline that a failure shows.
const maxShown = 200

// fail ends t with what is known about the named alerts.
func (m *Monitor) fail(t tb.TB, names []string, format string, args ...any) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(m.Timeline(names...), "\n"), "\n")
	if lines[0] == "" {
		lines[0] = "(no transitions)"
	}
	if len(lines) > maxShown {
		lines = append(lines[:maxShown], fmt.Sprintf("and %d more", len(lines)-maxShown))
	}
	status := m.Status()
	scrapes := "no scrape yet"
	if status.Scrapes > 0 {
		scrapes = fmt.Sprintf("%d scrapes, the last at %v", status.Scrapes, m.offset(status.Last))
	}
	text := fmt.Sprintf("monitor: "+format+"\ntimeline:\n%s\n%s", append(args, strings.Join(lines, "\n"), scrapes)...)
	for _, line := range slices.Concat(m.expressionsOf(names), m.doubts(names), m.missing(names)) {
		text += "\n" + line
	}
	if status.LastError != nil {
		text += fmt.Sprintf("\nlast of %d errors: %v", status.Errors, status.LastError)
	}
	marks, _ := m.cfg.EventLog.Marks()
	for _, mark := range marks {
		if mark.Source == "load" { // a run that was scaled, and so has other rates and counts
			text += "\n" + mark.Text
		}
	}
	tb.Fatalf(t, "%s", text)
}

// expressionsOf shows the rules of the named alerts.
func (m *Monitor) expressionsOf(names []string) (lines []string) {
	title := func(*rule) string { return "rule: " }
	if len(names) > 1 {
		title = func(r *rule) string { return "rule " + r.Name + ": " }
	}
	m.eachAlert(names, func(r *rule) { lines = append(lines, title(r)+r.Expr) })
	return lines
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
