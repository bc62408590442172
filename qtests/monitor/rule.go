package monitor

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

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
	// Every is the time between two evaluations, a multiple of Config.Interval. Zero
	// is every scrape. Between them a recording rule repeats its last result.
	Every time.Duration
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
	// NoData is the policy when no selector of Expr finds a sample.
	NoData Policy
	// OnError is the policy when Expr or a template fails.
	OnError Policy
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
	expr        *query.Expr // or
	evaluator   Evaluator
	guard       guard
	every       int64 // scrapes between two evaluations
	last        []recorded
	labels      map[string]*template.Template
	annotations map[string]*template.Template
	machine     alert.Machine
	err         error // of the last evaluation
	failures    int
}

var (
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
)

// newRule makes the i-th rule of a Config ready.
func newRule(r Rule, i int, interval time.Duration, compile Compiler) (*rule, error) {
	check := field.Check(fmt.Sprintf("monitor: Config.Rules[%d]", i))
	r.check(check, interval)
	out := &rule{Rule: r, machine: alert.Machine{For: r.For, KeepFiringFor: r.KeepFiringFor}, every: max(1, int64(r.Every/interval))}
	if err := out.compile(compile); err != nil {
		check.Err("Expr", fmt.Errorf("%q: %w", r.Expr, err))
	}
	labels := with(r.Labels, "severity", r.Severity)
	annotations := with(r.Annotations, "summary", r.Summary)
	var err error
	out.labels, err = parseTemplates(labels)
	check.Err("Labels", err)
	out.annotations, err = parseTemplates(annotations)
	check.Err("Annotations", err)
	return out, check.Result()
}

// check reports the fields that have no meaning.
func (r *Rule) check(check *field.Checker, interval time.Duration) {
	check.Duration("Every", r.Every)
	check.Duration("For", r.For)
	check.Duration("KeepFiringFor", r.KeepFiringFor)
	check.That(r.Every%interval == 0, "Every", r.Every, "is no multiple of Config.Interval, %v", interval)
	check.That(r.NoData >= PolicyDefault && r.NoData <= PolicyAlert, "NoData", int(r.NoData), "is no Policy")
	check.That(r.OnError >= PolicyDefault && r.OnError <= PolicyAlert, "OnError", int(r.OnError), "is no Policy")
	check.That(r.Severity == "" || r.Labels["severity"] == "", "Severity", r.Severity, "contradicts the label severity")
	check.That(r.Summary == "" || r.Annotations["summary"] == "", "Summary", r.Summary, "contradicts the annotation summary")
	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		check.That(labelName.MatchString(name) && name != history.NameLabel && name != "alertname", "Labels", name, "cannot be a label of a rule")
	}
	if r.Record == "" {
		check.That(r.Name != "", "Name", `""`, "is empty")
		return
	}
	check.That(metricName.MatchString(r.Record), "Record", r.Record, "is not the name of a metric")
	check.That(r.Name == "", "Name", r.Name, "contradicts Record")
	alerting := r.For != 0 || r.KeepFiringFor != 0 || r.Severity != "" || r.Summary != "" || len(r.Annotations) > 0 || r.NoData != 0 || r.OnError != 0
	check.That(!alerting, "Record", r.Record, "is a recording rule, which has no For, KeepFiringFor, Severity, Summary, Annotations, NoData or OnError")
}

// title names the rule in errors.
func (r *Rule) title() string { return r.Name + r.Record }

// with returns a copy of m in which name is value, unless that is empty.
func with(m map[string]string, name, value string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, m)
	if value != "" {
		out[name] = value
	}
	return out
}

// compile makes the expression ready, with a compiler that may panic.
func (r *rule) compile(c Compiler) (err error) {
	if c == nil {
		r.expr, err = query.Parse(r.Expr)
		return err
	}
	r.guard = newGuard("the rule's evaluator")
	err = usercode.Call(func() (err error) {
		r.evaluator, err = c(r.Expr)
		return err
	})
	if err == nil && r.evaluator == nil {
		return errors.New("Config.Compile returned no Evaluator")
	}
	return usercode.Blame("Config.Compile", err)
}

// An outcome is what a rule's expression gave, labels not yet converted.
type outcome struct {
	points []query.Point
	noData bool
	err    error
}

// apply takes the alerts of the rule one step further and returns what changed.
func (r *rule) apply(ts time.Time, o outcome) []alert.Transition {
	var conditions []alert.Condition
	err := o.err
	if err == nil {
		conditions, err = r.conditions(o.points)
	}
	policy := PolicyDefault
	switch {
	case err != nil && r.OnError == PolicyDefault:
		policy = PolicyKeep
	case err != nil:
		policy = r.OnError
	case o.noData:
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
	r.note(err)
	return changes
}

// note remembers how the last evaluation ended.
func (r *rule) note(err error) {
	if r.err = err; err != nil {
		r.failures++
	}
}

// relabel returns the labels of an element with those of the rule.
func (r *rule) relabel(p query.Point, data templateData) (history.Labels, error) {
	labels := p.Labels.Without(history.NameLabel)
	for _, name := range slices.Sorted(maps.Keys(r.labels)) {
		value, err := execute(r.labels[name], data)
		if err != nil {
			return nil, fmt.Errorf("label %s: %w", name, err)
		}
		labels = labels.With(name, value)
	}
	return labels, nil
}

// conditions turns the elements of a result into alerts.
func (r *rule) conditions(points []query.Point) ([]alert.Condition, error) {
	out := make([]alert.Condition, 0, len(points))
	for _, p := range points {
		data := templateData{Labels: p.Labels.Map(), Value: p.Value}
		labels, err := r.relabel(p, data)
		if err != nil {
			return nil, err
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

// bare is the alert of PolicyAlert. It has those labels of the rule that need no element
// of a result.
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
		Value:       math.NaN(),
	}
}
