package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
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

	// Receiver names one of Config.Receivers. Empty is the parent's, and in the root all
	// of Config.Channels.
	Receiver string
	// Routes are the children. An alert goes to those that all their Matchers choose, up
	// to the first that does not Continue, and otherwise stays here. What a child leaves
	// empty it has from its parent. The root has no Matchers and does not Continue.
	Routes   []Route
	Matchers []Matcher
	Continue bool
	// MutedAt says at which instants the route tells nobody anything: Alertmanager's mute
	// and active time intervals. It must be a function of the instant alone. Nil is never.
	MutedAt func(at time.Time) bool
	// Labels are the routeLabels of the webhook's body, with those of the parent.
	Labels map[string]string
}

// A Receiver is a name in routes, and the channels behind it.
type Receiver struct {
	Name     string
	Channels []Channel
	// FiringOnly leaves out what is resolved: send_resolved: false.
	FiringOnly bool
}

// check reports the fields that have no meaning; before are the receivers before it.
func (r Receiver) check(check *field.Checker, i int, before []Receiver) {
	name := fmt.Sprintf("Receivers[%d]", i)
	check.That(r.Name != "", name+".Name", `""`, "is empty")
	check.That(!slices.ContainsFunc(before, func(x Receiver) bool { return x.Name == r.Name }), name+".Name", r.Name, "is there twice")
	for k, c := range r.Channels {
		check.That(c != nil, fmt.Sprintf("%s.Channels[%d]", name, k), "nil", "is no channel")
	}
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

// check reports the fields that have no meaning, of the route and of its children.
func (r Route) check(check *field.Checker, name string, receivers []Receiver, root bool) {
	check.Duration(name+".GroupWait", r.GroupWait)
	check.Duration(name+".GroupInterval", r.GroupInterval)
	check.Duration(name+".RepeatInterval", r.RepeatInterval)
	for i, label := range r.GroupBy {
		check.That(label != alert.AllLabels || len(r.GroupBy) == 1, name+".GroupBy", strconv.Quote(label), "is all labels, and goes with no other")
		check.That(model.UTF8Validation.IsValidLabelName(label), name+".GroupBy", strconv.Quote(label), "is not the name of a label")
		check.That(!slices.Contains(r.GroupBy[:i], label), name+".GroupBy", strconv.Quote(label), "is there twice")
	}
	check.That(!r.Immediately || r.GroupWait == 0, name+".GroupWait", r.GroupWait, "contradicts %s.Immediately", name)
	known := slices.ContainsFunc(receivers, func(x Receiver) bool { return x.Name == r.Receiver })
	check.That(r.Receiver == "" || known, name+".Receiver", r.Receiver, "is none of Receivers")
	check.That(!root || len(r.Matchers) == 0 && !r.Continue, name, "the root", "has no Matchers and does not Continue")
	for i, child := range r.Routes {
		child.check(check, fmt.Sprintf("%s.Routes[%d]", name, i), receivers, false)
	}
}

func (r Route) withDefaults() Route {
	return r.under(Route{GroupWait: DefaultGroupWait, GroupInterval: DefaultGroupInterval, RepeatInterval: DefaultRepeatInterval})
}

// under returns the route, and its children, with what they have from the parent.
func (r Route) under(parent Route) Route {
	if !r.Immediately && r.GroupWait == 0 {
		r.GroupWait, r.Immediately = parent.GroupWait, parent.Immediately
	}
	r.GroupInterval = cmp.Or(r.GroupInterval, parent.GroupInterval)
	r.RepeatInterval = cmp.Or(r.RepeatInterval, parent.RepeatInterval)
	r.Receiver = cmp.Or(r.Receiver, parent.Receiver)
	if r.GroupBy == nil {
		r.GroupBy = parent.GroupBy
	}
	r.GroupBy = slices.Clone(r.GroupBy)
	labels := maps.Clone(parent.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, r.Labels)
	r.Labels = labels
	r.Routes = slices.Clone(r.Routes)
	for i, child := range r.Routes {
		r.Routes[i] = child.under(r)
	}
	return r
}

// node makes the route ready. behind has the channels of each receiver, and key names the
// route in the keys of its groups, as Alertmanager does.
func (r Route) node(key string, behind map[string][]alert.Target) *alert.Node {
	n := &alert.Node{
		Route: alert.Route{GroupBy: r.GroupBy, Wait: r.GroupWait, Interval: r.GroupInterval, Repeat: r.RepeatInterval, MutedAt: r.MutedAt},
		Key:   key, Labels: r.Labels, Continue: r.Continue, Targets: behind[r.Receiver],
		Matches: func(ls history.Labels) bool {
			return !slices.ContainsFunc(r.Matchers, func(x Matcher) bool { return !x.m.Matches(ls.Get(x.m.Name)) })
		},
	}
	for _, child := range r.Routes {
		var texts []string
		for _, x := range child.Matchers {
			texts = append(texts, x.m.String())
		}
		n.Children = append(n.Children, child.node(key+"/{"+strings.Join(texts, ",")+"}", behind))
	}
	return n
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
