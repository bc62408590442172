package lint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/lint"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// file writes a rule file with the rules, one a line, from the fourth on.
func file(lines ...string) string {
	return "groups:\n- name: g\n  rules:\n  - " + strings.Join(lines, "\n  - ") + "\n"
}

func findings(t *testing.T, cfg lint.Config, text string) (out []string) {
	all, err := rules.Parse("a.yaml", strings.NewReader(text))
	require.NoError(t, err)
	found, err := lint.Rules(cfg, all)
	require.NoError(t, err)
	for _, f := range found {
		out = append(out, f.String())
	}
	return out
}

func TestFindings(t *testing.T) {
	const at = `a.yaml:4: group "g": `
	for _, c := range []struct {
		name, rule string
		want       []string
	}{
		{"good", "{alert: A, expr: 'rate(x[1m]) > 0', for: 15s, annotations: {s: '{{ $labels.job }}'}}", nil},
		{"syntax", "{alert: A, expr: 'rate(x) > 0'}", []string{`A: syntax: Expr: "rate(x) > 0": `}},
		{"template", "{alert: A, expr: 'x > 0', annotations: {s: '{{ nope }}'}}", []string{`A: syntax: Annotations: "{{ nope }}": `}},
		{"never two", "{alert: A, expr: 'rate(x[15s]) > 0'}", []string{"A: range: rate(x[15s]) never has two samples, which are 15s apart"}},
		{"now and then", "{record: r, expr: 'increase(x[29s])'}", []string{"r: range: increase(x[29s]) has two samples, which are 15s apart, only now and then: use 1m0s or more"}},
		{"twice the interval", "{alert: A, expr: 'rate(x[30s]) > 0'}", nil},
		{"one is enough", "{alert: A, expr: 'max_over_time(x[5s]) > 0'}", nil},
		{"subquery", "{alert: A, expr: 'deriv(x[1m:1m]) > 0'}", []string{"A: range: deriv(x[1m:1m]) never has two samples, which are 1m0s apart"}},
		{"for", "{alert: A, expr: 'x > 0', for: 14s}", []string{"A: for: for: 14s is shorter than the 15s between two evaluations: the alert fires at the second one, as with for: 15s"}},
		{"keep", "{alert: A, expr: 'x > 0', keep_firing_for: 1s}", []string{"A: for: keep_firing_for: 1s is shorter than"}},
		{"absent", "{alert: A, expr: 'absent(x{a=~\"b\"})', for: 1m}", []string{`A: absent: the result of absent(x{a=~"b"}) has no label to say what is missing`}},
		{"absent of a sum", "{alert: A, expr: 'absent(sum(x{a=\"b\"}))', for: 1m}", []string{"A: absent: the result of absent(sum("}},
		{"absent at once", "{alert: A, expr: 'absent(x{a=\"b\"})'}", []string{`A: absent: absent(x{a="b"}) fires with the first scrape that fails`}},
		{"good absent", "{alert: A, expr: 'absent_over_time(x{a=\"b\"}[5m])', for: 1m}", nil},
		{"always", "{alert: A, expr: 'increase(x[5m])'}", []string{"A: always: the expression compares nothing"}},
		{"bool", "{alert: A, expr: 'x > bool 5'}", []string{"A: always: "}},
		{"always or", "{alert: A, expr: 'x > 5 or y'}", []string{"A: always: "}},
		{"inside", "{alert: A, expr: 'count(x > 5) or (y unless z)'}", nil},
		{"on purpose", "{alert: Watchdog, expr: vector(1)}", nil},
		{"alerts", "{alert: A, expr: 'ALERTS{alertname=\"B\"}'}", nil},
		{"labels", "{alert: A, expr: 'sum by (job) (x) > 5', labels: {l: '{{ $labels.job }}'}, annotations: {s: '{{ $labels.instance }} $labels.a {{ $labels.instance }}'}}",
			[]string{"A: labels: s reads $labels.instance, which the result never has: it has job"}},
		{"no labels", "{alert: A, expr: 'sum(x) > 5', annotations: {s: '{{ if $labels.instance }}x{{ end }}'}}", []string{"A: labels: s reads $labels.instance, which the result never has: it has no label"}},
		{"taken away", "{alert: A, expr: 'sum without (pod) (x) > 5', annotations: {s: '{{ $labels.pod }}{{ $labels.job }}'}}", []string{"A: labels: s reads $labels.pod, which the result never has"}},
		{"put there", "{alert: A, expr: 'label_replace(sum(x) > 5, \"a\", \"b\", \"\", \"\")', annotations: {s: '{{ $labels.a }}'}}", nil},
		{"joined", "{alert: A, expr: 'sum by (a) (x) * on (a) group_left (b) y > 5', annotations: {s: '{{ $labels.a }}{{ $labels.b }}'}}", nil},
		{"on", "{alert: A, expr: 'x / on (a) y > 5', annotations: {s: '{{ $labels.b }}'}}", []string{"A: labels: s reads $labels.b, which the result never has: it has a"}},
		{"absent's", "{alert: A, expr: 'absent(x{a=\"b\"})', for: 1m, annotations: {s: '{{ $labels.a }}{{ $labels.c }}'}}", []string{"A: labels: s reads $labels.c, which the result never has: it has a"}},
		{"quantile's", "{alert: A, expr: 'histogram_quantile(0.9, sum by (le, a) (rate(x_bucket[1m]))) > 5', annotations: {s: '{{ $labels.le }}'}}", []string{"A: labels: s reads $labels.le, which the result never has: it has a"}},
		{"matching", "{alert: A, expr: 'sum by (job) (x) / sum(y) > 5'}", []string{`A: matching: "/" pairs elements by the label job, which only the left side may have`}},
		{"matching on", "{alert: A, expr: 'x > on (pod) sum by (job) (y)'}", []string{`A: matching: ">" pairs elements by the label pod, which only the left side may have`}},
		{"matched", "{alert: A, expr: 'sum by (job) (x) / ignoring (job) group_left () sum(y) > 5 or sum(x) > 5'}", nil},
		{"buckets", "{alert: A, expr: 'histogram_quantile(0.9, sum by (job) (rate(x_bucket[1m]))) > 5'}", []string{"A: buckets: histogram_quantile(0.9, sum by (job) (rate(x_bucket[1m]))) has no result"}},
		{"native", "{alert: A, expr: 'histogram_quantile(0.9, sum by (job) (x)) > 5'}", nil},
		{"resets", "{alert: A, expr: 'rate(sum(x)[5m:1m]) > 5'}", []string{"A: resets: rate(sum(x)[5m:1m]): the restart of one counter"}},
		{"sum of rates", "{alert: A, expr: 'rate(sum(rate(x[1m]))[5m:1m]) > 5'}", nil},
		{"recorded", "{alert: A, expr: 'job:x:rate > 5'}", []string{"A: recorded: no rule here records job:x:rate"}},
	} {
		got := findings(t, lint.Config{Interval: 15 * time.Second}, file(c.rule))
		require.Len(t, got, len(c.want), "%s: %q", c.name, got)
		for i, want := range c.want {
			require.True(t, strings.HasPrefix(got[i], at+want), "%s: %s\nwant %s", c.name, got[i], at+want)
		}
	}
}

