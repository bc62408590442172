package monitor

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/template"
)

// alertName is the label that holds the name of an alert.
const alertName = "alertname"

// A Rule is an alerting rule: every element of the result of Expr is an alert,
// identified by its labels. With Record instead of Name it is a recording rule.
type Rule struct {
	// Name is the alert's name, the label alertname.
	Name string
	// Record is the name of the metric under which the result is kept, with Labels
	// added, for the rules after this one and for reads. A recording rule has no
	// For, KeepFiringFor, Severity, Summary, Annotations or policies.
	Record string
	// Expr is the condition, in PromQL: breaker_state{state="open"} == 1. See
	// "Expressions" in the package doc for what is evaluated.
	Expr string
	// Every is the time between two evaluations. An evaluation happens with the scrape at
	// its instant, or with the next one: at 20s, 30s, 50s, … where scrapes are 10s apart
	// and Every is 15s, and with each scrape where Every is shorter than that. Zero
	// is every scrape. Between them a recording rule repeats its last result.
	Every time.Duration
	// For is how long the condition must hold, without a gap, before the alert
	// fires. Zero fires at once.
	For time.Duration
	// QueryOffset is by how much earlier than the scrape the expression is evaluated, as
	// Prometheus does for series that arrive late.
	QueryOffset time.Duration
	// Limit is how many alerts, or recorded series, the rule may have; with more the
	// evaluation fails, and the alerts end. Zero is no limit.
	Limit int
	// KeepFiringFor is how long a firing alert goes on after its condition ended.
	KeepFiringFor time.Duration
	// Severity is the label severity; empty is none.
	Severity string
	// Labels are added to those of the element. Their values are templates, but not in a
	// recording rule. An empty value removes the label.
	Labels map[string]string
	// Summary is the annotation summary, a template: "{{ $labels.breaker }} is open".
	Summary string
	// Annotations are further annotations. Their values are templates.
	Annotations map[string]string
	// NoData is the policy when no selector of Expr finds a sample. An instant read finds
	// none where the newest sample is older than Lookback, or where the series has gone.
	NoData Policy
	// OnError is the policy when Expr fails. A template that fails does not stop the
	// alert: its text says so, as in Prometheus.
	OnError Policy
	// Origin says where the rule was read, and begins the errors about it: the file, the
	// line and the group. Empty is nowhere.
	Origin string
}

// A Policy decides about the alerts of a rule when an evaluation gives no answer.
type Policy int

const (
	// PolicyDefault is Prometheus' behaviour: without data the condition does not
	// hold, after an error no state changes.
	PolicyDefault Policy = iota
	// PolicyKeep changes no state.
	PolicyKeep
	// PolicyResolve counts as a condition that does not hold.
	PolicyResolve
	// PolicyAlert counts as a condition that holds, for one alert with the rule's
	// own labels and the value NaN.
	PolicyAlert
)

// A rule is a Rule made ready, with its alerts.
type rule struct {
	Rule
	expression
	last, spare []recorded // spare is for the next result
	labels      []named
	annotations []named
	machine     alert.Machine
	series      map[string]*alertSeries // by the alert's key
	steady      bool                    // all templates are
	// Whether a template reads the value; whether that of a label does.
	valued, valuedLabels bool
	conditions           history.Derived[*condition]
	written              history.Derived[*written]
	seen                 map[string]bool // of one result
	tally
}

// A tally counts what a rule did. It goes on where the timeline is full.
type tally struct {
	err         error // of the last evaluation
	evaluations int64
	failures    int64
	pending     int64
	fired       int64
	resolved    int64
	firstFired  time.Time
	unkept      int64 // transitions that the timeline did not keep
}

