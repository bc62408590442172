package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// A linter looks at one set of rules.
type linter struct {
	cfg   Config
	rules []monitor.Rule
	exprs []*query.Expr // nil where it is not read
	found []Finding
}

func newLinter(cfg Config, all []monitor.Rule) *linter {
	l := &linter{cfg: cfg, rules: all}
	for _, r := range all {
		e, _ := query.Parse(r.Expr) // nil with an error
		l.exprs = append(l.exprs, e)
	}
	return l
}

// rule looks at the i-th rule.
func (l *linter) rule(i int) {
	r := l.rules[i]
	add := func(check, format string, args ...any) {
		l.found = append(l.found, Finding{r.Origin, r.Name + r.Record, check, fmt.Sprintf(format, args...)})
	}
	if err := l.refusal(r); err != nil {
		_, text, _ := strings.Cut(err.Error(), "Config.Rules[0].")
		add("syntax", "%s", text)
	}
	l.durations(r, add)
	l.duplicates(i, add)
	if l.exprs[i] == nil {
		return
	}
	l.windows(i, add)
	l.reads(i, add)
	for _, text := range l.exprs[i].NeverPaired() {
		add("matching", "%s", text)
	}
	for _, text := range l.exprs[i].NoBuckets() {
		add("buckets", "%s has no result: an aggregation took away the label le", text)
	}
	if r.Record == "" {
		l.alert(i, add)
	}
}

// A reporter adds a finding about one rule.
type reporter func(check, format string, args ...any)

// refusal returns why a monitor refuses the rule.
func (l *linter) refusal(r monitor.Rule) error {
	m, err := monitor.New(monitor.Config{Disabled: true, Clock: clock.NewMock(), Interval: l.cfg.Interval, Compile: l.cfg.Compile, Rules: []monitor.Rule{r}})
	if err == nil {
		m.Close()
	}
	return err
}

// every is the time between two evaluations of a rule.
func (l *linter) every(r monitor.Rule) time.Duration { return max(l.cfg.Interval, r.Every) }

func (l *linter) durations(r monitor.Rule, add reporter) {
	every := l.every(r)
	if r.For > 0 && r.For < every {
		add("for", "for: %v is shorter than the %v between two evaluations: the alert fires at the second one, as with for: %[2]v", r.For, every)
	}
	if r.KeepFiringFor > 0 && r.KeepFiringFor < every {
		add("for", "keep_firing_for: %v is shorter than the %v between two evaluations", r.KeepFiringFor, every)
	}
	if r.Record != "" && every >= monitor.Lookback {
		add("interval", "it records every %v, and a selector sees a sample for less than %v", every, monitor.Lookback)
	}
}

func (l *linter) duplicates(i int, add reporter) {
	r := l.rules[i]
	for _, before := range l.rules[:i] {
		same := before.Record == r.Record && before.Name == r.Name && maps.Equal(before.Labels, r.Labels)
		if r.Name != "" {
			same = same && before.Expr == r.Expr && before.For == r.For
		}
		if same {
			add("duplicate", "it is there before, at %s", before.Origin)
			return
		}
	}
}

// windows looks at the ranges of the functions that need two samples.
func (l *linter) windows(i int, add reporter) {
	for _, w := range l.exprs[i].Windows() {
		gap := l.gap(w.Metric)
		if w.Step > 0 {
			gap = w.Step
		}
		switch w.Holds(gap) {
		case 0, 1:
			add("range", "%s never has two samples, which are %v apart", w.Text, gap)
		case 2:
			if w.Step == 0 && w.Span < 2*gap {
				add("range", "%s has two samples, which are %v apart, only now and then: use %v or more", w.Text, gap, 4*gap)
			}
		}
		if w.Summed && slices.Contains([]string{"rate", "increase", "irate", "resets"}, w.Function) {
			add("resets", "%s: the restart of one counter looks like a reset of their sum; sum the rates instead", w.Text)
		}
	}
}

// gap is the time between two samples of a metric.
func (l *linter) gap(metric string) time.Duration {
	gap := l.cfg.Interval
	for _, r := range l.rules {
		if r.Record != "" && r.Record == metric {
			gap = max(gap, l.every(r))
		}
	}
	return gap
}

// reads looks for the rules that record what a rule reads.
func (l *linter) reads(i int, add reporter) {
	for _, s := range l.exprs[i].Selectors() {
		if name := s.Name(); strings.Contains(name, ":") && !l.recorded(name) {
			add("recorded", "no rule here records %s", name)
		}
	}
}

func (l *linter) recorded(name string) bool {
	return slices.ContainsFunc(l.rules, func(r monitor.Rule) bool { return r.Record == name })
}
