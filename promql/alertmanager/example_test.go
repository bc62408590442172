package alertmanager_test

import (
	"testing"
	"time"

	"github.com/go-qtests/qtests/promql/alertmanager"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// Who is told of an outage, and in which words, by the team's own alertmanager.yml.
func Example() {
	var t *testing.T // the one of the test
	var rules []monitor.Rule
	qtests.Run(t, func(q *qtests.T) {
		am, err := alertmanager.Read("alertmanager.yml")
		if err != nil {
			q.Fatal(err)
		}
		outbox, cfg := am.Outbox(), monitor.Config{Rules: rules}
		if err := am.Apply(&cfg, map[string][]monitor.Channel{"payments-pager": {outbox}}); err != nil {
			q.Fatal(err)
		}
		mon := monitor.NewT(q, cfg)
		q.Sleep(10 * time.Minute) // in which the outage happens
		mon.RequireNotified(q, "payments-pager", "PaymentsDown", 2*time.Minute)
		for _, m := range outbox.Messages() {
			q.Log(m.Texts["title"])
		}
	})
}
