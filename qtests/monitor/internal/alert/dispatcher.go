package alert

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A Route says how alerts are grouped and how often a group is notified, with
// Alertmanager's meaning.
type Route struct {
	GroupBy  []string      // labels; nil is one group of all alerts
	Wait     time.Duration // from a group's first alert to its first notification
	Interval time.Duration // between looks at a group after that
	Repeat   time.Duration // after which an unchanged firing group is notified again
	// MutedAt says when nobody is told; nil is never.
	MutedAt func(time.Time) bool
}

// groupLabels returns the labels of the group of an alert.
func (r *Route) groupLabels(ls history.Labels) history.Labels {
	if slices.Contains(r.GroupBy, AllLabels) {
		return ls
	}
	return ls.Only(r.GroupBy...)
}

// AllLabels in Route.GroupBy groups by all labels: every alert is a group of its own.
const AllLabels = "..."

// A Dispatcher decides who is notified of what, and when: Alertmanager's
// aggregation groups and its notification log. It is a plain structure; Due says
// when Flush wants to be called next.
type Dispatcher struct {
	route     Route
	receivers []Target
	node      *Node
	all       func() []Alert // that may inhibit others
	muted     func(at time.Time, a Alert, all []Alert) bool
	groups    map[string]*group
}

// A group is the alerts that share the values of the labels grouped by.
type group struct {
	labels history.Labels
	next   time.Time
	alerts map[string]*member
	// log has for every receiver what it was last told.
	log []entry
}

type member struct {
	Alert
	// told has for every receiver whether it has dealt with this resolved alert.
	told []bool
}

// An entry is what one receiver was last told about one group.
type entry struct {
	any      bool
	busy     bool // a notification is under way
	at       time.Time
	firing   map[string]bool
	resolved map[string]bool
}

// A Target is a receiver by its number.
type Target struct {
	Number int
	// FiringOnly leaves out the resolved alerts.
	FiringOnly bool
}

// A Notification is what one receiver is to be told about one group.
type Notification struct {
	Receiver    int
	Node        *Node  // of the route; nil without a tree
	Reason      string // in Alertmanager's words
	At          time.Time
	GroupLabels history.Labels
	Alerts      []Alert // firing ones first, each kind ordered by labels
	from        *Dispatcher
	place       int // of the receiver in the log of the group
	group       *group
	entry       entry
}

// NewDispatcher returns a dispatcher for a number of receivers. muted says which
// alerts are silenced or inhibited; nil mutes none.
func NewDispatcher(route Route, receivers int, muted func(time.Time, Alert, []Alert) bool) *Dispatcher {
	if muted == nil {
		muted = func(time.Time, Alert, []Alert) bool { return false }
	}
	d := &Dispatcher{route: route, muted: muted, groups: map[string]*group{}}
	for i := range receivers {
		d.receivers = append(d.receivers, Target{Number: i})
	}
	d.all = d.alerts
	return d
}

// Update takes the alerts as they are now: the firing and the resolved ones count,
// pending ones do not.
func (d *Dispatcher) Update(now time.Time, alerts []Alert) {
	for _, a := range alerts {
		if a.State != Firing && a.State != Resolved {
			continue
		}
		labels := d.route.groupLabels(a.Labels)
		key := labels.Key()
		g, ok := d.groups[key]
		if !ok {
			if a.State == Resolved {
				continue // dealt with: its group has ended
			}
			g = &group{labels: labels, next: now.Add(d.route.Wait), alerts: map[string]*member{}, log: make([]entry, len(d.receivers))}
			d.groups[key] = g
		}
		old := g.alerts[a.key]
		switch {
		case old == nil && a.State == Resolved:
		case old != nil && old.State == a.State && old.ActiveAt.Equal(a.ActiveAt):
			old.Alert = a
		default:
			g.alerts[a.key] = &member{Alert: a, told: make([]bool, len(d.receivers))}
		}
	}
}

// Due returns when a group is to be looked at next.
func (d *Dispatcher) Due() (at time.Time, ok bool) {
	for _, g := range d.groups {
		if !ok || g.next.Before(at) {
			at, ok = g.next, true
		}
	}
	return at, ok
}

