package monitor

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// A Rule is an alerting rule: every element of the result of Expr is an alert,
// identified by its labels.
type Rule struct {
	// Name is the alert's name, the label alertname. It may not be empty.
	Name string
	// Expr is the condition, in PromQL: breaker_state{state="open"} == 1. See
	// "Expressions" in the package doc for what is evaluated.
	Expr string
	// For is how long the condition must hold, without a gap, before the alert
	// fires. Zero fires at once.
	For time.Duration
	// KeepFiringFor is how long a firing alert goes on after its condition ended.
	KeepFiringFor time.Duration
	// Severity is the label severity; empty is none.
	Severity string
	// Labels are added to those of the element. Their values are templates.
	Labels map[string]string
	// Summary is the annotation summary, a template: "{{ $labels.breaker }} is open".
	Summary string
	// Annotations are further annotations. Their values are templates.
	Annotations map[string]string
	// NoData says what it means when no selector of Expr finds any sample.
	NoData Policy
	// OnError says what it means when Expr or a template fails.
	OnError Policy
}

// A Policy says what becomes of a rule's alerts in an evaluation without an answer.
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
	expr        *query.Expr
	labels      map[string]*template.Template
	annotations map[string]*template.Template
	machine     alert.Machine
	err         error // of the last evaluation
	failures    int
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func newRule(r Rule, i int) (*rule, error) {
	at := func(name string) string { return fmt.Sprintf("Rules[%d].%s", i, name) }
	check := field.Check("monitor: Config")
	check.That(r.Name != "", at("Name"), `""`, "is empty")
	check.Duration(at("For"), r.For)
	check.Duration(at("KeepFiringFor"), r.KeepFiringFor)
	check.That(r.NoData >= PolicyDefault && r.NoData <= PolicyAlert, at("NoData"), int(r.NoData), "is no Policy")
	check.That(r.OnError >= PolicyDefault && r.OnError <= PolicyAlert, at("OnError"), int(r.OnError), "is no Policy")
	out := &rule{Rule: r, machine: alert.Machine{For: r.For, KeepFiringFor: r.KeepFiringFor}}
	var err error
	if out.expr, err = query.Parse(r.Expr); err != nil {
		check.Err(at("Expr"), fmt.Errorf("%q: %w", r.Expr, err))
	}
	labels := maps.Clone(r.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	if r.Severity != "" {
		check.That(labels["severity"] == "", at("Severity"), r.Severity, "contradicts the label severity")
		labels["severity"] = r.Severity
	}
	annotations := maps.Clone(r.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	if r.Summary != "" {
		check.That(annotations["summary"] == "", at("Summary"), r.Summary, "contradicts the annotation summary")
		annotations["summary"] = r.Summary
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		check.That(labelName.MatchString(name) && name != history.NameLabel && name != "alertname", at("Labels"), name, "cannot be a label of an alert")
	}
	out.labels, err = parseTemplates(labels)
	check.Err(at("Labels"), err)
	out.annotations, err = parseTemplates(annotations)
	check.Err(at("Annotations"), err)
	return out, check.Result()
}

// evaluate takes the rule one step further and returns what changed.
func (r *rule) evaluate(st *history.Store, ts time.Time) []alert.Transition {
	result, err := r.expr.Eval(st, ts.UnixNano())
	var conditions []alert.Condition
	if err == nil {
		conditions, err = r.conditions(result.Points)
	}
	policy := PolicyDefault
	switch {
	case err != nil:
		policy = r.OnError
		if policy == PolicyDefault {
			policy = PolicyKeep
		}
	case !result.Data && r.NoData != PolicyDefault:
		policy = r.NoData
	}
	var changes []alert.Transition
	switch policy {
	case PolicyKeep:
	case PolicyAlert:
		changes, _ = r.machine.Eval(ts, []alert.Condition{r.bare(err)})
	case PolicyResolve:
		changes, _ = r.machine.Eval(ts, nil)
	default:
		changes, err = r.machine.Eval(ts, conditions)
	}
	r.err = err
	if err != nil {
		r.failures++
	}
	return changes
}

// conditions turns the elements of a result into alerts.
func (r *rule) conditions(points []query.Point) ([]alert.Condition, error) {
	out := make([]alert.Condition, 0, len(points))
	for _, p := range points {
		data := templateData{Labels: p.Labels.Map(), Value: p.Value}
		labels := p.Labels.Without(history.NameLabel)
		for _, name := range slices.Sorted(maps.Keys(r.labels)) {
			value, err := execute(r.labels[name], data)
			if err != nil {
				return nil, fmt.Errorf("label %s: %w", name, err)
			}
			labels = labels.With(name, value)
		}
		c := alert.Condition{Labels: labels.With("alertname", r.Name), Value: p.Value, Annotations: map[string]string{}}
		for name, t := range r.annotations {
			value, err := execute(t, data)
			if err != nil {
				return nil, fmt.Errorf("annotation %s: %w", name, err)
			}
			c.Annotations[name] = value
		}
		out = append(out, c)
	}
	return out, nil
}

// bare is the alert of PolicyAlert: the rule's labels, as far as they need no
// element.
func (r *rule) bare(err error) alert.Condition {
	labels := history.Labels{}
	for name, text := range r.Labels {
		if !strings.Contains(text, "{{") {
			labels = labels.With(name, text)
		}
	}
	summary := "no data for " + r.Expr
	if err != nil {
		summary = err.Error()
	}
	return alert.Condition{
		Labels:      labels.With("severity", r.Severity).With("alertname", r.Name),
		Annotations: map[string]string{"summary": summary},
		Value:       nan,
	}
}
