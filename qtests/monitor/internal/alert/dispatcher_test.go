package alert_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
)

// simulate evaluates a machine for every second of script (the alert of the
// letter holds, of 2 both A and B, of a dash none), looks at the dispatcher whenever it is due, and returns what the one
// receiver was told; a delivery fails while fails has an x.
func simulate(script, fails string) string {
	route := alert.Route{Wait: 2 * time.Second, Interval: 5 * time.Second, Repeat: 12 * time.Second}
	d := alert.NewDispatcher(route, 1, nil)
	m := alert.Machine{}
	var got []string
	for i := range len(script) {
		now := start.Add(time.Duration(i) * time.Second)
		var c []alert.Condition
		switch script[i] {
		case '-':
		case '2':
			c = []alert.Condition{condition("A"), condition("B")}
		default:
			c = []alert.Condition{condition(string(script[i]))}
		}
		if _, err := m.Eval(now, c); err != nil {
			panic(err)
		}
		d.Update(now, m.Alerts())
		for {
			due, ok := d.Due()
			if !ok || due.After(now) {
				break
			}
			for _, n := range d.Flush(now) {
				var text []string
				for _, a := range n.Alerts {
					text = append(text, a.Labels.Get("alertname")+" "+string(a.State))
				}
				ok := i >= len(fails) || fails[i] != 'x'
				got = append(got, fmt.Sprintf("%d %s %v", i, strings.Join(text, "+"), ok))
				d.Done(n, ok)
			}
		}
	}
	return strings.Join(got, ", ")
}

func TestDispatcher(t *testing.T) {
	for script, want := range map[string]string{
		"--------":                   "",
		"-AAAAAAAAA":                 "3 A firing true",
		"-A--------":                 "", // over before the group was looked at: nobody is told
		"-AAAA-----":                 "3 A firing true, 8 A resolved true",
		"-AAAABBBBBBBBB":             "3 A firing true, 8 B firing+A resolved true",
		"-AAAA-AAAAAAA":              "3 A firing true",                   // a flap between two looks
		"AAAAAAAAAAAAAAAAAAAAAAAAAA": "2 A firing true, 17 A firing true", // after more than 12 s
		"22222AAAAAAAAA":             "2 A firing+B firing true, 7 A firing+B resolved true",
		"AAAA---------AAAAAA":        "2 A firing true, 7 A resolved true, 15 A firing true",
	} {
		require.Equal(t, want, simulate(script, ""), script)
	}
	require.Equal(t, "3 A firing false, 8 A firing true, 13 A resolved false, 18 A resolved true",
		simulate("-AAAAAAAA--------------", "---xxx-------xxxx"), "what failed is sent again with the next look")
}

// What began and ended between two looks, after all was resolved, is not told.
func TestDispatcherAfterAllIsResolved(t *testing.T) {
	d := alert.NewDispatcher(alert.Route{Interval: time.Second, Repeat: time.Hour}, 1, nil)
	m := alert.Machine{}
	at := func(second int, c ...alert.Condition) []alert.Notification {
		now := start.Add(time.Duration(second) * time.Second)
		_, err := m.Eval(now, c)
		require.NoError(t, err)
		d.Update(now, m.Alerts())
		return d.Flush(now)
	}
	fired := at(0, condition("A"))
	require.Len(t, fired, 1)
	d.Done(fired[0], true)
	resolved := at(1)
	require.Len(t, resolved, 1)
	require.Empty(t, at(2, condition("B")), "the receiver is still busy")
	require.Empty(t, at(3))
	d.Done(resolved[0], true)
	require.Empty(t, at(4), "nobody knows of B")
	_, due := d.Due()
	require.False(t, due)
}

// Whatever happens, a receiver that was told last that something fires is told
// of its end, the dispatcher becomes empty, and nothing is told twice within
// the repeat interval without a change.
func TestDispatcherAgainstInvariants(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := alert.NewDispatcher(alert.Route{GroupBy: []string{"alertname"}, Wait: time.Second, Interval: 3 * time.Second, Repeat: time.Minute}, 2, nil)
		m := alert.Machine{}
		on := map[string]bool{}
		knows := [2]map[string]alert.State{{}, {}}
		var inflight []alert.Notification
		for i := range 400 {
			now := start.Add(time.Duration(i) * time.Second)
			if i < 300 && r.IntN(5) == 0 {
				name := string(rune('A' + r.IntN(4)))
				on[name] = !on[name]
			} else if i >= 300 {
				on = map[string]bool{}
			}
			var c []alert.Condition
			for name, holds := range on {
				if holds {
					c = append(c, condition(name))
				}
			}
			_, err := m.Eval(now, c)
			require.NoError(t, err)
			d.Update(now, m.Alerts())
			inflight = append(inflight, d.Flush(now)...)
			for len(inflight) > 0 && r.IntN(3) > 0 {
				n := inflight[0]
				inflight = inflight[1:]
				ok := i >= 300 || r.IntN(3) > 0
				d.Done(n, ok)
				if ok {
					for _, a := range n.Alerts {
						knows[n.Receiver][a.Labels.String()] = a.State
					}
				}
			}
		}
		for _, n := range inflight {
			d.Done(n, true)
			for _, a := range n.Alerts {
				knows[n.Receiver][a.Labels.String()] = a.State
			}
		}
		for _, k := range knows {
			for name, state := range k {
				require.Equal(t, alert.Resolved, state, "seed %d: %s", seed, name)
			}
		}
		_, due := d.Due()
		require.False(t, due, "seed %d: nothing is left", seed)
	}
}
