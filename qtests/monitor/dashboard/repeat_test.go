package dashboard_test

import (
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/dashboard"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
)

// Everything that a run leaves behind is the same, byte for byte, in every run.
func TestRunsRepeat(t *testing.T) {
	var first string
	for range 10 {
		qtests.Run(t, func(q *qtests.T) {
			a, b := &notify.Recorder{}, &notify.Recorder{}
			s := newService()
			m := monitor.NewT(q, monitor.Config{
				Gatherers: []prometheus.Gatherer{s.reg}, Channels: []monitor.Channel{a, b, notify.LogTo(q)},
				Rules: []monitor.Rule{
					{Name: "Open", Expr: `breaker_state{state="open"} == 1`, For: 20 * time.Second},
					{Name: "Waiting", Expr: `pool_waiters > 0`},
				},
				Route: monitor.Route{GroupBy: []string{"alertname"}},
			})
			s.work(q, 2*time.Minute, 0)
			s.breaker("open")
			s.work(q, 3*time.Minute, 0.5)
			s.breaker("closed")
			s.work(q, 10*time.Minute, 0)
			srv := q.Serve(dashboard.Handler(m))
			resp, err := srv.Client().Get(srv.URL)
			require.NoError(q, err)
			page, err := io.ReadAll(resp.Body)
			require.NoError(q, err)
			require.NoError(q, resp.Body.Close())
			marks, _ := q.EventLog().Marks()
			data, err := json.Marshal([]any{m.Series(""), dashboard.Of(m), m.Timeline(), m.Transitions(), a.Notifications(), b.Notifications(), marks, string(page)})
			require.NoError(q, err)
			if first == "" {
				first = string(data)
			}
			require.True(q, first == string(data))
			require.NotEmpty(q, a.Notifications())
		})
	}
}
