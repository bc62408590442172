package promql

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// failures runs a file and returns all that is wrong.
func failures(path string) (out []string) {
	f, err := readRuleTests(path)
	if err != nil {
		return []string{err.Error()}
	}
	for i := range f.Tests {
		for _, err := range f.run(i) {
			out = append(out, f.Tests[i].title(i)+": "+err.Error())
		}
	}
	return out
}

// prometheusData is the directory of promtool's own test data, in the module cache.
func prometheusData(t *testing.T) string {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/prometheus/prometheus").Output()
	require.NoError(t, err)
	dir := filepath.Join(strings.TrimSpace(string(out)), "cmd", "promtool", "testdata")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the module cache has no test data of promtool: %v", err)
	}
	return dir
}

// What the files of Prometheus' own test data are for, by what the tests of promtool
// expect of them: empty is that they pass.
var ofPrometheus = map[string]string{
	"unittest.yml":                    "",
	"long-period.yml":                 "",
	"no-test-group-interval.yml":      "",
	"at-modifier-test.yml":            "",
	"negative-offset-test.yml":        "",
	"start-time-test.yml":             "",
	"rules_run.yml":                   "exp ",
	"rules_run_fuzzy.yml":             "wrong fuzzy match",
	"rules_run_no_fuzzy.yml":          "exp ",
	"rules_run_extrafields.yml":       "field namespace not found",
	"bad-input-series.yml":            "parse error",
	"bad-promql.yml":                  "many-to-many",
	"bad-rules-error-test.yml":        "many-to-many",
	"bad-rules-syntax-test.yml":       "parse error",
	"experimental-functions-test.yml": "experimental",
	"failing.yml":                     "alertname",
}

func TestPrometheusOwnRuleTests(t *testing.T) {
	dir := prometheusData(t)
	for name, want := range ofPrometheus {
		t.Run(name, func(t *testing.T) {
			got := failures(filepath.Join(dir, name))
			if want == "" {
				require.Empty(t, got)
				return
			}
			require.NotEmpty(t, got)
			require.Contains(t, strings.Join(got, "\n"), want)
		})
	}
}

// newer are the files whose outcome another version of promtool cannot agree with.
var newer = map[string]string{
	"start-time-test.yml":        "start_timestamp came with version 3",
	"rules_run_fuzzy.yml":        "fuzzy_compare came with version 3",
	"rules_run_no_fuzzy.yml":     "fuzzy_compare came with version 3",
	"unittest.yml":               "ranges are open on the left since version 3",
	"no-test-group-interval.yml": "the interval of a test has a default since version 3",
}

// Any version of promtool that is installed agrees, but for what came
// later.
func TestPromtoolAgrees(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	dir := prometheusData(t)
	version, err := exec.CommandContext(t.Context(), promtool, "--version").CombinedOutput()
	require.NoError(t, err)
	for name := range ofPrometheus {
		t.Run(name, func(t *testing.T) {
			if why := newer[name]; why != "" && strings.Contains(string(version), "version 2.") {
				t.Skip(why)
			}
			path := filepath.Join(dir, name)
			text, err := exec.CommandContext(t.Context(), promtool, "test", "rules", path).CombinedOutput()
			require.Equal(t, err == nil, len(failures(path)) == 0, "promtool says\n%s\nand this says\n%s", text, strings.Join(failures(path), "\n"))
		})
	}
}

const teamRules = `
groups:
- name: late
  rules:
  - {alert: Hot, expr: "celsius:max > 90", for: 1m, labels: {severity: page}, annotations: {summary: "{{ $labels.oven }} is at {{ $value }} in {{ $externalLabels.city }}"}}
- name: early
  rules:
  - {record: "celsius:max", expr: max by (oven) (celsius)}
`

