package alertmanager_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/promql/alertmanager"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const teamFile = `
route:
  receiver: mail
  group_by: [alertname]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 1h
  labels: {team: all}
  routes:
  - matchers: [severity="page"]
    receiver: pager
    group_wait: 0s
    continue: true
    labels: {runbook: pager}
  - matchers: [severity=~"page|ticket", area!="test"]
    receiver: tickets
    group_by: ['...']
    mute_time_intervals: [night]
inhibit_rules:
- source_matchers: [alertname="Down"]
  target_matchers: [severity="ticket"]
  equal: [area]
time_intervals:
- name: night
  time_intervals: [{times: [{start_time: "01:00", end_time: "07:00"}], location: Europe/Berlin}]
receivers:
- name: mail
  email_configs: [{to: team@example.org, from: a@example.org, smarthost: "localhost:25"}]
- name: pager
  webhook_configs: [{url: "http://localhost/hook"}]
- name: tickets
`

func write(t testing.TB, text string) string {
	path := filepath.Join(t.(*testing.T).TempDir(), "alertmanager.yml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// Who is told, of what and when: a page goes to two routes, a ticket waits for the end of
// the night, which is in Berlin, and mail has no resolved alerts.
func TestTeamFile(t *testing.T) {
	f, err := alertmanager.Read(write(t, teamFile))
	require.NoError(t, err)
	require.Equal(t, []string{"receiver mail: where email_configs send to", "receiver pager: where webhook_configs send to"}, f.PassedOver)
	qtests.Run(t, func(q *qtests.T) {
		level := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "level", Help: "h"}, []string{"kind"})
		reg := prometheus.NewRegistry()
		reg.MustRegister(level)
		cfg := monitor.Config{Gatherers: []prometheus.Gatherer{reg}, Rules: []monitor.Rule{
			{Name: "Page", Expr: `level{kind="page"} > 5`, Severity: "page"},
			{Name: "Ticket", Expr: `level{kind="ticket"} > 5`, Severity: "ticket"},
			{Name: "Other", Expr: `level{kind="other"} > 5`},
		}}
		told := map[string]*notify.Recorder{"mail": {}, "pager": {}, "tickets": {}}
		channels := map[string][]monitor.Channel{}
		for name, r := range told {
			channels[name] = []monitor.Channel{r}
		}
		require.NoError(q, f.Apply(&cfg, channels))
		m := monitor.NewT(q, cfg) // the test begins at midnight in UTC: one o'clock in Berlin
		for _, kind := range []string{"page", "ticket", "other"} {
			level.WithLabelValues(kind).Set(9)
		}
		q.Sleep(5 * time.Minute)
		for _, kind := range []string{"page", "other"} {
			level.WithLabelValues(kind).Set(0)
		}
		q.Sleep(8 * time.Hour)
		story := func(name string) (out []string) {
			for _, n := range told[name].Notifications() {
				out = append(out, fmt.Sprintf("%v %s %s %s %v", n.At.Sub(m.Start()), n, n.Reason, n.GroupKey(), n.RouteLabels))
			}
			return out
		}
		require.Equal(q, []string{
			`10s [FIRING:1] Page first notification {}/{severity="page"}:{alertname="Page"} {runbook="pager",team="all"}`,
			`5m10s [RESOLVED] Page all alerts resolved {}/{severity="page"}:{alertname="Page"} {runbook="pager",team="all"}`,
		}, story("pager"))
		require.Equal(q, []string{`20s [FIRING:1] Other first notification {}:{alertname="Other"} {team="all"}`}, story("mail"))
		tickets := story("tickets")
		require.Equal(q, `6h0m20s [FIRING:1] Ticket first notification {}/{area!="test",severity=~"page|ticket"}:{alertname="Ticket",kind="ticket",severity="ticket"} {team="all"}`, tickets[0])
		m.RequireNotified(q, "pager", "Page", 0)
		m.RequireNotified(q, "mail", "Other", 10*time.Second)
		m.RequireNotified(q, "tickets", "Ticket", 6*time.Hour+10*time.Second)
		for want, call := range map[string]func(tb tb.TB){
			`receiver tickets was told that alert Ticket{kind="ticket",severity="ticket"} fires 6h0m10s after it did, not within 1h0m0s`: func(tb tb.TB) { m.RequireNotified(tb, "tickets", "Ticket", time.Hour) },
			`receiver mail was not told that alert Page{kind="page",severity="page"} fires, at 10s; told was pager`:                      func(tb tb.TB) { m.RequireNotified(tb, "mail", "Page", time.Hour) },
			`no receiver is called "phone"; there are ["mail" "pager" "tickets"]`:                                                        func(tb tb.TB) { m.RequireNotified(tb, "phone", "Page", time.Hour) },
		} {
			require.Contains(q, tbtest.Run("notified", func(tb *tbtest.TB) { call(tb) }).Errors(), want)
		}
	})
}

func TestRefusals(t *testing.T) {
	_, err := alertmanager.Read(write(t, strings.Replace(teamFile, "receiver: pager", "receiver: nobody", 1)))
	require.ErrorContains(t, err, `undefined receiver "nobody" used in route`)
	f, err := alertmanager.Read(write(t, teamFile))
	require.NoError(t, err)
	require.ErrorContains(t, f.Apply(&monitor.Config{}, map[string][]monitor.Channel{"phone": nil}), `no receiver is called "phone"; there are ["mail" "pager" "tickets"]`)
}

// randomRoute makes a tree of routes up, in YAML.
func randomRoute(r *rand.Rand, depth int, indent string) string {
	var b strings.Builder
	if depth < 0 {
		return ""
	}
	for range r.IntN(4) {
		var ms []string
		for range 1 + r.IntN(2) {
			ms = append(ms, fmt.Sprintf(`%s%s"%s"`, []string{"a", "b", "c"}[r.IntN(3)], []string{"=", "!=", "=~", "!~"}[r.IntN(4)], []string{"1", "2", "1|2", "", ".+"}[r.IntN(5)]))
		}
		fmt.Fprintf(&b, "%s- receiver: r%d\n%s  matchers: ['%s']\n%s  continue: %v\n", indent, r.IntN(5), indent, strings.Join(ms, "', '"), indent, r.IntN(2) == 0)
		if children := randomRoute(r, depth-1, indent+"  "); children != "" {
			fmt.Fprintf(&b, "%s  routes:\n%s", indent, children)
		}
	}
	return b.String()
}

// randomTree makes a file up, and the labels of an alert.
func randomTree(n uint64) (text string, labels map[string]string) {
	r := rand.New(rand.NewPCG(n, 5))
	text = "route:\n  receiver: r0\n  group_by: ['...']\n  group_wait: 0s\n"
	if children := randomRoute(r, 2, "  "); children != "" {
		text += "  routes:\n" + children
	}
	text += "receivers: [{name: r0}, {name: r1}, {name: r2}, {name: r3}, {name: r4}]\n"
	labels = map[string]string{}
	for _, name := range []string{"a", "b", "c"} {
		if v := []string{"", "1", "2", "3"}[r.IntN(4)]; v != "" {
			labels[name] = v
		}
	}
	return text, labels
}

// told returns the receivers that a monitor tells of an alert with the labels, once for
// each route.
func told(t *testing.T, f *alertmanager.File, labels map[string]string) (got []string) {
	qtests.Run(t, func(q *qtests.T) {
		channels := map[string][]monitor.Channel{}
		recorders := map[string]*notify.Recorder{}
		for i := range 5 {
			name := fmt.Sprintf("r%d", i)
			recorders[name] = &notify.Recorder{}
			channels[name] = []monitor.Channel{recorders[name]}
		}
		mc := monitor.Config{Rules: []monitor.Rule{{Name: "A", Expr: "vector(1)", Labels: labels}}}
		require.NoError(q, f.Apply(&mc, channels))
		monitor.NewT(q, mc)
		q.Sleep(11 * time.Second)
		for name, r := range recorders {
			for range r.Notifications() {
				got = append(got, name)
			}
		}
	})
	return got
}
