package promql

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is wrong in a file of tests is said with the line, or with the test and what it asks;
// what is wrong in its rules with the file, the line, the group and the alert.
func TestWrongRuleTestsAreNamed(t *testing.T) {
	const outage = "rule_files: [shop.yaml]\ntests:\n- name: outage\n  interval: 1m\n  input_series: [{series: up, values: 0x5}]\n"
	for _, test := range []struct{ file, want string }{
		{"tests: [", "yaml: line 1: did not find expected node content"},
		{"test: []", "line 1: field test not found"},
		{"- a", "line 1: cannot unmarshal !!seq"},
		{"rule_files: shop.yaml", "line 1: cannot unmarshal !!str `shop.yaml` into []string"},
		{"rule_files: [none.yaml]", "rule_files: no file matches "},
		{"rule_files: ['[']", "[: syntax error in pattern"},
		{"evaluation_interval: 1x", `unknown unit "x" in duration "1x"`},
		{"evaluation_interval: -1m", `not a valid duration string: "-1m"`},
		{"evaluation_interval: 0s\ntests: [{name: outage}]", "outage: evaluation_interval is not positive"},
		{"group_eval_order: [a, a]", "group name repeated in evaluation order: a"},
		{"group_eval_order: a", "line 1: cannot unmarshal !!str `a` into []string"},
		{"fuzzy_compare: maybe", "line 1: cannot unmarshal !!str `maybe` into bool"},
		{"tests:\n- interval: 1x", `unknown unit "x" in duration "1x"`},
		{"tests:\n- nme: x", "line 2: field nme not found"},
		{"tests:\n- start_timestamp: soon", `cannot parse "soon" to a valid timestamp`},
		{"tests:\n- input_series: up", "line 2: cannot unmarshal !!str `up`"},
		{"tests:\n- name: outage\n  input_series: [{series: up, value: 1}]", "line 3: field value not found"},
		{"tests:\n- name: outage\n  input_series: [{series: 'up{', values: 1}]", `outage: input_series "up{ 1": 1:5: parse error: unexpected character inside braces`},
		{"tests:\n- name: outage\n  input_series: [{series: up, values: 1+x}]", `outage: input_series "up 1+x": 1:6: parse error: unexpected "x" in series values`},
		{outage + "  external_labels: [a]", "line 6: cannot unmarshal !!seq"},
		{outage + "  alert_rule_test: [{eval_time: 1m}]", "outage: an item under alert_rule_test misses required attribute alertname at eval_time 1m"},
		{outage + "  alert_rule_test: [{eval_time: soon, alertname: Down}]", `not a valid duration string: "soon"`},
		{outage + "  alert_rule_test: [{eval_time: 5m, alertname: Down}]", "outage: alertname Down at 5m:\n  got labels {alertname=\"Down\"}"},
		{outage + "  promql_expr_test: [{eval_time: 1m, expr: 'up >'}]", `outage: expr "up >" at 1m: 1:5: parse error`},
		{outage + "  promql_expr_test: [{eval_time: 1m, expr: up, exp_samples: [{labels: 'up{'}]}]", `outage: expr "up" at 1m: labels "up{": 1:4: parse error`},
		{outage + "  promql_expr_test: [{eval_time: 1m, expr: up, exp_samples: [{labels: up, histogram: '{{x}}'}]}]", `bad histogram descriptor found: "x"`},
		{"rule_files: [bad.yaml]\ntests: [{name: outage}]", `bad.yaml: 0:0: group "g", rule 1, "A": field 'expr' must be set`},
		{"rule_files: [syntax.yaml]\ntests: [{name: outage}]", `syntax.yaml: 4:22: group "g", rule 1, "A": could not parse expression`},
	} {
		dir := t.TempDir()
		write := func(name, text string) string {
			path := filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			return path
		}
		write("shop.yaml", "groups:\n- name: g\n  rules:\n  - {alert: Down, expr: up == 0, for: 2m}\n")
		write("bad.yaml", "groups:\n- name: g\n  rules:\n  - {alert: A}\n")
		write("syntax.yaml", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'up >'}\n")
		assert.Contains(t, strings.Join(failures(write("shop_test.yaml", test.file)), "\n"), test.want, test.file)
	}
}
