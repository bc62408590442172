package alertmanager_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/promql/alertmanager"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
)

// A drawnFile is an alertmanager.yml made up, and the labels of the alerts that fire.
type drawnFile struct {
	*rand.Rand
	text   string
	alerts []map[string]string
}

func drawFile(seed uint64) *drawnFile {
	d := &drawnFile{Rand: rand.New(rand.NewPCG(seed, 9))}
	d.text = "route:\n  receiver: r0\n  group_wait: 0s\n" + d.groupBy("  ")
	if children := d.routes(3, "  "); children != "" {
		d.text += "  routes:\n" + children
	}
	d.text += "receivers: [{name: r0}, {name: r1}, {name: r2}, {name: r3}, {name: r4}]\n"
	d.text += d.inhibitRules() + d.intervals()
	seen := map[string]bool{}
	for range 1 + d.IntN(5) {
		labels := map[string]string{"alertname": d.of("A", "B")}
		for _, name := range []string{"a", "b", "c"} {
			if v := d.of("", "1", "2", "3"); v != "" {
				labels[name] = v
			}
		}
		if key := fmt.Sprint(labels); !seen[key] {
			seen[key] = true
			d.alerts = append(d.alerts, labels)
		}
	}
	return d
}

func (d *drawnFile) of(all ...string) string { return all[d.IntN(len(all))] }

func (d *drawnFile) groupBy(indent string) string {
	switch d.IntN(5) {
	case 0:
		return indent + "group_by: ['...']\n"
	case 1:
		return indent + "group_by: [alertname]\n"
	case 2:
		return indent + "group_by: [b, a]\n"
	case 3:
		return indent + "group_by: []\n"
	}
	return ""
}

// matchers of all four kinds, in both notations.
func (d *drawnFile) matchers(key string, atLeast int) string {
	var ms []string
	for range atLeast + d.IntN(3) {
		ms = append(ms, fmt.Sprintf(`'%s%s"%s"'`, d.of("a", "b", "c", "alertname"), d.of("=", "!=", "=~", "!~"), d.of("1", "2", "1|2", "", ".+", "A", "[^3]")))
	}
	if len(ms) == 0 {
		return ""
	}
	return key + ": [" + strings.Join(ms, ", ") + "]\n"
}

func (d *drawnFile) routes(depth int, indent string) string {
	if depth < 0 {
		return ""
	}
	var b strings.Builder
	for range d.IntN(4) {
		fmt.Fprintf(&b, "%s- continue: %v\n", indent, d.IntN(2) == 0)
		in := indent + "  "
		if d.IntN(4) > 0 {
			fmt.Fprintf(&b, "%sreceiver: %s\n", in, d.of("r0", "r1", "r2", "r3", "r4"))
		}
		if ms := d.matchers("matchers", 0); ms != "" {
			b.WriteString(in + ms)
		} else if d.IntN(2) == 0 {
			fmt.Fprintf(&b, "%smatch: {%s: '1'}\n%smatch_re: {%s: '1|3'}\n", in, d.of("a", "b"), in, d.of("b", "c"))
		}
		b.WriteString(d.groupBy(in))
		for _, key := range []string{"mute_time_intervals", "active_time_intervals"} {
			if d.IntN(5) == 0 {
				fmt.Fprintf(&b, "%s%s: [%s]\n", in, key, d.of("now", "later", "old", "later, now", "weekday", "berlin"))
			}
		}
		if d.IntN(4) == 0 {
			fmt.Fprintf(&b, "%slabels: {%s: x%d}\n", in, d.of("team", "area"), depth)
		}
		if children := d.routes(depth-1, in); children != "" {
			b.WriteString(in + "routes:\n" + children)
		}
	}
	return b.String()
}

func (d *drawnFile) inhibitRules() string {
	rules := ""
	for range d.IntN(3) {
		rule := ""
		for _, side := range []string{d.matchers("source_matchers", 0), d.matchers("target_matchers", 0)} {
			if side != "" {
				rule += "  " + side
			}
		}
		rules += "- equal: " + d.of("[]", "[a]", "[b, c]", "[none]") + "\n" + rule
	}
	if rules == "" {
		return ""
	}
	return "inhibit_rules:\n" + rules
}

// intervals around the instant of the test, the first midnight of the year 2000 in UTC: a
// Saturday.
func (*drawnFile) intervals() string {
	return `mute_time_intervals:
- {name: old, time_intervals: [{years: ['1990:2000'], months: ['december:december', 'january'], days_of_month: ['-1', '1:3']}]}
time_intervals:
- {name: now, time_intervals: [{times: [{start_time: "00:00", end_time: "00:01"}]}]}
- {name: later, time_intervals: [{times: [{start_time: "00:01", end_time: "24:00"}]}]}
- {name: weekday, time_intervals: [{weekdays: ['monday:friday']}]}
- {name: berlin, time_intervals: [{location: Europe/Berlin, times: [{start_time: "01:00", end_time: "02:00"}]}]}
`
}

// A library is Alertmanager's own, with the file and the alerts.
type library struct {
	route     *dispatch.Route
	inhibitor *inhibit.Inhibitor
	times     *timeinterval.Intervener
}

