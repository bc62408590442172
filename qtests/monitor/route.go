package monitor

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
)

// The defaults of a Route, which are Alertmanager's.
const (
	DefaultGroupWait      = 30 * time.Second
	DefaultGroupInterval  = 5 * time.Minute
	DefaultRepeatInterval = 4 * time.Hour
)

// A Route says how alerts become notifications, with Alertmanager's meaning:
// alerts that have the same values of the labels GroupBy are one group. A group is
// looked at GroupWait after its first alert and every GroupInterval from then on,
// and a channel is told about it when an alert fires that it does not know to be
// firing, when one it knows of is resolved, and otherwise when RepeatInterval has
// passed since it was told last and any still fires.
type Route struct {
	// GroupBy are labels; none is one group of all alerts, as in Alertmanager.
	GroupBy []string
	// GroupWait is DefaultGroupWait if zero; Immediately makes it zero.
	GroupWait   time.Duration
	Immediately bool
	// GroupInterval is DefaultGroupInterval if zero. It is also how long a channel
	// may take for one notification, with all attempts.
	GroupInterval time.Duration
	// RepeatInterval is DefaultRepeatInterval if zero.
	RepeatInterval time.Duration
}

// A Silence mutes the alerts whose labels all matchers choose.
type Silence struct {
	Matchers []Matcher
	// At is when it begins, counted from the start of the monitor, and For how
	// long it lasts; zero is for ever.
	At, For time.Duration
}

// An Inhibition mutes the alerts that Target chooses while one that Source chooses
// fires and has the same values of the labels Equal; a label that neither has is
// the same. An alert that both choose is not muted by one that both choose.
type Inhibition struct {
	Source, Target []Matcher
	Equal          []string
}

func (c *Config) checkRoute(check *field.Checker) {
	r := &c.Route
	check.Duration("Route.GroupWait", r.GroupWait)
	check.Duration("Route.GroupInterval", r.GroupInterval)
	check.Duration("Route.RepeatInterval", r.RepeatInterval)
	check.That(!r.Immediately || r.GroupWait == 0, "Route.GroupWait", r.GroupWait, "contradicts Route.Immediately")
	for i, s := range c.Silences {
		check.Duration(fmt.Sprintf("Silences[%d].At", i), s.At)
		check.Duration(fmt.Sprintf("Silences[%d].For", i), s.For)
		check.That(len(s.Matchers) > 0, fmt.Sprintf("Silences[%d].Matchers", i), "[]", "would mute everything")
	}
	for i, in := range c.Inhibitions {
		check.That(len(in.Source) > 0, fmt.Sprintf("Inhibitions[%d].Source", i), "[]", "would be every alert")
		check.That(len(in.Target) > 0, fmt.Sprintf("Inhibitions[%d].Target", i), "[]", "would be every alert")
	}
	if !r.Immediately {
		r.GroupWait = cmp.Or(r.GroupWait, DefaultGroupWait)
	}
	r.GroupInterval = cmp.Or(r.GroupInterval, DefaultGroupInterval)
	r.RepeatInterval = cmp.Or(r.RepeatInterval, DefaultRepeatInterval)
	r.GroupBy = slices.Clone(r.GroupBy)
	c.Silences = slices.Clone(c.Silences)
	c.Inhibitions = slices.Clone(c.Inhibitions)
}

// muting is what decides whether an alert is muted: a plain structure.
type muting struct {
	start       time.Time
	silences    []Silence
	inhibitions []Inhibition
}

func (m *muting) muted(at time.Time, a alert.Alert, all []alert.Alert) bool {
	for _, s := range m.silences {
		since := at.Sub(m.start) - s.At
		if since >= 0 && (s.For == 0 || since < s.For) && chooses(s.Matchers, a) {
			return true
		}
	}
	return slices.ContainsFunc(m.inhibitions, func(in Inhibition) bool { return in.mutes(a, all) })
}

func (in Inhibition) mutes(target alert.Alert, all []alert.Alert) bool {
	if !chooses(in.Target, target) {
		return false
	}
	targetIsSource := chooses(in.Source, target)
	return slices.ContainsFunc(all, func(source alert.Alert) bool {
		if source.State != Firing || !chooses(in.Source, source) || targetIsSource && chooses(in.Target, source) {
			return false
		}
		return !slices.ContainsFunc(in.Equal, func(label string) bool {
			return source.Labels.Get(label) != target.Labels.Get(label)
		})
	})
}

func chooses(matchers []Matcher, a alert.Alert) bool {
	return !slices.ContainsFunc(matchers, func(x Matcher) bool { return !x.m.Matches(a.Labels.Get(x.m.Name)) })
}

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