// Flush looks at the groups that are due and returns what is to be sent, ordered
// by group and receiver. Of each, Done must be called.
func (d *Dispatcher) Flush(now time.Time) []Notification {
	if due, ok := d.Due(); !ok || due.After(now) {
		return nil
	}
	all := d.all()
	var out []Notification
	for _, key := range slices.Sorted(maps.Keys(d.groups)) {
		g := d.groups[key]
		if g.next.After(now) {
			continue
		}
		g.next = g.next.Add(d.route.Interval)
		if !g.next.After(now) {
			g.next = now.Add(d.route.Interval) // the clock jumped
		}
		out = append(out, d.flush(now, g, all)...)
		d.prune(key, g)
	}
	return out
}

func (d *Dispatcher) alerts() []Alert {
	var all []Alert
	for _, g := range d.groups {
		for _, a := range g.alerts {
			all = append(all, a.Alert)
		}
	}
	return all
}

func (d *Dispatcher) flush(now time.Time, g *group, all []Alert) (out []Notification) {
	var alerts []Alert
	firing, resolved := map[string]bool{}, map[string]bool{}
	for key, a := range g.alerts {
		if d.muted(now, a.Alert, all) {
			for i := range a.told {
				a.told[i] = a.told[i] || a.State == Resolved
			}
			continue
		}
		alerts = append(alerts, a.Alert)
		if a.State == Firing {
			firing[key] = true
		} else {
			resolved[key] = true
		}
	}
	if len(alerts) == 0 {
		return nil // Alertmanager stops here too: a group whose alerts are all muted says nothing
	}
	if d.route.MutedAt != nil && d.route.MutedAt(now) {
		for i := range g.log {
			g.tell(i, resolved)
		}
		return nil
	}
	slices.SortFunc(alerts, func(a, b Alert) int {
		if a.State != b.State {
			return strings.Compare(string(a.State), string(b.State)) // firing < resolved
		}
		return a.Labels.Compare(b.Labels)
	})
	for i := range g.log {
		e := &g.log[i]
		if e.busy {
			continue
		}
		to := d.receivers[i]
		next := entry{true, false, now, firing, resolved}
		reason := e.reason(now, firing, resolved, d.route.Repeat, !to.FiringOnly)
		told := alerts
		if to.FiringOnly {
			told = alerts[:len(firing)]
		}
		switch {
		case reason == "":
			g.tell(i, resolved)
		case len(told) == 0: // nothing is sent, but that nothing fires is remembered
			*e = next
			g.tell(i, resolved)
		default:
			e.busy = true
			out = append(out, Notification{to.Number, d.node, reason, now, g.labels, told, d, i, g, next})
		}
	}
	return out
}

// reason says why a receiver is told, empty for not, which is Alertmanager's deduplication
// (notify.DedupStage), in its words.
func (e *entry) reason(now time.Time, firing, resolved map[string]bool, repeat time.Duration, sendResolved bool) string {
	switch {
	case !e.any && len(firing) == 0:
		return ""
	case !e.any:
		return "first notification"
	case !subset(firing, e.firing) && len(e.firing) == 0:
		return "first notification"
	case !subset(firing, e.firing):
		return "new alerts added"
	case len(firing) == 0 && len(e.firing) == 0:
		return ""
	case len(firing) == 0:
		return "all alerts resolved"
	case sendResolved && !subset(resolved, e.resolved):
		return "some alerts resolved"
	case e.at.Before(now.Add(-repeat)):
		return "repeat interval elapsed"
	}
	return ""
}

func subset(a, b map[string]bool) bool {
	for key := range a {
		if !b[key] {
			return false
		}
	}
	return true
}

// Done reports how the sending of a notification ended. After a failure
// the next flush of the group sends again.
func (d *Dispatcher) Done(n Notification, ok bool) {
	g := n.group
	g.log[n.place].busy = false
	if ok {
		g.log[n.place] = n.entry
		g.tell(n.place, n.entry.resolved)
	}
	d.prune(n.GroupLabels.Key(), g)
}

// tell records that a receiver knows that the alerts are resolved.
func (g *group) tell(receiver int, resolved map[string]bool) {
	for key := range resolved {
		if a := g.alerts[key]; a != nil && a.State == Resolved {
			a.told[receiver] = true
		}
	}
}

// prune forgets the resolved alerts that every receiver knows of, and the group
// when it is empty.
func (d *Dispatcher) prune(key string, g *group) {
	for k, a := range g.alerts {
		if a.State == Resolved && !slices.Contains(a.told, false) {
			delete(g.alerts, k)
		}
	}
	busy := slices.ContainsFunc(g.log, func(e entry) bool { return e.busy })
	if len(g.alerts) == 0 && !busy && d.groups[key] == g {
		delete(d.groups, key)
	}
}