const teamTests = `
rule_files: [rules*.yaml]
evaluation_interval: 30s
group_eval_order: [early, late]
tests:
- name: an oven
  interval: 1m
  external_labels: {city: Ulm}
  input_series:
  - {series: 'celsius{oven="a"}', values: '80+10x3 stale'}
  - {series: 'celsius{oven="b"}', values: '20x5'}
  - {series: 'latency', values: '{{schema:0 sum:3 count:2 buckets:[1 1]}} {{schema:0 sum:6 count:4 buckets:[2 2]}}'}
  alert_rule_test:
  - {eval_time: 2m, alertname: Hot, exp_alerts: []}
  - eval_time: 3m
    alertname: Hot
    exp_alerts:
    - exp_labels: {oven: a, severity: page}
      exp_annotations: {summary: a is at 110 in Ulm}
  - {eval_time: 5m, alertname: Hot}
  promql_expr_test:
  - expr: celsius:max
    eval_time: 3m
    exp_samples: [{labels: 'celsius:max{oven="a"}', value: 110}, {labels: 'celsius:max{oven="b"}', value: 20}]
  - {expr: histogram_count(latency), eval_time: 1m, exp_samples: [{labels: '{}', value: 4}]}
  - {expr: latency, eval_time: 1m, exp_samples: [{labels: latency, histogram: '{{schema:0 sum:6 count:4 counter_reset_hint:not_reset buckets:[2 2]}}'}]}
  - {expr: ALERTS, eval_time: 3m, exp_samples: [{labels: 'ALERTS{alertname="Hot",alertstate="firing",oven="a",severity="page"}', value: 1}]}
- start_timestamp: 2024-02-29T00:00:00Z
  promql_expr_test:
  - {expr: day_of_month(), eval_time: 24h, exp_samples: [{labels: '{}', value: 1}]}
`

// team writes the files and returns the path of the tests.
func team(t *testing.T, rules, tests string) string {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules_1.yaml"), []byte(rules), 0o644))
	path := filepath.Join(dir, "tests.yaml")
	require.NoError(t, os.WriteFile(path, []byte(tests), 0o644))
	return path
}

func TestRunRuleTests(t *testing.T) { RunRuleTests(t, team(t, teamRules, teamTests)) }

func TestRuleTestsThatFail(t *testing.T) {
	for _, test := range []struct{ old, by, want string }{
		{"110 in Ulm", "111 in Ulm", "an oven: alertname Hot at 3m:\n" +
			"  exp labels {alertname=\"Hot\", oven=\"a\", severity=\"page\"} annotations {summary=\"a is at 111 in Ulm\"}\n" +
			"  got labels {alertname=\"Hot\", oven=\"a\", severity=\"page\"} annotations {summary=\"a is at 110 in Ulm\"}"},
		{"[early, late]", "[late, early]", "an oven: alertname Hot at 3m:\n  exp labels"},
		{"{oven=\"b\"}', value: 20}", "{oven=\"b\"}', value: 21}", "an oven: expr \"celsius:max\" at 3m: \n  exp {__name__=\"celsius:max\", oven=\"b\"} 2.1E+01\n  got {__name__=\"celsius:max\", oven=\"b\"} 2E+01"},
		{"not_reset buckets:[2 2]}}'}]", "not_reset buckets:[2 3]}}'}]", `expr "latency" at 1m`},
		{"histogram_count(latency)", "histogram_count(", "unclosed left parenthesis"},
		{"[rules*.yaml]", "[nope*.yaml]", "rule_files: no file matches"},
		{"[early, late]", "[early, early]", "group name repeated in evaluation order: early"},
		{"eval_time: 3m\n    alertname: Hot", "eval_time: 3m", "misses required attribute alertname at eval_time 3m"},
		{"start_timestamp: 2024", "start_timestamp: 24 o'clock 2024", "to a valid timestamp"},
		{"fuzzy", "fuzzy", ""},
		{"evaluation_interval", "evaluation_intervall", "field evaluation_intervall not found"},
		{"80+10x3", "80+x3", "parse error"},
		{"value: 1}]}\n- start", "value: 2}]}\n- start", "exp {__name__=\"ALERTS\""},
	} {
		got := failures(team(t, teamRules, strings.Replace(teamTests, test.old, test.by, 1)))
		if test.want == "" {
			require.Empty(t, got)
			continue
		}
		require.Contains(t, strings.Join(got, "\n"), test.want, test.by)
	}
	got := failures(team(t, strings.Replace(teamRules, "max by (oven)", "celsius + on ()", 1), teamTests))
	require.Contains(t, strings.Join(got, "\n"), "rule celsius:max at 0s: ")
	require.Contains(t, strings.Join(failures(filepath.Join(t.TempDir(), "none")), ""), "no such file")
}
