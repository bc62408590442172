package monitor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A State is where an alert is in its life: Inactive, Pending, Firing, Resolved.
type State = alert.State

// The states of an alert. An alert is resolved when it has fired and fires no
// longer; its next life begins at Inactive again.
const (
	Inactive = alert.Inactive
	Pending  = alert.Pending
	Firing   = alert.Firing
	Resolved = alert.Resolved
)

// MaxTransitions is how many transitions a monitor keeps; later ones are counted
// only, so that the beginning of a story is kept.
const MaxTransitions = 10_000

// A Transition is a change of the state of one alert.
type Transition struct {
	At     time.Time
	Alert  string // the rule's name
	Labels Labels // without alertname
	From   State
	To     State
	Value  float64 // of the expression when its condition last held
}

// MarshalJSON writes a value that is no finite number as a string.
func (t Transition) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		At     time.Time `json:"at"`
		Alert  string    `json:"alert"`
		Labels Labels    `json:"labels"`
		From   State     `json:"from"`
		To     State     `json:"to"`
		Value  number    `json:"value"`
	}{t.At, t.Alert, t.Labels, t.From, t.To, number(t.Value)})
}

// A number is a float64 whose JSON is a string when it is not finite.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if s := formatValue(float64(n)); strings.ContainsAny(s, "NI") {
		return json.Marshal(s)
	}
	return json.Marshal(float64(n))
}

// String returns the change and the labels: `PaymentsOpen{breaker="payments"}
// pending → firing`.
func (t Transition) String() string {
	labels := ""
	if len(t.Labels) > 0 {
		labels = t.Labels.String()
	}
	return fmt.Sprintf("%s%s %s → %s", t.Alert, labels, t.From, t.To)
}

// A timeline is the bounded list of transitions.
type timeline struct {
	log     *qtests.EventLog
	all     []Transition
	dropped int64
}

func (tl *timeline) add(r *rule, c alert.Transition) {
	labels := c.Alert.Labels.Without("alertname")
	tl.log.Add(c.At, "alert "+r.Name, fmt.Sprintf("%s → %s", c.From, c.To))
	if len(tl.all) >= MaxTransitions {
		tl.dropped++
		return
	}
	tl.all = append(tl.all, Transition{c.At, r.Name, labels.Map(), c.From, c.To, c.Alert.Value})
}

// Transitions returns every change of the named alerts, or of all of them, in the
// order in which they happened.
func (m *Monitor) Transitions(alerts ...string) (out []Transition) {
	m.locked(func(s *state) {
		for _, t := range s.timeline.all {
			if len(alerts) == 0 || slices.Contains(alerts, t.Alert) {
				out = append(out, t)
			}
		}
	})
	return out
}

// Timeline returns the transitions as text, one line each: the offset from the
// start of the monitor, the alert, and the change.
//
//	20m10s	PaymentsOpen{breaker="payments"} inactive → pending
//	21m10s	PaymentsOpen{breaker="payments"} pending → firing
//
// It is the same for the same run, and made to be kept as a golden file.
func (m *Monitor) Timeline(alerts ...string) string {
	var b strings.Builder
	for _, t := range m.Transitions(alerts...) {
		fmt.Fprintf(&b, "%v\t%v\n", qtests.Round(t.At.Sub(m.start)), t)
	}
	return b.String()
}

func sortLabels(ids []history.Labels) {
	slices.SortFunc(ids, func(a, b history.Labels) int { return a.Compare(b) })
}

// Alerts returns the alerts that are pending or firing now, or those of the
// named rules, in the order of the rules and by labels.
func (m *Monitor) Alerts(names ...string) (out []Alert) {
	m.locked(func(*state) { // which guards the machines of the rules, too
		for _, r := range m.rules {
			if r.Record != "" || len(names) > 0 && !slices.Contains(names, r.Name) {
				continue
			}
			for _, a := range r.machine.Alerts() {
				if a.State != alert.Resolved {
					out = append(out, publicAlert(a))
				}
			}
		}
	})
	return out
}
