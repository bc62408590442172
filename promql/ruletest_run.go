package promql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

// A ruleRun is one test under way.
type ruleRun struct {
	file   *ruleTests
	test   *ruleTest
	parser parser.Parser
	suite  *promqltest.LazyLoader
	groups []*rules.Group
	start  time.Time
}

// run runs the test at an index and returns what differs from what it expects.
func (f *ruleTests) run(i int) []error {
	r := &ruleRun{file: f, test: &f.Tests[i], parser: parser.NewParser(parser.Options{}), start: time.Unix(0, 0).UTC()}
	if !r.test.Start.IsZero() {
		r.start = r.test.Start.Time
	}
	for _, a := range r.test.Alerts {
		if a.Alertname == "" {
			return []error{fmt.Errorf("an item under alert_rule_test misses required attribute alertname at eval_time %v", a.EvalTime)}
		}
	}
	if err := r.load(); err != nil {
		return []error{err}
	}
	errs := r.loadRules()
	if errs == nil {
		errs = r.evaluate()
	}
	return slices.DeleteFunc(append(errs, r.suite.Close()), func(err error) bool { return err == nil })
}

// load makes the storage with the input series, which come as time passes.
func (r *ruleRun) load() (err error) {
	var text strings.Builder
	interval := cmp.Or(r.test.Interval, r.file.EvaluationInterval)
	fmt.Fprintf(&text, "load %v\n", interval)
	for _, s := range r.test.InputSeries {
		line := s.Series + " " + s.Values
		if _, _, err := r.parser.ParseSeriesDesc(line); err != nil {
			return fmt.Errorf("input_series %q: %w", line, err)
		}
		fmt.Fprintf(&text, "  %s\n", line)
	}
	r.suite, err = promqltest.NewLazyLoader(text.String(), promqltest.LazyLoaderOpts{
		EnableAtModifier: true, EnableNegativeOffset: true, StartTime: r.test.Start.Time, Parser: r.parser,
	})
	if err == nil {
		r.suite.SubqueryInterval = time.Duration(r.file.EvaluationInterval)
	}
	return err
}

// loadRules reads the rule files. The groups named in group_eval_order have that order,
// after those that are not named.
func (r *ruleRun) loadRules() []error {
	m := rules.NewManager(&rules.ManagerOptions{
		QueryFunc:    rules.EngineQueryFunc(r.suite.QueryEngine(), r.suite.Storage()),
		AppendableV2: r.suite.Storage(),
		Context:      context.Background(),
		NotifyFunc:   func(context.Context, string, ...*rules.Alert) {},
		Logger:       slog.New(slog.DiscardHandler),
		Parser:       r.parser,
	})
	interval := time.Duration(cmp.Or(r.test.Interval, r.file.EvaluationInterval))
	groups, errs := m.LoadGroups(interval, r.test.ExternalLabels, r.test.ExternalURL, nil, false, r.file.RuleFiles...)
	if errs != nil {
		return errs
	}
	for _, g := range groups {
		r.groups = append(r.groups, g)
		for _, rule := range g.Rules() {
			if a, ok := rule.(*rules.AlertingRule); ok {
				a.SetRestored(true) // otherwise it writes no ALERTS
			}
		}
	}
	slices.SortFunc(r.groups, func(a, b *rules.Group) int {
		return cmp.Or(cmp.Compare(r.file.order[a.Name()], r.file.order[b.Name()]), cmp.Compare(a.File(), b.File()), cmp.Compare(a.Name(), b.Name()))
	})
	return nil
}

// evaluate lets time pass, and looks at the alerts and then at the expressions.
func (r *ruleRun) evaluate() (errs []error) {
	interval := time.Duration(r.file.EvaluationInterval)
	if interval <= 0 {
		return []error{errors.New("evaluation_interval is not positive")}
	}
	asked := slices.Clone(r.test.Alerts)
	slices.SortStableFunc(asked, func(a, b alertCase) int { return cmp.Compare(a.EvalTime, b.EvalTime) })
	for elapsed := time.Duration(0); ; elapsed += interval {
		if failed := r.step(elapsed); len(failed) > 0 {
			return append(errs, failed...)
		}
		for len(asked) > 0 && time.Duration(asked[0].EvalTime)-elapsed < interval {
			if err := r.checkAlerts(asked[0]); err != nil {
				errs = append(errs, err)
			}
			asked = asked[1:]
		}
		if r.test.end()-elapsed < interval { // compared so, nothing overflows in a test of centuries
			break
		}
	}
	for _, e := range r.test.Exprs {
		if err := r.checkExpr(e); err != nil {
			errs = append(errs, fmt.Errorf("expr %q at %v: %w", e.Expr, e.EvalTime, err))
		}
	}
	return errs
}

// step evaluates the rules at an instant.
func (r *ruleRun) step(elapsed time.Duration) (errs []error) {
	at := r.start.Add(elapsed)
	r.suite.WithSamplesTill(at, func(err error) {
		if err != nil {
			errs = append(errs, err)
			return
		}
		for _, g := range r.groups {
			g.Eval(r.suite.Context(), at)
			for _, rule := range g.Rules() {
				if err := rule.LastError(); err != nil {
					errs = append(errs, fmt.Errorf("rule %s at %v: %w", rule.Name(), model.Duration(elapsed), err))
				}
			}
		}
	})
	return errs
}

// checkAlerts compares the firing alerts of a name.
func (r *ruleRun) checkAlerts(c alertCase) error {
	var have, want []string
	for _, g := range r.groups {
		for _, rule := range g.Rules() {
			a, ok := rule.(*rules.AlertingRule)
			if !ok || a.Name() != c.Alertname {
				continue
			}
			for _, x := range a.ActiveAlerts() {
				if x.State == rules.StateFiring {
					have = append(have, alertText(x.Labels, x.Annotations))
				}
			}
		}
	}
	for _, x := range c.ExpAlerts {
		ls := labels.NewBuilder(labels.FromMap(x.Labels)).Set(labels.AlertName, c.Alertname).Labels()
		want = append(want, alertText(ls, labels.FromMap(x.Annotations)))
	}
	slices.Sort(have)
	slices.Sort(want)
	if slices.Equal(have, want) {
		return nil
	}
	return fmt.Errorf("alertname %s at %v:\n%s", c.Alertname, c.EvalTime, difference(want, have))
}

func alertText(ls, annotations labels.Labels) string {
	return "labels " + ls.String() + " annotations " + annotations.String()
}

// difference writes what is expected and not there, and what is there and not expected.
func difference(want, have []string) string {
	var b strings.Builder
	write := func(sign string, lines, others []string) {
		others = slices.Clone(others)
		for _, line := range lines {
			if i := slices.Index(others, line); i >= 0 {
				others = slices.Delete(others, i, i+1)
				continue
			}
			fmt.Fprintf(&b, "  %s %s\n", sign, strings.ReplaceAll(line, "\n", "\n      "))
		}
	}
	write("exp", want, have)
	write("got", have, want)
	return strings.TrimSuffix(b.String(), "\n")
}
