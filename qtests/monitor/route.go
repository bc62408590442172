package monitor

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
)

// The defaults of a Route, which are Alertmanager's.
const (
	DefaultGroupWait      = 30 * time.Second
	DefaultGroupInterval  = 5 * time.Minute
	DefaultRepeatInterval = 4 * time.Hour
)

// A Route says how alerts become notifications, with Alertmanager's meaning. Alerts that
// have the same values of the labels GroupBy are one group. A group is looked at
// GroupWait after its first alert, and every GroupInterval from then on. Each time, a
// channel is told about the group if
//
//   - an alert fires about which the channel was not told, or
//   - an alert about which it was told is resolved, or
//   - an alert still fires, and RepeatInterval has passed since the channel was told last.
type Route struct {
	// GroupBy are labels; none is one group of all alerts, as in Alertmanager. "..."
	// alone is all labels: every alert is a group of its own.
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

// An Inhibition mutes the alerts that Target chooses, while an alert fires that Source
// chooses and that has the same values of the labels Equal. A label that neither alert
// has counts as the same. An alert that both Source and Target choose is not muted by
// another such alert.
type Inhibition struct {
	Source, Target []Matcher
	Equal          []string
}

// check reports the fields that have no meaning.
func (r Route) check(check *field.Checker) {
	check.Duration("Route.GroupWait", r.GroupWait)
	check.Duration("Route.GroupInterval", r.GroupInterval)
	check.Duration("Route.RepeatInterval", r.RepeatInterval)
	for i, label := range r.GroupBy {
		check.That(label != alert.AllLabels || len(r.GroupBy) == 1, "Route.GroupBy", strconv.Quote(label), "is all labels, and goes with no other")
		check.That(model.UTF8Validation.IsValidLabelName(label), "Route.GroupBy", strconv.Quote(label), "is not the name of a label")
		check.That(!slices.Contains(r.GroupBy[:i], label), "Route.GroupBy", strconv.Quote(label), "is there twice")
	}
	check.That(!r.Immediately || r.GroupWait == 0, "Route.GroupWait", r.GroupWait, "contradicts Route.Immediately")
}

func (r Route) withDefaults() Route {
	if !r.Immediately {
		r.GroupWait = cmp.Or(r.GroupWait, DefaultGroupWait)
	}
	r.GroupInterval = cmp.Or(r.GroupInterval, DefaultGroupInterval)
	r.RepeatInterval = cmp.Or(r.RepeatInterval, DefaultRepeatInterval)
	r.GroupBy = slices.Clone(r.GroupBy)
	return r
}

// check reports what would mute everything, and the fields that have no meaning.
func (s Silence) check(check *field.Checker, i int) {
	check.Duration(fmt.Sprintf("Silences[%d].At", i), s.At)
	check.Duration(fmt.Sprintf("Silences[%d].For", i), s.For)
	check.That(len(s.Matchers) > 0, fmt.Sprintf("Silences[%d].Matchers", i), "[]", "would mute everything")
}

// check reports what would be every alert.
func (in Inhibition) check(check *field.Checker, i int) {
	check.That(len(in.Source) > 0, fmt.Sprintf("Inhibitions[%d].Source", i), "[]", "would be every alert")
	check.That(len(in.Target) > 0, fmt.Sprintf("Inhibitions[%d].Target", i), "[]", "would be every alert")
}
