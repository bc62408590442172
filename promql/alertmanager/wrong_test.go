package alertmanager_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/promql/alertmanager"
)

// What is wrong in an alertmanager.yml is said with the file, the line, and what Alertmanager
// expects there.
func TestWrongFilesAreNamed(t *testing.T) {
	// Each file begins with a line that is right, so that the first line is never the answer.
	const root = "route:\n  receiver: mail\n"
	const mail = "receivers:\n- name: mail\n"
	const right = root + mail
	for _, test := range []struct {
		file string
		line string // "" is none: the whole file is wrong
		want string
	}{
		{"", "", "no route provided in config"},
		{"global: {}\n", "", "no routes provided"},
		{"receivers: [", "2", "did not find expected node content"},
		{"\treceivers: []", "2", "found character that cannot start any token"},
		{"route: mail\n" + mail, "2", "cannot unmarshal !!str `mail` into config.plain"},
		{right + "router: {}\n", "6", "field router not found"},
		{root + "  recever: x\n" + mail, "4", "field recever not found"},
		{root + "  receiver: x\n" + mail, "4", "field receiver already set"},
		{root + "  routes: {receiver: mail}\n" + mail, "4", "cannot unmarshal !!map into []*config.Route"},
		{"route:\n  group_by: [a]\n" + mail, "2", "root route must specify a default receiver"},
		{root + "  matchers: [a=b]\n" + mail, "4", "root route must not have any matchers"},
		{root + "  match: {a: b}\n" + mail, "4", "root route must not have any matchers"},
		{root + "  mute_time_intervals: [x]\n" + mail, "4", "root route must not have any mute time intervals"},
		{root + "  active_time_intervals: [x]\n" + mail, "4", "root route must not have any active time intervals"},
		{root + "  continue: true\n" + mail, "4", "cannot have continue in root route"},
		{root + "  routes:\n  - matchers: [a=b]\n  - matchers: [a=c]\n    receiver: pager\n" + mail, "7", `undefined receiver "pager" used in route; there are ["mail"]`},
		{root + "  routes:\n  - routes:\n    - receiver: pager\n" + mail, "6", `undefined receiver "pager" used in route; there are ["mail"]`},
		{"route: {receiver: male}\n" + mail, "2", `undefined receiver "male" used in route; there are ["mail"]`},
		{root, "3", `undefined receiver "mail" used in route; there are []`},
		{root + "  routes:\n  - mute_time_intervals: [night]\n" + mail + "time_intervals: [{name: day, time_intervals: []}]\n", "5", `undefined time interval "night" used in route; there are ["day"]`},
		{root + "  routes:\n  - active_time_intervals:\n    - day\n    - night\n" + mail + "mute_time_intervals: [{name: day, time_intervals: []}]\n", "7", `undefined time interval "night" used in route; there are ["day"]`},
		{root + "  group_by: [a, a]\n" + mail, "4", `duplicated label "a" in group_by`},
		{root + "  group_by: [a, '...']\n" + mail, "4", "cannot have wildcard group_by (`...`) and other labels at the same time"},
		{root + "  group_by:\n  - a\n  - ''\n" + mail, "6", `invalid label name "" in group_by list`},
		{root + "  group_wait: soon\n" + mail, "4", `not a valid duration string: "soon"`},
		{root + "  group_wait: -1s\n" + mail, "4", `not a valid duration string: "-1s"`},
		{root + "  group_interval: 0s\n" + mail, "4", "group_interval cannot be zero"},
		{root + "  repeat_interval: 0s\n" + mail, "4", "repeat_interval cannot be zero"},
		{root + "  routes:\n  - matchers: [a=b]\n    receiver: mail\n  - receiver: mail\n    matchers:\n    - a=b\n    - 'a~b'\n" + mail, "10", "a~b"},
		{root + "  routes:\n  - matchers: ['a=~\"(\"']\n" + mail, "5", "error parsing regexp: missing closing )"},
		{root + "  routes:\n  - match_re: {a: '('}\n" + mail, "5", "error parsing regexp: missing closing )"},
		{root + "  routes:\n  - match: {a-b: x}\n" + mail, "5", `invalid label name "a-b"`},
		{root + "  labels: {'': x}\n" + mail, "4", `"" is not a valid label name`},
		{right + "- name: mail\n", "6", `notification config name "mail" is not unique`},
		{right + "- webhook_configs: []\n", "6", "missing name in receiver"},
		{right + "- name: pager\n  pager_configs: []\n", "7", "field pager_configs not found"},
		{right + "- name: a\n- name: b\n  email_configs:\n  - {}\n", "9", "missing to address in email config"},
		{right + "- name: a\n  email_configs:\n  - to: a@example.org\n", "8", "no global SMTP smarthost set"},
		{right + "- name: a\n  webhook_configs:\n  - {url: 'http://'}\n", "8", "missing host for URL"},
		{right + "- name: a\n  webhook_configs:\n  - url: 'ftp://x'\n", "8", `unsupported scheme "ftp" for URL`},
		{right + "- name: a\n  slack_configs:\n  - channel: '#x'\n", "8", "no Slack API URL nor App token set either inline or in a file"},
		{right + "- name: a\n  slack_configs:\n  - api_url: http://localhost\n    fields:\n    - title: x\n", "10", "missing value in Slack field configuration"},
		{right + "- name: a\n  pagerduty_configs:\n  - service_key: x\n    send_resolved: perhaps\n", "9", "cannot unmarshal !!str `perhaps` into bool"},
		{right + "- name: a\n  labels: {name: b}\n", "7", `receiver label "name" must match receiver name "a", got "b"`},
		{right + "inhibit_rules:\n- source_matchers: [a=b]\n- source_matchers: ['=b']\n", "8", "=b"},
		{right + "inhibit_rules:\n- equal: [a, '']\n", "7", `invalid label name "" in equal list`},
		{right + "inhibit_rules:\n- {source: [a=b]}\n", "7", "field source not found"},
		{right + "time_intervals:\n- time_intervals: []\n", "7", "missing name in time interval"},
		{right + "time_intervals:\n- {name: a}\n- {name: a}\n", "8", `time interval "a" is not unique`},
		{right + "time_intervals:\n- name: a\n  time_intervals:\n  - times:\n    - {start_time: '09:00'}\n", "10", "both start and end times must be provided"},
		{right + "time_intervals:\n- name: a\n  time_intervals:\n  - times:\n    - {start_time: '09:00', end_time: '08:00'}\n", "10", "start time cannot be equal or greater than end time"},
		{right + "time_intervals:\n- name: a\n  time_intervals:\n  - times:\n    - start_time: 9\n      end_time: '17:00'\n", "10", "couldn't parse timestamp 9, invalid format"},
		{right + "time_intervals:\n- name: a\n  time_intervals:\n  - weekdays: [monday, funday]\n", "9", "funday is not a valid weekday"},
		{right + "time_intervals:\n- name: a\n  time_intervals:\n  - days_of_month: ['32']\n", "9", "32 is not a valid day of the month: out of range"},
		{right + "time_intervals:\n- name: a\n  time_intervals:\n  - location: Europe/Nowhere\n", "9", "unknown time zone Europe/Nowhere"},
		{right + "global:\n  slack_api_url: http://localhost\n  slack_api_url_file: x\n", "8", "at most one of slack_api_url & slack_api_url_file must be configured"},
		{right + "global: {resolve_timeout: 5}\n", "6", `not a valid duration string: "5"`},
	} {
		path := write(t, "# routes\n"+test.file)
		_, err := alertmanager.Read(path)
		if !assert.ErrorContains(t, err, test.want, "%s", test.file) {
			continue
		}
		at := "alertmanager: " + path
		if test.line != "" {
			at += ":" + test.line
		}
		assert.True(t, strings.HasPrefix(err.Error(), at+": "), "%s\nwant %s: %s\n%s", err, at, test.want, test.file)
	}
	_, err := alertmanager.Read(write(t, "# routes\n"+right))
	require.NoError(t, err)
	_, err = alertmanager.Read("nothing.yml")
	require.ErrorContains(t, err, "alertmanager: open nothing.yml: no such file")
}

// Each of several errors of YAML has its line, and a large file does not take long.
func TestWrongLargeFile(t *testing.T) {
	path := write(t, "route:\n  receiver: mail\n  a: 1\n  b: 2\nreceivers: [{name: mail}]\n")
	_, err := alertmanager.Read(path)
	require.EqualError(t, err, "alertmanager: "+path+":3: field a not found\n"+path+":4: field b not found")
	text := "route:\n  receiver: mail\n  routes:\n" + strings.Repeat("  - {matchers: [a=b, c=d], receiver: mail, continue: true}\n", 500) + "  - receiver: nobody\nreceivers: [{name: mail}]\n"
	_, err = alertmanager.Read(write(t, text))
	require.ErrorContains(t, err, `alertmanager.yml:504: undefined receiver "nobody" used in route; there are ["mail"]`)
}
