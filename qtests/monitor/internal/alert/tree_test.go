package alert_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// names returns what matches alerts of these names.
func names(all ...string) func(history.Labels) bool {
	return func(ls history.Labels) bool { return slices.Contains(all, ls.Get("alertname")) }
}

// routes is a tree of a root, of a child for A and B that goes on, with a child of its own for B, and of a
// child for B and C.
func routes() *alert.Node {
	node := func(key string, receiver int, wait time.Duration, matches func(history.Labels) bool, children ...*alert.Node) *alert.Node {
		return &alert.Node{
			Key: key, Matches: matches, Children: children, Targets: []alert.Target{{Number: receiver}},
			Route: alert.Route{Wait: wait, Interval: time.Minute, Repeat: time.Hour},
		}
	}
	first := node("first", 1, 2*time.Second, names("A", "B"), node("inner", 2, time.Second, names("B")))
	first.Continue = true
	return node("root", 0, 3*time.Second, nil, first, node("second", 3, 0, names("B", "C")))
}

func TestRoutesThatTakeAnAlert(t *testing.T) {
	root := routes()
	for name, want := range map[string]string{"A": "first", "B": "inner second", "C": "second", "D": "root"} {
		var got []string
		for _, n := range root.Match(condition(name).Labels) {
			got = append(got, n.Key)
		}
		require.Equal(t, want, strings.Join(got, " "), name)
	}
	root.Matches = names("A")
	require.Empty(t, root.Match(condition("D").Labels))
}

// heard looks at a tree whenever it is due, from start up to the given time, and returns who was told of what.
func heard(tree *alert.Tree, until time.Duration) (got []string) {
	for {
		due, ok := tree.Due()
		if !ok || due.After(start.Add(until)) {
			return got
		}
		for _, n := range tree.Flush(due) {
			var text []string
			for _, a := range n.Alerts {
				text = append(text, a.Labels.Get("alertname")+" "+string(a.State))
			}
			got = append(got, fmt.Sprintf("%v %d %s: %s", due.Sub(start), n.Receiver, n.Node.Key, strings.Join(text, ", ")))
			tree.Done(n, true)
		}
	}
}

func TestTree(t *testing.T) {
	tree := alert.NewTree(routes(), nil)
	_, ok := tree.Due()
	require.False(t, ok)
	pending, m := alert.Machine{For: time.Hour}, alert.Machine{}
	_, err := pending.Eval(start, []alert.Condition{condition("A")})
	require.NoError(t, err)
	tree.Update(start, pending.Alerts())
	_, ok = tree.Due()
	require.False(t, ok, "what is pending concerns nobody")

	_, err = m.Eval(start, []alert.Condition{condition("A"), condition("B"), condition("D")})
	require.NoError(t, err)
	tree.Update(start, m.Alerts())
	require.Equal(t, []string{
		"0s 3 second: B firing", "1s 2 inner: B firing", "2s 1 first: A firing", "3s 0 root: D firing",
	}, heard(tree, 10*time.Second), "the route that is due first is asked first")
	_, err = m.Eval(start.Add(20*time.Second), []alert.Condition{condition("B")})
	require.NoError(t, err)
	tree.Update(start.Add(20*time.Second), m.Alerts())
	require.Equal(t, []string{"1m2s 1 first: A resolved", "1m3s 0 root: D resolved"}, heard(tree, 100*time.Second))
}

// TestMutedTreeKnowsTheAlertsOfAllRoutes, as an alert of one route may inhibit one of another.
func TestMutedTreeKnowsTheAlertsOfAllRoutes(t *testing.T) {
	var seen []string
	tree := alert.NewTree(routes(), func(_ time.Time, a alert.Alert, all []alert.Alert) bool {
		seen = nil
		for _, x := range all {
			seen = append(seen, x.Labels.Get("alertname"))
		}
		slices.Sort(seen)
		return a.Labels.Get("alertname") == "B"
	})
	m := alert.Machine{}
	_, err := m.Eval(start, []alert.Condition{condition("B"), condition("D")})
	require.NoError(t, err)
	tree.Update(start, m.Alerts())
	require.Equal(t, []string{"3s 0 root: D firing"}, heard(tree, 10*time.Second))
	require.Equal(t, []string{"B", "B", "D"}, seen)
}

// TestMutedWhileItIsResolved: nobody hears of it later, when it is muted no more.
func TestMutedWhileItIsResolved(t *testing.T) {
	for _, mutedWhileFiring := range []bool{false, true} {
		muted := false
		d := alert.NewDispatcher(alert.Route{Interval: time.Second, Repeat: time.Hour}, 1, func(time.Time, alert.Alert, []alert.Alert) bool { return muted })
		m := alert.Machine{}
		told := func(second int, c ...alert.Condition) (n int) {
			now := start.Add(time.Duration(second) * time.Second)
			_, err := m.Eval(now, c)
			require.NoError(t, err)
			d.Update(now, m.Alerts())
			for _, x := range d.Flush(now) {
				d.Done(x, true)
				n += len(x.Alerts)
			}
			return n
		}
		require.Equal(t, 1, told(0, condition("A")))
		muted = true
		if mutedWhileFiring {
			require.Zero(t, told(1, condition("A")))
			muted = false
			require.Equal(t, 1, told(2), "it was firing while it was muted")
			continue
		}
		require.Zero(t, told(1))
		muted = false
		require.Zero(t, told(2))
		_, ok := d.Due()
		require.False(t, ok, "the group is forgotten")
	}
}

// An alert goes to the first child that takes it, and on to the others where that one continues.
func TestMatch(t *testing.T) {
	never := func(history.Labels) bool { return false }
	for _, c := range []struct {
		children []*alert.Node
		want     []int // -1 is the node itself
	}{
		{nil, []int{-1}},
		{[]*alert.Node{{}, {}}, []int{0}},
		{[]*alert.Node{{Continue: true}, {}, {}}, []int{0, 1}},
		{[]*alert.Node{{Matches: never}, {}, {}}, []int{1}},
		{[]*alert.Node{{Matches: never, Continue: true}, {}}, []int{1}},
		{[]*alert.Node{{Continue: true}, {Continue: true}}, []int{0, 1}},
		{[]*alert.Node{{Matches: never}}, []int{-1}},
	} {
		root := &alert.Node{Children: c.children}
		var want []*alert.Node
		for _, i := range c.want {
			if i < 0 {
				want = append(want, root)
			} else {
				want = append(want, c.children[i])
			}
		}
		got := root.Match(nil)
		require.Len(t, got, len(want))
		for i := range got {
			require.Same(t, want[i], got[i])
		}
	}
	require.Nil(t, (&alert.Node{Matches: never}).Match(nil))
}