// newRule makes the i-th rule of a Config ready.
func newRule(r Rule, i int, compile Compiler) (*rule, error) {
	check := field.Check(fmt.Sprintf("monitor: %sConfig.Rules[%d]", r.title(), i))
	r.check(check)
	out := &rule{Rule: r, machine: alert.Machine{For: r.For, KeepFiringFor: r.KeepFiringFor}}
	if err := out.compile(r.Expr, compile); err != nil {
		check.Err("Expr", fmt.Errorf("%q: %w", r.Expr, err))
	}
	if r.Record == "" {
		var err error
		out.labels, err = parseTemplates(r.Name, with(r.Labels, "severity", r.Severity))
		check.Err("Labels", err)
		out.annotations, err = parseTemplates(r.Name, with(r.Annotations, "summary", r.Summary))
		check.Err("Annotations", err)
		unsteady := func(n named) bool { return !n.text.Steady() }
		valued := func(n named) bool { return n.text.ReadsValue() }
		out.valuedLabels = slices.ContainsFunc(out.labels, valued)
		out.valued = out.valuedLabels || slices.ContainsFunc(out.annotations, valued)
		out.steady = !slices.ContainsFunc(out.labels, unsteady) && !slices.ContainsFunc(out.annotations, unsteady)
	}
	return out, check.Result()
}

// A named is the template of a label or an annotation.
type named struct {
	name string
	text *template.Template
}

// parseTemplates returns the templates, sorted by name.
func parseTemplates(alert string, texts map[string]string) ([]named, error) {
	var out []named
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		t, err := template.Parse(alert, texts[name])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", texts[name], err)
		}
		out = append(out, named{name, t})
	}
	return out, nil
}

// due reports whether the k-th scrape is the first at or after an instant at which the
// rule is evaluated.
func (r *Rule) due(k int64, interval time.Duration) bool {
	if k == 0 || r.Every <= interval {
		return true
	}
	at := time.Duration(k) * interval
	return at/r.Every != (at-interval)/r.Every
}

// check reports the fields that have no meaning.
func (r *Rule) check(check *field.Checker) {
	check.Duration("Every", r.Every)
	check.Duration("For", r.For)
	check.Duration("KeepFiringFor", r.KeepFiringFor)
	check.Duration("QueryOffset", r.QueryOffset)
	check.Count("Limit", r.Limit)
	check.That(r.NoData >= PolicyDefault && r.NoData <= PolicyAlert, "NoData", int(r.NoData), "is no Policy")
	check.That(r.OnError >= PolicyDefault && r.OnError <= PolicyAlert, "OnError", int(r.OnError), "is no Policy")
	check.That(r.Severity == "" || r.Labels["severity"] == "", "Severity", r.Severity, "contradicts the label severity")
	check.That(r.Summary == "" || r.Annotations["summary"] == "", "Summary", r.Summary, "contradicts the annotation summary")
	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		valid := model.UTF8Validation.IsValidLabelName(name) && name != history.NameLabel && (name != alertName || r.Name == "")
		check.That(valid, "Labels", name, "cannot be a label of a rule")
		check.That(utf8.ValidString(r.Labels[name]), "Labels", strconv.Quote(r.Labels[name]), "is not UTF-8")
	}
	if r.Record == "" {
		check.That(r.Name != "", "Name", `""`, "is empty")
		return
	}
	check.That(model.UTF8Validation.IsValidMetricName(r.Record) && !strings.ContainsAny(r.Record, "{}"), "Record", r.Record, "is not the name of a metric")
	check.That(r.Name == "", "Name", r.Name, "contradicts Record")
	alerting := r.For != 0 || r.KeepFiringFor != 0 || r.Severity != "" || r.Summary != "" || len(r.Annotations) > 0 || r.NoData != 0 || r.OnError != 0
	check.That(!alerting, "Record", r.Record, "is a recording rule, which has no For, KeepFiringFor, Severity, Summary, Annotations, NoData or OnError")
}

// title begins the errors about a rule.
func (r *Rule) title() string {
	out := ""
	if r.Origin != "" {
		out = r.Origin + ": "
	}
	switch {
	case r.Name != "":
		return out + "alert " + r.Name + ": "
	case r.Record != "":
		return out + "recording rule " + r.Record + ": "
	}
	return out
}

// with returns a copy of m in which name is value, unless that is empty.
func with(m map[string]string, name, value string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, m)
	if value != "" {
		out[name] = value
	}
	return out
}
