package promql_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/promql"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// oracle is Prometheus' own alerting rule, evaluated where package monitor would
// evaluate one of its own.
type oracle struct {
	monitor.Evaluator
	rule  *rules.AlertingRule
	fails int
}

func (o *oracle) Eval(ctx context.Context, h *monitor.History, at time.Time) (monitor.Result, error) {
	result, err := o.Evaluator.Eval(ctx, h, at)
	_, ruleErr := o.rule.Eval(ctx, 0, at, func(context.Context, string, time.Time) (prom.Vector, error) {
		if err != nil {
			return nil, err
		}
		var v prom.Vector
		for _, p := range result.Points {
			v = append(v, prom.Sample{Metric: labels.FromMap(p.Labels), F: p.Value, T: at.UnixMilli()})
		}
		return v, nil
	}, nil, 0)
	if ruleErr != nil {
		o.fails++
	}
	return result, err
}

// alerts writes the alerts of Prometheus' rule.
func (o *oracle) alerts(roughly bool) []string {
	var out []string
	for _, a := range o.rule.ActiveAlerts() {
		out = append(out, fmt.Sprintf("%s %s since %v value %x %s", labelText(a.Labels.Map()), a.State, a.ActiveAt.UnixMilli(),
			bits(a.Value, roughly), labelText(a.Annotations.Map())))
	}
	slices.Sort(out)
	return out
}

func alerts(m *monitor.Monitor, roughly bool) []string {
	var out []string
	for _, a := range m.Alerts() {
		out = append(out, fmt.Sprintf("%s %s since %v value %x %s", labelText(a.Labels), a.State, a.ActiveAt.UnixMilli(),
			bits(a.Value, roughly), labelText(a.Annotations)))
	}
	slices.Sort(out)
	return out
}

func labelText(m map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "%s=%q,", name, m[name])
	}
	return b.String()
}

// bits makes all NaN one, and roughly leaves the last ones out.
func bits(v float64, roughly bool) uint64 {
	switch {
	case math.IsNaN(v):
		return 0x7ff8000000000001
	case roughly:
		return (math.Float64bits(v) + 1<<15) >> 16
	}
	return math.Float64bits(v)
}

// Random series and rules: the monitor's own reader, its state machine and its
// templates against Prometheus' engine, rules and templates.
func TestNoDifferenceFromPrometheus(t *testing.T) {
	first := uint64(1)
	if s := os.Getenv("QTESTS_CASE"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		first = n
	}
	firing, nonEmpty := 0, 0
	cases := uint64(150 * max(1, stress()))
	for n := first; n < first+cases; n++ {
		f, e := compare(t, n)
		firing += f
		nonEmpty += e
		if t.Failed() {
			t.Fatalf("to repeat: QTESTS_CASE=%d go test -run '^TestNoDifferenceFromPrometheus$' .", n)
		}
	}
	t.Logf("%d cases; an alert was firing in %d of the evaluations, and the result had elements in %d", cases, firing, nonEmpty)
	if cases > 100 {
		require.NotZero(t, firing, "the cases show nothing")
	}
}

// never keeps the monitors from scraping by themselves.
const never = 1000 * time.Hour

