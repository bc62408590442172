package monitor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
)

// A Channel delivers notifications. The monitor calls each channel from a goroutine of
// its own, one notification at a time, in order. After an error it tries again: after
// one second, two, four, … up to a minute, until the group interval is over. It does
// not try again if the error is ErrPermanent. A notification that failed is counted and
// marked in the event log, and the group sends its alerts again when it is looked at
// next. ctx ends with the group interval and with Close. A channel that panics, exits or
// hangs has failed, and does not delay other channels.
type Channel interface {
	Notify(ctx context.Context, n Notification) error
}

// A ChannelFunc is a function as a Channel.
type ChannelFunc func(ctx context.Context, n Notification) error

// Notify calls f.
func (f ChannelFunc) Notify(ctx context.Context, n Notification) error { return f(ctx, n) }

// A Notification is what a channel is told about one group of alerts. Its JSON is
// the body of Alertmanager's webhook, version 4, field by field.
type Notification struct {
	At           time.Time // when the group was looked at; not in the JSON
	Receiver     string    // the name of the channel or of the Receiver
	Reason       string    // why it is sent, in Alertmanager's words: "first notification"
	Status       State     // Firing when any alert is, otherwise Resolved
	Alerts       []Alert   // firing ones first, each kind ordered by labels
	GroupLabels  Labels
	CommonLabels Labels // what all alerts have in common
	// CommonAnnotations are the annotations that all alerts have in common.
	CommonAnnotations Labels
	// RouteLabels are the Labels of the route, and RouteKey names it: "{}" is the root.
	RouteLabels Labels
	RouteKey    string
}

// An Alert is one alert as it was at some instant.
type Alert struct {
	Name        string // the rule's
	State       State  // Pending, Firing or Resolved
	Labels      Labels // with alertname
	Annotations Labels
	Value       float64
	ActiveAt    time.Time // when its condition began to hold
	FiredAt     time.Time // zero while pending
	ResolvedAt  time.Time // zero until resolved
}

// Fingerprint returns the hash of the labels that Alertmanager shows.
func (a Alert) Fingerprint() string {
	ls := make(model.LabelSet, len(a.Labels))
	for name, value := range a.Labels {
		ls[model.LabelName(name)] = model.LabelValue(value)
	}
	return ls.Fingerprint().String()
}

func publicAlert(a alert.Alert) Alert {
	return Alert{
		Name: a.Labels.Get("alertname"), State: a.State, Labels: a.Labels.Map(), Annotations: maps.Clone(a.Annotations),
		Value: a.Value, ActiveAt: a.ActiveAt, FiredAt: a.FiredAt, ResolvedAt: a.ResolvedAt,
	}
}

func newNotification(n alert.Notification, receiver string) Notification {
	out := Notification{
		At: n.At, Receiver: receiver, Reason: n.Reason, Status: Resolved, GroupLabels: n.GroupLabels.Map(),
		RouteLabels: n.Node.Labels, RouteKey: n.Node.Key,
	}
	for _, a := range n.Alerts {
		x := publicAlert(a)
		if x.State == Firing {
			out.Status = Firing
		}
		out.Alerts = append(out.Alerts, x)
	}
	out.CommonLabels = common(out.Alerts, func(a Alert) Labels { return a.Labels })
	out.CommonAnnotations = common(out.Alerts, func(a Alert) Labels { return a.Annotations })
	return out
}

// common returns the pairs that are the same in all alerts.
func common(alerts []Alert, of func(Alert) Labels) Labels {
	out := Labels{}
	for name, value := range of(alerts[0]) {
		if !slices.ContainsFunc(alerts, func(a Alert) bool { return of(a)[name] != value }) {
			out[name] = value
		}
	}
	return out
}

// GroupKey names the group, as Alertmanager does.
func (n Notification) GroupKey() string {
	return cmp.Or(n.RouteKey, "{}") + ":" + n.GroupLabels.String()
}

// webhookAlert is an alert in the body of a webhook.
type webhookAlert struct {
	Status       State     `json:"status"`
	Labels       Labels    `json:"labels"`
	Annotations  Labels    `json:"annotations"`
	StartsAt     time.Time `json:"startsAt"`
	EndsAt       time.Time `json:"endsAt"`
	GeneratorURL string    `json:"generatorURL"`
	Fingerprint  string    `json:"fingerprint"`
}

// MarshalJSON returns the body of Alertmanager's webhook, version 4.
func (n Notification) MarshalJSON() ([]byte, error) {
	alerts := make([]webhookAlert, len(n.Alerts))
	for i, a := range n.Alerts {
		alerts[i] = webhookAlert{a.State, a.Labels, a.Annotations, a.FiredAt, a.ResolvedAt, "", a.Fingerprint()}
	}
	routeLabels := n.RouteLabels
	if routeLabels == nil {
		routeLabels = Labels{}
	}
	return json.Marshal(struct {
		Receiver          string         `json:"receiver"`
		Status            State          `json:"status"`
		Alerts            []webhookAlert `json:"alerts"`
		Reason            string         `json:"notification_reason"`
		GroupLabels       Labels         `json:"groupLabels"`
		CommonLabels      Labels         `json:"commonLabels"`
		CommonAnnotations Labels         `json:"commonAnnotations"`
		RouteLabels       Labels         `json:"routeLabels"`
		ExternalURL       string         `json:"externalURL"`
		Version           string         `json:"version"`
		GroupKey          string         `json:"groupKey"`
		TruncatedAlerts   uint64         `json:"truncatedAlerts"`
	}{n.Receiver, n.Status, alerts, n.Reason, n.GroupLabels, n.CommonLabels, n.CommonAnnotations, routeLabels, "", "4", n.GroupKey(), 0})
}

// String returns the notification on one line: [FIRING:2] Errors (step="pay").
func (n Notification) String() string {
	firing := 0
	var names []string
	for _, a := range n.Alerts {
		if a.State == Firing {
			firing++
		}
		if !slices.Contains(names, a.Name) {
			names = append(names, a.Name)
		}
	}
	status := "RESOLVED"
	if firing > 0 {
		status = fmt.Sprintf("FIRING:%d", firing)
	}
	text := fmt.Sprintf("[%s] %s", status, strings.Join(names, ", "))
	if s := n.CommonAnnotations["summary"]; s != "" {
		text += ": " + s
	}
	return text
}
