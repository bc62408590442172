package alertmanager_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/promql/alertmanager"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
)

const messageFile = `
templates: ['*.tmpl']
route: {receiver: team, group_by: [alertname], group_wait: 0s, labels: {area: '{{ .CommonLabels.kind }}'}}
receivers:
- name: team
  slack_configs:
  - api_url: http://localhost/secret
    channel: '#ops'
    title: '{{ template "team.title" . }}'
    fields: [{title: Area, value: '{{ routeLabels "area" }}'}]
    send_resolved: false
  email_configs:
  - to: team@example.org
    from: a@example.org
    smarthost: localhost:25
    auth_password: secret
    headers: {Subject: '{{ .Status | toUpper }} {{ .CommonAnnotations.summary }}'}
    html: '<b>{{ .CommonAnnotations.summary }}</b>'
    text: '{{ range .Alerts }}{{ .Labels.alertname }} since {{ .StartsAt.Unix }}{{ end }} {{ .ExternalURL }}'
    send_resolved: true
- name: wrong
  slack_configs: [{api_url: http://localhost/x, title: '{{ template "nowhere" . }}'}]
`

const titleTemplate = `{{ define "team.title" }}{{ .Alerts.Firing | len }} of {{ .GroupLabels.alertname }}{{ end }}`

func readMessageFile(t *testing.T) *alertmanager.File {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "team.tmpl"), []byte(titleTemplate), 0o644))
	path := filepath.Join(dir, "alertmanager.yml")
	require.NoError(t, os.WriteFile(path, []byte(messageFile), 0o644))
	f, err := alertmanager.Read(path)
	require.NoError(t, err)
	return f
}

// What Slack and mail would say, with the templates of the team.
func TestMessages(t *testing.T) {
	f := readMessageFile(t)
	qtests.Run(t, func(q *qtests.T) {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "level", Help: "h"})
		cfg := monitor.Config{Collectors: []prometheus.Collector{g}, Rules: []monitor.Rule{
			{Name: "High", Expr: "level > 5", Labels: map[string]string{"kind": "<pay>"}, Summary: "level & {{ $value }}"},
		}}
		outbox := f.Outbox()
		require.NoError(q, f.Apply(&cfg, map[string][]monitor.Channel{"team": {outbox}}))
		m := monitor.NewT(q, cfg)
		g.Set(7)
		q.Sleep(15 * time.Second)
		g.Set(0)
		q.Sleep(10 * time.Minute)
		require.NoError(q, m.Status().LastError)
		all := outbox.Messages()
		require.Len(q, all, 3, "Slack is not told what is resolved")
		slack, mail := all[1], all[0]
		if slack.Integration != "slack_configs[0]" {
			slack, mail = mail, slack
		}
		require.Equal(q, "1 of High", slack.Texts["title"])
		require.Equal(q, "#ops", slack.Texts["channel"])
		require.Equal(q, "Area", slack.Texts["fields[0].title"])
		require.Equal(q, "<pay>", slack.Texts["fields[0].value"])
		require.Contains(q, slack.Texts["fallback"], "[FIRING:1] High", "the default")
		require.Equal(q, "email_configs[0]", mail.Integration)
		require.Equal(q, "FIRING level & 7", mail.Texts["headers.Subject"])
		require.Equal(q, "<b>level &amp; 7</b>", mail.Texts["html"], "HTML is escaped")
		require.Regexp(q, `^High since \d+ http://localhost:9093$`, mail.Texts["text"])
		require.Equal(q, "RESOLVED level & 7", all[2].Texts["headers.Subject"])
		for _, m := range all {
			require.NotContains(q, m.String(), "secret")
		}
		require.Contains(q, slack.String(), "team slack_configs[0]\n")
		require.Contains(q, slack.String(), "\n  title: 1 of High\n")
	})
}

func TestWrongTemplates(t *testing.T) {
	f := readMessageFile(t)
	_, err := f.Messages(monitor.Notification{Receiver: "wrong", Status: monitor.Firing})
	require.ErrorContains(t, err, `receiver wrong: slack_configs[0]: title: `)
	require.ErrorContains(t, err, "nowhere")
	require.ErrorIs(t, f.Outbox().Notify(t.Context(), monitor.Notification{Receiver: "wrong", Status: monitor.Firing}), monitor.ErrPermanent)
	dir := t.TempDir()
	path := filepath.Join(dir, "alertmanager.yml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad.tmpl"), []byte("{{ define"), 0o644))
	require.NoError(t, os.WriteFile(path, []byte("templates: ['*.tmpl']\nroute: {receiver: a}\nreceivers: [{name: a}]\n"), 0o644))
	_, err = alertmanager.Read(path)
	require.ErrorContains(t, err, path+": templates: ")
}

// amtool, where it is installed, sends every alert to the same receivers.
func TestRoutesAsAmtool(t *testing.T) {
	amtool, err := exec.LookPath("amtool")
	if err != nil {
		t.Skipf("amtool is not installed (Debian: apt-get install prometheus-alertmanager): %v", err)
	}
	several := 0
	for n := range uint64(25) {
		text, labels := randomTree(n)
		path := write(t, text)
		args := []string{"config", "routes", "test", "--config.file=" + path, "alertname=A"}
		for _, name := range []string{"a", "b", "c"} {
			if labels[name] != "" {
				args = append(args, name+"="+labels[name])
			}
		}
		out, err := exec.Command(amtool, args...).Output()
		require.NoError(t, err, "%s", out)
		want := strings.Split(strings.TrimSpace(string(out)), ",")
		several += len(want) / 2
		f, err := alertmanager.Read(path)
		require.NoError(t, err)
		require.ElementsMatch(t, want, told(t, f, labels), "case %d: %v\n%s", n, labels, text)
	}
	require.NotZero(t, several)
}