// What one rule records, another reads.
func TestFindingsAcrossRules(t *testing.T) {
	got := findings(t, lint.Config{Interval: 15 * time.Second}, `
groups:
- name: slow
  interval: 5m
  rules:
  - {record: job:x:sum, expr: sum by (job) (x)}
- name: often
  interval: 1m
  rules:
  - {record: job:y:high, expr: y > 5}
  - {record: job:y:high, expr: y > 6}
  - {record: job:y:high, expr: y > 6, labels: {a: b}}
- name: alerts
  rules:
  - {alert: A, expr: 'rate(job:y:high[90s]) > 0'}
  - {alert: B, expr: 'job:y:high'}
  - {alert: C, expr: 'job:x:sum'}
  - {alert: B, expr: 'job:y:high'}
  - {alert: B, expr: 'job:y:high', for: 1m}
`)
	require.Equal(t, []string{
		`a.yaml:6: group "slow": job:x:sum: interval: it records every 5m0s, and a selector sees a sample for less than 5m0s`,
		`a.yaml:11: group "often": job:y:high: duplicate: it is there before, at a.yaml:10: group "often"`,
		`a.yaml:15: group "alerts": A: range: rate(job:y:high[90s]) has two samples, which are 1m0s apart, only now and then: use 4m0s or more`,
		`a.yaml:17: group "alerts": C: always: the expression compares nothing: the alert fires while it has any element`,
		`a.yaml:18: group "alerts": B: duplicate: it is there before, at a.yaml:16: group "alerts"`,
	}, got)
}

func TestExcept(t *testing.T) {
	text := file("{alert: A, expr: 'rate(x[5s])'}", "{alert: B, expr: 'rate(x[5s])'}", "{alert: C, expr: y}")
	require.Len(t, findings(t, lint.Config{}, text), 5)
	got := findings(t, lint.Config{Except: []string{"range", "B: always", "C", "D"}}, text)
	require.Len(t, got, 2)
	require.Contains(t, got[0], "A: always: ")
	require.Equal(t, `Config.Except: "D" excepts nothing`, got[1])
}

func TestRequire(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("good.yaml", file("{alert: A, expr: x > 0}"))
	write("thin.yaml", file("{alert: B, expr: 'rate(x[1s]) > 0'}"))
	write("wrong.yaml", "groups: 3\n")
	r := tbtest.Run("TestRules", func(t *tbtest.TB) { lint.Require(t, lint.Config{}, filepath.Join(dir, "*.yaml")) })
	require.True(t, r.Failed())
	require.Contains(t, r.Errors(), `wrong.yaml`)
	require.Contains(t, r.Errors(), `thin.yaml:4: group "g": B: range: rate(x[1s]) never has two samples`)
	require.NotContains(t, r.Errors(), "good.yaml")
	r = tbtest.Run("TestRules", func(t *tbtest.TB) { lint.Require(t, lint.Config{}, filepath.Join(dir, "good.yaml")) })
	require.False(t, r.Failed(), r.Errors())
	for want, f := range map[string]func(t *tbtest.TB){
		"names no file":          func(t *tbtest.TB) { lint.Require(t, lint.Config{}, "nothing*.yaml") },
		"Require without a file": func(t *tbtest.TB) { lint.Require(t, lint.Config{}) },
		"lint: Config.Interval":  func(t *tbtest.TB) { lint.Require(t, lint.Config{Interval: -1}, filepath.Join(dir, "good.yaml")) },
	} {
		r := tbtest.Run("TestRules", f)
		require.True(t, r.Failed())
		require.Contains(t, r.Errors(), want)
	}
}

// Another compiler may read more than monitor does: only its own refusals count then.
func TestCompile(t *testing.T) {
	text := file("{alert: A, expr: 'limitk(1, x)'}")
	require.Len(t, findings(t, lint.Config{}, text), 1)
	require.Empty(t, findings(t, lint.Config{Compile: func(string) (monitor.Evaluator, error) { return monitor.Evaluator(anything{}), nil }}, text))
}

type anything struct{ monitor.Evaluator }
