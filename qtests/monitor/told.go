package monitor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
)

// A told is that a receiver took a notification with a firing alert.
type told struct {
	receiver string
	at       time.Time
	alert    Alert
}

// maxTold bounds them: later ones are not kept, as with MaxTransitions.
const maxTold = MaxTransitions

// remember keeps which firing alerts a receiver was told of. An alert that is told of
// again, since it still fires, is kept once.
func (s *state) remember(receiver string, at time.Time, alerts []alert.Alert) {
	if s.toldKeys == nil {
		s.toldKeys = map[string]bool{}
	}
	for _, a := range alerts {
		key := fmt.Sprintf("%s\xff%d\xff%s", receiver, a.FiredAt.UnixNano(), a.Key())
		if a.State == Firing && !s.toldKeys[key] && len(s.told) < maxTold {
			s.toldKeys[key] = true
			s.told = append(s.told, told{receiver, at, publicAlert(a)})
		}
	}
}

// is reports whether it is about the alert that began to fire with a transition. The told
// one may have external labels beside.
func (t told) is(x Transition) bool {
	if t.alert.Name != x.Alert || !t.alert.FiredAt.Equal(x.At) {
		return false
	}
	for name, value := range x.Labels {
		if t.alert.Labels[name] != value {
			return false
		}
	}
	return true
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
	var all []told
	m.locked(func(s *state) { all = slices.Clone(s.told) })
	for _, x := range m.Transitions(name) {
		if x.To != Firing {
			continue
		}
		i := slices.IndexFunc(all, func(y told) bool { return y.receiver == receiver && y.is(x) })
		switch {
		case i < 0:
			m.fail(t, []string{name}, "receiver %s was not told that alert %s%s fires, at %v%s", receiver, name, x.Labels, m.offset(x.At), others(all, x))
		case all[i].at.Sub(x.At) > d:
			m.fail(t, []string{name}, "receiver %s was told that alert %s%s fires %v after it did, not within %v", receiver, name, x.Labels,
				tb.Round(all[i].at.Sub(x.At)), d)
		}
	}
}

// others names the receivers that were told instead.
func others(all []told, x Transition) string {
	var names []string
	for _, y := range all {
		if y.is(x) && !slices.Contains(names, y.receiver) {
			names = append(names, y.receiver)
		}
	}
	if len(names) == 0 {
		return "; nobody was"
	}
	return fmt.Sprintf("; told was %s", strings.Join(names, ", "))
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
