package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
	"github.com/go-qtests/qtests/qtests/tb"
)

// told writes what a recorder was told, with offsets.
func told(r *notify.Recorder, start time.Time) string {
	var b strings.Builder
	for _, n := range r.Notifications() {
		fmt.Fprintf(&b, "%v %s\n", n.At.Sub(start), n)
	}
	return b.String()
}

func TestNotificationsAsAlertmanager(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("errors")
		rec := &notify.Recorder{}
		m := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{reg},
			Rules: []monitor.Rule{
				{Name: "High", Expr: "errors > 5", Summary: `{{ $value | humanize }} errors`},
				{Name: "Low", Expr: "errors > 2"},
			},
			Channels: []monitor.Channel{rec},
			Route:    monitor.Route{GroupBy: []string{"alertname"}},
		})
		q.Sleep(5 * time.Second)
		g.Set(7) // seen at 10 s: two groups, told at 40 s
		q.Sleep(9 * time.Hour)
		g.Set(0) // seen at 9h0m10s, told with the next look at 40 s + k*5m
		q.Sleep(time.Hour)
		require.Equal(q, ""+
			"40s [FIRING:1] High: 7 errors\n"+
			"40s [FIRING:1] Low\n"+
			"4h5m40s [FIRING:1] High: 7 errors\n"+ // more than four hours after: the look after 4h0m40s
			"4h5m40s [FIRING:1] Low\n"+
			"8h10m40s [FIRING:1] High: 7 errors\n"+
			"8h10m40s [FIRING:1] Low\n"+
			"9h0m40s [RESOLVED] High: 7 errors\n"+
			"9h0m40s [RESOLVED] Low\n", told(rec, m.Start()))
		require.EqualValues(q, 8, m.Status().Notified)
	})
}

func TestChannelsThatMisbehave(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("errors")
		rec := &notify.Recorder{}
		var flaky, closed []time.Duration
		start := q.Clock().Now()
		release := make(chan struct{})
		m := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{reg},
			Rules:     []monitor.Rule{{Name: "High", Expr: "errors > 5"}},
			Route:     monitor.Route{Immediately: true, GroupInterval: time.Minute},
			Channels: []monitor.Channel{
				monitor.ChannelFunc(func(context.Context, monitor.Notification) error { panic("boom") }),
				monitor.ChannelFunc(func(context.Context, monitor.Notification) error { runtime.Goexit(); return nil }),
				monitor.ChannelFunc(func(context.Context, monitor.Notification) error { <-release; return nil }),
				monitor.ChannelFunc(func(context.Context, monitor.Notification) error {
					flaky = append(flaky, tb.Round(q.Clock().Now().Sub(start)))
					if len(flaky) < 4 {
						return errors.New("not yet")
					}
					return nil
				}),
				monitor.ChannelFunc(func(context.Context, monitor.Notification) error {
					closed = append(closed, tb.Round(q.Clock().Now().Sub(start)))
					return fmt.Errorf("%w: gone", monitor.ErrPermanent)
				}),
				rec,
			},
		})
		g.Set(7)
		q.Sleep(2*time.Minute + 15*time.Second)
		require.Equal(q, "10s [FIRING:1] High\n", told(rec, start), "the others do not hold it up")
		require.Equal(q, []time.Duration{10 * time.Second, 11 * time.Second, 13 * time.Second, 17 * time.Second}, flaky)
		require.Equal(q, []time.Duration{10 * time.Second, 70 * time.Second, 130 * time.Second}, closed,
			"a permanent error is tried again with the next look only")
		close(release)
		q.Wait()
		status := m.Status()
		require.EqualValues(q, 2, status.Notified)
		require.NotZero(q, status.NotifyErrors)
		var marks []string
		all, _ := q.EventLog().Marks()
		for _, x := range all {
			marks = append(marks, x.Source+" "+x.Text)
		}
		text := strings.Join(marks, "\n")
		require.Contains(q, text, "channel 0 failed: monitor: channel 0 panicked: boom")
		require.Contains(q, text, "channel 1 failed: monitor: channel 1 called runtime.Goexit")
		require.Contains(q, text, "channel 2 failed: monitor: blocks: channel 2 has not returned within 1m0s")
	})
}

func TestSilenceAndInhibition(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		g, reg := gauge("errors")
		rec := &notify.Recorder{}
		m := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{reg},
			Rules: []monitor.Rule{
				{Name: "Down", Expr: "errors > 9", Severity: "critical", Labels: map[string]string{"team": "pay"}},
				{Name: "Slow", Expr: "errors > 5", Severity: "warning", Labels: map[string]string{"team": "pay"}},
				{Name: "Other", Expr: "errors > 5", Severity: "warning", Labels: map[string]string{"team": "web"}},
				{Name: "Quiet", Expr: "errors > 5"},
			},
			Channels: []monitor.Channel{rec},
			Route:    monitor.Route{Immediately: true, GroupBy: []string{"alertname"}, GroupInterval: time.Minute},
			Inhibitions: []monitor.Inhibition{{
				Source: []monitor.Matcher{monitor.Equal("severity", "critical")},
				Target: []monitor.Matcher{monitor.Match("severity", "warning|info")},
				Equal:  []string{"team"},
			}},
			Silences: []monitor.Silence{{Matchers: []monitor.Matcher{monitor.Equal("alertname", "Quiet")}, For: 5 * time.Minute}},
		})
		g.Set(10)
		q.Sleep(3*time.Minute + 5*time.Second)
		require.Equal(q, "10s [FIRING:1] Down\n10s [FIRING:1] Other\n", told(rec, m.Start()))
		g.Set(7) // seen at 190 s, and again each minute
		q.Sleep(time.Minute)
		m.Silence(time.Hour, monitor.Equal("alertname", "Other"))
		g.Set(0)
		q.Sleep(10 * time.Minute)
		require.Equal(q, ""+
			"10s [FIRING:1] Down\n10s [FIRING:1] Other\n"+
			"3m10s [RESOLVED] Down\n3m10s [FIRING:1] Slow\n"+
			"4m10s [RESOLVED] Slow\n", told(rec, m.Start()))
	})
}