func newLibrary(t *testing.T, d *drawnFile) library {
	cfg, err := config.Load(d.text)
	require.NoError(t, err, d.text)
	intervals := map[string][]timeinterval.TimeInterval{}
	for _, x := range cfg.MuteTimeIntervals {
		intervals[x.Name] = x.TimeIntervals
	}
	for _, x := range cfg.TimeIntervals {
		intervals[x.Name] = x.TimeIntervals
	}
	ctx, cancel := context.WithCancel(t.Context())
	quiet := slog.New(slog.DiscardHandler)
	all, err := mem.NewAlerts(ctx, time.Hour, 0, nil, quiet, eventrecorder.NopRecorder(), prometheus.NewRegistry(), featurecontrol.NoopFlags{})
	require.NoError(t, err)
	for _, labels := range d.alerts {
		now := time.Now()
		require.NoError(t, all.Put(ctx, &alert.Alert{Alert: model.Alert{Labels: set(labels), StartsAt: now, EndsAt: now.Add(time.Hour)}, UpdatedAt: now}))
	}
	inhibitor := inhibit.NewInhibitor(all, cfg.InhibitRules, quiet, eventrecorder.NopRecorder())
	ended := make(chan struct{})
	go func() { defer close(ended); inhibitor.Run() }()
	inhibitor.WaitForLoading()
	t.Cleanup(func() { inhibitor.Stop(); <-ended; all.Close(); cancel() })
	return library{dispatch.NewRoute(cfg.Route, nil), inhibitor, timeinterval.NewIntervener(intervals)}
}

func set(labels map[string]string) model.LabelSet {
	out := model.LabelSet{}
	for name, value := range labels {
		out[model.LabelName(name)] = model.LabelValue(value)
	}
	return out
}

// tells returns who is told of an alert at the instant, with the group and the route.
func (l library) tells(t *testing.T, labels map[string]string, at time.Time) (out []string) {
	if l.inhibitor.Mutes(t.Context(), set(labels)) {
		return nil
	}
	for _, r := range l.route.Match(set(labels)) {
		muted, _, err := l.times.Mutes(r.RouteOpts.MuteTimeIntervals, at)
		require.NoError(t, err)
		active, _, err := l.times.Mutes(r.RouteOpts.ActiveTimeIntervals, at)
		require.NoError(t, err)
		if muted || len(r.RouteOpts.ActiveTimeIntervals) > 0 && !active {
			continue
		}
		group := monitor.Labels{}
		for name, value := range labels {
			if _, ok := r.RouteOpts.GroupBy[model.LabelName(name)]; ok || r.RouteOpts.GroupByAll {
				group[name] = value
			}
		}
		own := monitor.Labels{}
		for name, value := range r.RouteOpts.Labels {
			own[string(name)] = string(value)
		}
		out = append(out, story(r.RouteOpts.Receiver, r.Key(), group, own, monitor.Labels(labels)))
	}
	return out
}

func story(receiver, route string, group, own, labels monitor.Labels) string {
	return fmt.Sprintf("%s by %s group %s labels %s of %s", receiver, route, group, own, labels)
}

// tellsHere returns whom a monitor with the file tells.
func tellsHere(t *testing.T, d *drawnFile, path string) (out []string) {
	f, err := alertmanager.Read(path)
	require.NoError(t, err, d.text)
	qtests.Run(t, func(q *qtests.T) {
		recorder := &notify.Recorder{}
		channels := map[string][]monitor.Channel{}
		for i := range 5 {
			channels[fmt.Sprintf("r%d", i)] = []monitor.Channel{recorder}
		}
		var cfg monitor.Config
		for _, labels := range d.alerts {
			labels = maps.Clone(labels)
			name := labels["alertname"]
			delete(labels, "alertname")
			cfg.Rules = append(cfg.Rules, monitor.Rule{Name: name, Expr: "vector(1)", Labels: labels})
		}
		require.NoError(q, f.Apply(&cfg, channels))
		monitor.NewT(q, cfg)
		q.Sleep(11 * time.Second)
		for _, n := range recorder.Notifications() {
			for _, a := range n.Alerts {
				out = append(out, story(n.Receiver, n.RouteKey, n.GroupLabels, n.RouteLabels, a.Labels))
			}
		}
	})
	return out
}

// Random files: each alert is told to the receivers to which Alertmanager's own packages
// send it, by the same routes, in the same groups, unless they mute it.
func TestNoDifferenceFromAlertmanager(t *testing.T) {
	_, err := alertmanager.Read(write(t, teamFile)) // the library reads names as the server does from now on
	require.NoError(t, err)
	rounds, first := 60, uint64(0)
	if n, _ := strconv.Atoi(os.Getenv("QTESTS_STRESS")); n > 1 {
		rounds *= n
	}
	if s := os.Getenv("QTESTS_CASE"); s != "" {
		var err error
		first, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		rounds = 1
	}
	sent, muted := 0, 0
	for seed := first; seed < first+uint64(rounds); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d := drawFile(seed)
			l := newLibrary(t, d)
			var want []string
			for _, labels := range d.alerts {
				tells := l.tells(t, labels, time.Date(2000, 1, 1, 0, 0, 10, 0, time.UTC))
				want = append(want, tells...)
				if len(tells) == 0 {
					muted++
				}
			}
			got := tellsHere(t, d, write(t, d.text))
			sort.Strings(want)
			sort.Strings(got)
			if sent += len(want); !slices.Equal(want, got) {
				t.Errorf("Alertmanager tells\n  %s\nthe monitor tells\n  %s\n%s\n%v\nrepeat with\n  QTESTS_CASE=%d go test -run '^TestNoDifferenceFromAlertmanager$' ./alertmanager",
					strings.Join(want, "\n  "), strings.Join(got, "\n  "), d.text, d.alerts, seed)
			}
		})
	}
	if rounds > 1 {
		require.Greater(t, sent, rounds, "the test shows nothing")
		require.Greater(t, muted, rounds/5, "the test shows nothing")
	}
}