func compare(t *testing.T, n uint64) (firing, nonEmpty int) {
	r := rand.New(rand.NewPCG(n, 7))
	expr := randomExpr(r)
	rule := monitor.Rule{
		Name: "Alert", Expr: expr, Severity: "page",
		For:           time.Duration(r.IntN(4)) * 20 * time.Second,
		KeepFiringFor: time.Duration(r.IntN(3)) * 30 * time.Second,
		Summary:       `{{ $labels.a }} at {{ $value }} {{ humanize $value }} {{ .Value | humanizePercentage }}`,
	}
	subquery := strings.Contains(expr, ":")
	if subquery { // Prometheus takes the series of a subquery in any order: the last bits of a sum are not always the same
		rule.Summary = `{{ $labels.a }} at {{ humanize $value }}`
	}
	if r.IntN(4) == 0 {
		rule.Labels = map[string]string{"b": "", "level": `{{ if gt $value 2.0 }}high{{ else }}low{{ end }}`}
	}
	if r.IntN(4) == 0 { // templates that fail, some of them only sometimes
		rule.Summary += pick(r, `{{ humanize $labels }}`, `{{ if gt $value 2.0 }}{{ humanize "x" }}{{ end }}`, `{{ .Nope }}`, `{{ first 1 }}`, `{{ $labels.a.b }}`,
			"\n{{ reReplaceAll \"(\" $labels.a \"\" }}")
		if r.IntN(2) == 0 {
			rule.Labels = map[string]string{"tier": `{{ toDuration "NaN" }}{{ $externalLabels }} {{ toTime $labels.b }}`}
		}
	}
	text := map[string]string{"severity": "page"}
	maps.Copy(text, rule.Labels)
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	require.NoError(t, err, expr)
	ref := &oracle{rule: rules.NewAlertingRule("Alert", parsed, rule.For, rule.KeepFiringFor, labels.FromMap(text),
		labels.FromMap(map[string]string{"summary": rule.Summary}), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))}

	clk := newManual()
	seed := r.Uint64()
	source := func() []prometheus.Gatherer {
		return []prometheus.Gatherer{&scripted{r: rand.New(rand.NewPCG(seed, 1)), values: map[string]float64{}, gone: map[string]int{}}}
	}
	interval := time.Duration(1+r.IntN(4)) * 10 * time.Second
	ours, err := monitor.New(monitor.Config{Clock: clk, Interval: never, Gatherers: source(), Rules: []monitor.Rule{rule}})
	require.NoError(t, err, expr)
	defer ours.Close()
	engine := promql.NewEngine()
	theirs, err := monitor.New(monitor.Config{Clock: clk, Interval: never, Gatherers: source(), Rules: []monitor.Rule{rule},
		Compile: func(expr string) (monitor.Evaluator, error) {
			e, err := engine.Compile(expr)
			ref.Evaluator = e
			return ref, err
		}})
	require.NoError(t, err, expr)
	defer theirs.Close()

	scrapes := 20 + r.IntN(60)
	for i := range scrapes {
		clk.now = clk.now.Add(interval)
		errOurs, errTheirs := ours.Scrape(), theirs.Scrape()
		if !equalErrors(errOurs, errTheirs) {
			t.Errorf("%s\nscrape %d: errors differ:\nours   %v\ntheirs %v", expr, i, errOurs, errTheirs)
			return
		}
		have, want := alerts(ours, subquery), ref.alerts(subquery)
		if !slices.Equal(have, want) {
			both := func(line string) bool { return slices.Contains(have, line) && slices.Contains(want, line) }
			t.Errorf("%s (for %v, keep %v, every %v)\nscrape %d: ours\n  %.2000s\nPrometheus\n  %.2000s", expr, rule.For, rule.KeepFiringFor, interval, i,
				strings.Join(slices.DeleteFunc(slices.Clone(have), both), "\n  "), strings.Join(slices.DeleteFunc(slices.Clone(want), both), "\n  "))
			return
		}
		nonEmpty += min(1, len(have))
		firing += min(1, strings.Count(strings.Join(have, ""), " firing since"))
	}
	require.Equal(t, theirs.Timeline(), ours.Timeline(), expr)
	return firing, nonEmpty
}

// equalErrors compares whether the rule failed; how it is put is not compared.
func equalErrors(a, b error) bool {
	failed := func(err error) bool { return err != nil && strings.Contains(err.Error(), "rule Alert") }
	return failed(a) == failed(b)
}

// The two evaluators agree about the evaluations that have no data: the alerts of
// PolicyAlert tell.
func TestNoDataIsTheSame(t *testing.T) {
	silent := 0
	for n := range uint64(150 * max(1, stress())) {
		r := rand.New(rand.NewPCG(n, 11))
		rule := monitor.Rule{Name: "Alert", Expr: randomExpr(r), NoData: monitor.PolicyAlert}
		if r.IntN(3) == 0 { // something that comes and goes
			rule.Expr = pick(r, "g", "c", "up") + `{a="1",b="x"} > 1e9`
		}
		clk, seed := newManual(), r.Uint64()
		made := func(compile monitor.Compiler) *monitor.Monitor {
			source := &scripted{r: rand.New(rand.NewPCG(seed, 1)), values: map[string]float64{}, gone: map[string]int{}}
			m, err := monitor.New(monitor.Config{Clock: clk, Interval: never, Gatherers: []prometheus.Gatherer{source}, Rules: []monitor.Rule{rule}, Compile: compile})
			require.NoError(t, err, rule.Expr)
			return m
		}
		ours, theirs := made(nil), made(promql.NewEngine().Compile)
		interval := time.Duration(1+r.IntN(30)) * 10 * time.Second
		for range 20 + r.IntN(40) {
			clk.now = clk.now.Add(interval)
			_, _ = ours.Scrape(), theirs.Scrape()
		}
		require.Equal(t, theirs.Timeline(), ours.Timeline(), "case %d: %s", n, rule.Expr)
		for _, x := range ours.Transitions() {
			silent += min(1, strings.Count(fmt.Sprint(x.Value), "NaN"))
		}
		ours.Close()
		theirs.Close()
	}
	require.NotZero(t, silent, "the cases show nothing")
}

// stress is by how much more cases there are than usual.
func stress() int {
	n, _ := strconv.Atoi(os.Getenv("QTESTS_STRESS"))
	return n
}
