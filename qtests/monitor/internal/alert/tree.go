package alert

import (
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A Node is one route of a tree.
type Node struct {
	Route
	Key      string            // names the route in the keys of its groups
	Labels   map[string]string // of the route, which its notifications have
	Matches  func(history.Labels) bool
	Continue bool // an alert that matches goes on to the next sibling
	Children []*Node
	Targets  []Target

	dispatcher *Dispatcher
}

// A Tree hands every alert to the routes that take it, as Alertmanager does.
type Tree struct {
	root  *Node
	nodes []*Node // depth first
}

// NewTree returns the tree of a root, which takes every alert. muted means what it does in
// NewDispatcher; an alert is inhibited by those of all routes.
func NewTree(root *Node, muted func(time.Time, Alert, []Alert) bool) *Tree {
	t := &Tree{root: root}
	var add func(*Node)
	add = func(n *Node) {
		t.nodes = append(t.nodes, n)
		n.dispatcher = NewDispatcher(n.Route, 0, muted)
		n.dispatcher.receivers, n.dispatcher.node, n.dispatcher.all = n.Targets, n, t.alerts
		for _, child := range n.Children {
			add(child)
		}
	}
	add(root)
	return t
}

// Match returns the nodes that take an alert: of each node that matches, the children
// that do, up to the first that does not continue; or itself, if none does.
func (n *Node) Match(ls history.Labels) []*Node {
	if n.Matches != nil && !n.Matches(ls) {
		return nil
	}
	var out []*Node
	for _, child := range n.Children {
		found := child.Match(ls)
		out = append(out, found...)
		if len(found) > 0 && !child.Continue {
			break
		}
	}
	if len(out) == 0 {
		return []*Node{n}
	}
	return out
}

func (t *Tree) alerts() []Alert {
	var out []Alert
	for _, n := range t.nodes {
		out = append(out, n.dispatcher.alerts()...)
	}
	return out
}

// Update takes the alerts as they are now.
func (t *Tree) Update(now time.Time, alerts []Alert) {
	if len(t.nodes) == 1 {
		t.root.dispatcher.Update(now, alerts)
		return
	}
	taken := map[*Node][]Alert{}
	for _, a := range alerts {
		if a.State != Firing && a.State != Resolved {
			continue
		}
		for _, n := range t.root.Match(a.Labels) {
			taken[n] = append(taken[n], a)
		}
	}
	for _, n := range t.nodes {
		n.dispatcher.Update(now, taken[n])
	}
}

// Due returns when a group is to be looked at next.
func (t *Tree) Due() (at time.Time, ok bool) {
	for _, n := range t.nodes {
		if due, any := n.dispatcher.Due(); any && (!ok || due.Before(at)) {
			at, ok = due, true
		}
	}
	return at, ok
}

// Flush looks at the groups that are due and returns what is to be sent, by route, group
// and receiver. Of each, Done must be called.
func (t *Tree) Flush(now time.Time) (out []Notification) {
	for _, n := range t.nodes {
		out = append(out, n.dispatcher.Flush(now)...)
	}
	return out
}

// Done reports how the sending of a notification ended.
func (*Tree) Done(n Notification, ok bool) { n.from.Done(n, ok) }
