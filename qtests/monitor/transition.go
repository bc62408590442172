package monitor

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
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

// MaxTransitions is how many transitions a monitor keeps. Later ones are counted only,
// so that the beginning of a story is kept. RequireFired and RequireNotFired know of
// them; the other assertions fail where they would have to.
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
	log *event.Log
	all []Transition
}

// add marks a change of an alert of the named rule in the event log, and keeps it if there is a
// place for it.
func (tl *timeline) add(rule string, c alert.Transition) (kept bool) {
	labels := c.Alert.Labels.Without("alertname")
	tl.log.Add(c.At, "alert "+rule, fmt.Sprintf("%s → %s", c.From, c.To))
	if len(tl.all) >= MaxTransitions {
		return false
	}
	tl.all = append(tl.all, Transition{c.At, rule, labels.Map(), c.From, c.To, c.Alert.Value})
	return true
}
