package alert

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A State is where an alert is in its life.
type State string

// The states. Resolved is the inactive state of an alert that has fired.
const (
	Inactive State = "inactive"
	Pending  State = "pending"
	Firing   State = "firing"
	Resolved State = "resolved"
)

// ErrSameLabels is Prometheus' refusal of two elements that become one alert.
var ErrSameLabels = errors.New("vector contains metrics with the same labelset after applying alert labels")

// A Condition is one element of the result of a rule's expression, with the
// labels and annotations of the alert that it means.
type Condition struct {
	Labels      history.Labels // the alert's identity
	Annotations map[string]string
	Value       float64
	key         string
}

// Identify makes the key of the condition, once: see Alert.Key.
func (c *Condition) Identify() {
	if c.key == "" {
		c.key = c.Labels.Key()
	}
}

// An Alert is one alert of a rule.
type Alert struct {
	Condition
	State State // Pending, Firing or Resolved
	// ActiveAt is the first evaluation at which the condition held.
	ActiveAt time.Time
	// FiredAt and ResolvedAt are zero until it happens.
	FiredAt, ResolvedAt time.Time
	keepFiringSince     time.Time
}

// Key returns a text that only alerts with the same labels have.
func (a Alert) Key() string { return a.key }

// A Transition is a change of the state of one alert.
type Transition struct {
	At       time.Time
	Alert    Alert // after the change
	From, To State
}

// A Machine is the alerts of one rule. The zero value, with its two durations
// set, is ready.
type Machine struct {
	// For is how long the condition must hold before an alert fires.
	For time.Duration
	// KeepFiringFor is how long a firing alert goes on after its condition
	// ended.
	KeepFiringFor time.Duration

	alerts []*Alert // sorted by labels
	holds  map[string]bool
}

// resolvedRetention is how long a resolved alert is remembered, as in Prometheus.
const resolvedRetention = 15 * time.Minute

// Eval takes the elements for which the condition holds at ts, and returns what
// changed, ordered by labels. With an error nothing has changed.
func (m *Machine) Eval(ts time.Time, conditions []Condition) ([]Transition, error) {
	if m.holds == nil {
		m.holds = map[string]bool{}
	}
	clear(m.holds)
	for i := range conditions {
		c := &conditions[i]
		c.Identify()
		if m.holds[c.key] {
			return nil, fmt.Errorf("%w: %s", ErrSameLabels, c.Labels)
		}
		m.holds[c.key] = true
	}
	for _, c := range conditions {
		m.hold(ts, c)
	}
	var changes []Transition
	for _, a := range m.alerts {
		from := a.State
		if from == Pending && a.ActiveAt.Equal(ts) {
			from = Inactive
		}
		if a.step(ts, m.holds[a.key], m.For, m.KeepFiringFor) {
			changes = append(changes, Transition{ts, *a, from, a.State})
		} else if from == Inactive && a.State == Pending {
			changes = append(changes, Transition{ts, *a, Inactive, Pending})
		}
	}
	m.alerts = slices.DeleteFunc(m.alerts, func(a *Alert) bool {
		return a.State == Inactive || a.State == Resolved && ts.Sub(a.ResolvedAt) > resolvedRetention
	})
	return changes, nil
}

// hold makes the alert of a condition, or brings the active one up to date: a
// reassertion keeps its ActiveAt. A resolved alert begins a new life.
func (m *Machine) hold(ts time.Time, c Condition) {
	i, found := slices.BinarySearchFunc(m.alerts, c.Labels, func(a *Alert, ls history.Labels) int {
		return a.Labels.Compare(ls)
	})
	if found && m.alerts[i].State != Resolved {
		m.alerts[i].Condition = c
		return
	}
	a := &Alert{Condition: c, State: Pending, ActiveAt: ts}
	if found {
		m.alerts[i] = a
		return
	}
	m.alerts = slices.Insert(m.alerts, i, a)
}

// step moves one alert on and reports whether its state changed.
func (a *Alert) step(ts time.Time, holds bool, hold, keep time.Duration) bool {
	if !holds {
		return a.end(ts, keep)
	}
	a.keepFiringSince = time.Time{}
	if a.State == Pending && ts.Sub(a.ActiveAt) >= hold {
		a.State, a.FiredAt = Firing, ts
		return true
	}
	return false
}

// end is the step of an alert whose condition does not hold: pending ones are
// dropped at once, firing ones kept for as long as KeepFiringFor says.
func (a *Alert) end(ts time.Time, keep time.Duration) bool {
	switch a.State {
	case Pending:
		a.State = Inactive
		return true
	case Firing:
		if keep > 0 {
			if a.keepFiringSince.IsZero() {
				a.keepFiringSince = ts
			}
			if ts.Sub(a.keepFiringSince) < keep {
				return false
			}
		}
		a.State, a.ResolvedAt = Resolved, ts
		return true
	}
	return false
}

// Active returns how many alerts are pending or firing.
func (m *Machine) Active() (n int) {
	for _, a := range m.alerts {
		if a.State != Resolved {
			n++
		}
	}
	return n
}

// End ends all alerts at ts, the same instant as the Eval before, and returns what
// changed in both together: changes are those of Eval.
func (m *Machine) End(ts time.Time, changes []Transition) []Transition {
	for _, a := range m.alerts {
		if a.State == Resolved {
			continue
		}
		from := a.State
		born := a.ActiveAt.Equal(ts)
		fired := a.FiredAt.Equal(ts)
		changes = slices.DeleteFunc(changes, func(c Transition) bool { return c.Alert.key == a.key })
		if a.State = Inactive; from == Firing && !fired {
			a.State, a.ResolvedAt = Resolved, ts
		}
		if fired {
			from = Pending
		}
		if !born {
			changes = append(changes, Transition{ts, *a, from, a.State})
		}
	}
	m.alerts = slices.DeleteFunc(m.alerts, func(a *Alert) bool { return a.State == Inactive })
	return changes
}

// Each calls f for each of the alerts, ordered by labels; f changes nothing.
func (m *Machine) Each(f func(*Alert)) {
	for _, a := range m.alerts {
		f(a)
	}
}

// Alerts returns copies of the alerts that are pending or firing, and of those
// resolved in the last 15 minutes, ordered by labels.
func (m *Machine) Alerts() []Alert { return m.AppendAlerts(nil) }

// AppendAlerts appends what Alerts returns.
func (m *Machine) AppendAlerts(to []Alert) []Alert {
	for _, a := range m.alerts {
		to = append(to, *a)
	}
	return to
}
