package rules_test

import (
	"strings"
	"testing"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
)

// refusal is what a monitor of the file says that is made of the lines.
func refusal(lines ...string) string {
	read, err := rules.Parse("shop.yaml", strings.NewReader(strings.Join(lines, "\n")))
	if err == nil {
		var m *monitor.Monitor
		if m, err = monitor.New(monitor.Config{Clock: clock.NewMock(), Rules: read}); err == nil {
			m.Close()
			return "nothing"
		}
	}
	return err.Error()
}

// What is wrong with a rule is said with the file, the line, the group and the alert.
func TestWrongRulesAreNamed(t *testing.T) {
	const where = `shop.yaml:6: group "shop": alert Errors: `
	for rule, want := range map[string]string{
		`{alert: Errors, expr: up, fro: 1m}`:                        `line 6: unknown field "fro"; there are alert, record`,
		`{alert: Errors, record: B, expr: up}`:                      `a rule has either record or alert`,
		`{alert: Errors}`:                                           `expr is missing`,
		`{alert: Errors, expr: [up]}`:                               `line 6: cannot unmarshal !!seq into string`,
		`{alert: Errors, alert: Errors, expr: up}`:                  `line 6: mapping key "alert" already defined at line 6`,
		`{alert: Errors, expr: up, for: 1x}`:                        `line 6: "1x" is not a duration such as 1h30m`,
		`{alert: Errors, expr: up, for: -1m}`:                       `line 6: "-1m" is not a duration`,
		`{alert: Errors, expr: up, for: [1m]}`:                      `line 6: an empty duration`,
		`{alert: Errors, expr: up, keep_firing_for: soon}`:          `line 6: "soon" is not a duration`,
		`{alert: Errors, expr: 'up >'}`:                             `"up >": at character 5: unexpected "the end"`,
		`{alert: Errors, expr: 'nope(up)'}`:                         `at character 1: the function nope is not evaluated here`,
		`{alert: Errors, expr: 'rate(up)'}`:                         `argument 1 of rate: want a range vector, have an instant vector`,
		`{alert: Errors, expr: 'up{a=~"("}'}`:                       `at character 5: label a: error parsing regexp`,
		`{alert: Errors, expr: 'up[5m]'}`:                           `a range vector is only the argument of a function`,
		`{alert: Errors, expr: 'label_replace(up, "a")'}`:           `label_replace takes 5 arguments, has 2`,
		`{alert: Errors, expr: up, labels: page}`:                   `line 6: cannot unmarshal`,
		`{alert: Errors, expr: up, labels: {severity: [page]}}`:     `line 6: cannot unmarshal !!seq into string`,
		`{alert: Errors, expr: up, labels: {__name__: x}}`:          `Labels: __name__ cannot be a label of a rule`,
		`{alert: Errors, expr: up, labels: {alertname: x}}`:         `Labels: alertname cannot be a label of a rule`,
		`{alert: Errors, expr: up, labels: {a: '{{ .X '}}`:          `"{{ .X ": error parsing template __alert_Errors`,
		`{alert: Errors, expr: up, annotations: 5}`:                 `line 6: cannot unmarshal`,
		`{alert: Errors, expr: up, annotations: {s: '{{ nope }}'}}`: `function "nope" not defined`,
		`{alert: Errors, expr: up, annotations: {s: '{{ if }}'}}`:   `missing value for if`,
	} {
		got := refusal("groups:", "- name: other", "  rules: [{alert: Fine, expr: up}]", "- name: shop", "  rules:", "  - "+rule)
		assert.Contains(t, got, want, rule)
		assert.Contains(t, got, where, rule)
	}
	require.Equal(t, "nothing", refusal("groups:", "- name: shop", "  rules:", "  - {alert: Errors, expr: up}"))
}

// What is wrong around the rules is said with the file, the line and, in a group, its name.
func TestWrongGroupsAreNamed(t *testing.T) {
	const operator = "kind: PrometheusRule\napiVersion: monitoring.coreos.com/v1\n"
	for _, test := range []struct{ file, want string }{
		{"rules: []", `shop.yaml: line 1: unknown field "rules"; there are groups`},
		{"- name: g", "shop.yaml: line 1: want fields, such as groups"},
		{"groups: {}", "shop.yaml: line 1: groups is no list"},
		{"groups: [", "shop.yaml: yaml: line 1: did not find expected node content"},
		{"\tgroups: []", "shop.yaml: yaml: found character that cannot start any token"},
		{"groups: []\n---\ngroups: []", "shop.yaml: more than one document"},
		{"groups: &a [*a]", `shop.yaml:1: group "": line 1: want fields`},
		{"groups: [g]", `shop.yaml:1: group "": line 1: want fields, such as name`},
		{"groups:\n- rules: []", `shop.yaml:2: group "": a group without a name`},
		{"groups:\n- name: [g]", `line 2: cannot unmarshal !!seq into string`},
		{"groups:\n- name: g\n- name: g", `shop.yaml:3: group "g": a group before has the same name`},
		{"groups:\n- name: g\n  name: h", `line 3: mapping key "name" already defined at line 2`},
		{"groups:\n- name: g\n  limit: -3", `shop.yaml:2: group "g": limit: -3 is negative`},
		{"groups:\n- name: g\n  limit: many", "line 3: cannot unmarshal !!str `many` into int"},
		{"groups:\n- name: g\n  query_offset: 1q", `shop.yaml:2: group "g": line 3: "1q" is not a duration`},
		{"groups:\n- name: g\n  interval: 5", `shop.yaml:2: group "g": line 3: "5" is not a duration`},
		{"groups:\n- name: g\n  intervall: 1m", `shop.yaml:2: group "g": line 3: unknown field "intervall"`},
		{"groups:\n- name: g\n  rules: {alert: A}", `shop.yaml:2: group "g": line 3: rules is no list`},
		{"groups:\n- name: g\n  rules: [up]", `shop.yaml:3: group "g": line 3: want fields, such as alert`},
		{"groups:\n- name: g\n  rules: [{expr: up}]", `shop.yaml:3: group "g": a rule has either record or alert`},
		{"groups:\n- name: g\n  rules: [{record: 'a b{', expr: up}]", `shop.yaml:3: group "g": recording rule a b{: `},
		{"groups:\n- name: g\n  rules: [{record: a, expr: up, for: 1m}]", `recording rule a: Config.Rules[0].Record: a is a recording rule, which has no For`},
		{"groups:\n- name: g\n  labels: [a]", `line 3: cannot unmarshal !!seq`},
		{"kind: PrometheusRule\nspec: {groups: []}", `shop.yaml: line 1: a PrometheusRule of apiVersion ""; want monitoring.coreos.com/v1`},
		{operator, "shop.yaml: line 1: a PrometheusRule without a spec"},
		{operator + "spec: {group: []}", `shop.yaml: line 3: unknown field "group"`},
		{operator + "spec: {groups: [{nme: g}]}", `shop.yaml:3: group "": line 3: unknown field "nme"`},
		{operator + "---\nkind: PrometheusRule", "shop.yaml: more than one document"},
	} {
		assert.Contains(t, refusal(test.file), test.want, test.file)
	}
}
