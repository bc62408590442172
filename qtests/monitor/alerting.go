package monitor

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
	"github.com/go-qtests/qtests/qtests/monitor/internal/template"
)

// A rule is a Rule made ready, with its alerts.
type rule struct {
	Rule
	expression
	recorder
	labels      []named
	annotations []named
	machine     alert.Machine
	steady      bool // all templates are
	// valued: some template reads the value. valuedLabels: the template of a label does.
	valued, valuedLabels bool
	conditions           history.Derived[*condition]
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

// parsed reads the expression, also where another evaluates it; nil where it cannot.
func (r *rule) parsed() *query.Expr {
	if r.expr != nil {
		return r.expr
	}
	expr, err := query.Parse(r.Expr)
	if err != nil {
		return nil
	}
	return expr
}

// selectors reads the expression, also where another evaluates it.
func (r *rule) selectors() []query.Selector {
	if expr := r.parsed(); expr != nil {
		return expr.Selectors()
	}
	return nil
}

// expand turns the elements of a result into alerts. shared makes what all of them have.
func (r *rule) expand(o *outcome, shared func() template.Data) {
	if r.Record != "" || o.err != nil || len(o.points) == 0 {
		return
	}
	x := expansion{rule: r, data: shared()}
	o.conditions = make([]alert.Condition, 0, len(o.points))
	for _, p := range o.points {
		kept := r.conditions.Of(p.Labels, func(ls history.Labels) *condition { return &condition{element: ls.Map()} })
		x.renew(kept, p)
		o.conditions = append(o.conditions, kept.Condition)
		if len(x.flaws) > 0 {
			kept.Annotations = nil // to fail again
		}
	}
	o.flaw = errors.Join(x.flaws...)
}

// A condition is an element as an alert, and its labels as templates see them.
type condition struct {
	alert.Condition
	element map[string]string
}

// An expansion makes the alerts of one evaluation.
type expansion struct {
	*rule
	data  template.Data
	flaws []error
}

// renew brings the condition of an element up to date. What its texts do not read need
// not be the same as before for them to be.
func (x *expansion) renew(c *condition, p query.Point) {
	all := c.Annotations == nil || !x.steady
	if !all && math.Float64bits(c.Value) == math.Float64bits(p.Value) {
		return
	}
	c.Value = p.Value
	x.data.Labels, x.data.Value = c.element, p.Value
	if all || x.valuedLabels {
		c.Condition = alert.Condition{Labels: x.labelsOf(p.Labels), Value: p.Value, Annotations: c.Annotations}
		c.Identify()
	}
	if all || x.valued {
		c.Annotations = x.texts()
	}
}

// labelsOf returns the labels of the alert of an element.
func (x *expansion) labelsOf(element history.Labels) history.Labels {
	ls := element.Without(history.NameLabel)
	for _, l := range x.labels {
		ls = ls.With(l.name, x.text("label "+l.name, l.text))
	}
	return ls.With(alertName, x.Name)
}

// texts returns the annotations.
func (x *expansion) texts() map[string]string {
	out := make(map[string]string, len(x.annotations))
	for _, a := range x.annotations {
		out[a.name] = x.text("annotation "+a.name, a.text)
	}
	return out
}

// text expands a template. One that fails says so in its text.
func (x *expansion) text(name string, t *template.Template) string {
	out, err := t.Expand(x.data)
	if err == nil {
		return out
	}
	if len(x.flaws) < maxErrors {
		x.flaws = append(x.flaws, fmt.Errorf("%s: %w", name, err))
	}
	return fmt.Sprintf("<error expanding template: %s>", err)
}

// apply takes the alerts of the rule one step further and returns what changed.
func (r *rule) apply(ts time.Time, o outcome) []alert.Transition {
	err := o.err
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
		changes, err = r.machine.Eval(ts, o.conditions)
	}
	if n := r.machine.Active(); r.Limit > 0 && n > r.Limit {
		changes, err = r.machine.End(ts, changes), fmt.Errorf("exceeded limit of %d with %d alerts", r.Limit, n)
	}
	r.note(err)
	for _, c := range changes {
		r.count(c)
	}
	return changes
}

// note remembers how the last evaluation ended.
func (t *tally) note(err error) {
	t.evaluations++
	if t.err = err; err != nil {
		t.failures++
	}
}

// count counts a change of an alert of the rule.
func (t *tally) count(c alert.Transition) {
	switch c.To {
	case Pending:
		t.pending++
	case Resolved:
		t.resolved++
	case Firing:
		if t.fired++; t.fired == 1 {
			t.firstFired = c.At
		}
	}
}

// bare is the alert of PolicyAlert. It has those labels of the rule that need no element
// of a result.
func (r *rule) bare(err error) alert.Condition {
	labels := history.Labels{}
	for _, l := range r.labels {
		if text, ok := l.text.Plain(); ok {
			labels = labels.With(l.name, text)
		}
	}
	summary := "no data for " + r.Expr
	if err != nil {
		summary = err.Error()
	}
	return alert.Condition{
		Labels:      labels.With(alertName, r.Name),
		Annotations: map[string]string{"summary": summary},
		Value:       math.NaN(),
	}
}

// state is the worst of the alerts.
func (r *rule) state() State {
	if r.Record != "" {
		return ""
	}
	worst := Inactive
	for _, a := range r.machine.Alerts() {
		switch a.State {
		case Firing:
			return Firing
		case Pending:
			worst = Pending
		}
	}
	return worst
}
