package monitor

import (
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
)

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
