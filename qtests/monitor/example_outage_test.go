package monitor_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// An outbox is the code under test: a mail arrives every second, and all that wait
// are sent as soon as the relay takes them.
type outbox struct {
	waiting   prometheus.Gauge
	relayDown atomic.Bool
}

func newOutbox() *outbox {
	return &outbox{waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "outbox_waiting", Help: "Mails that wait to be sent."})}
}

func (o *outbox) run(ctx context.Context) {
	arrivals := time.NewTicker(time.Second)
	defer arrivals.Stop()
	for {
		select {
		case <-arrivals.C:
			o.waiting.Inc()
			if !o.relayDown.Load() {
				o.waiting.Set(0)
			}
		case <-ctx.Done():
			return
		}
	}
}

// relayOutage is half an hour of fake time, in which the relay is down for ten
// minutes.
func relayOutage(q *qtests.T) {
	box := newOutbox()
	mon := monitor.NewT(q, monitor.Config{
		Interval:   10 * time.Second,
		Collectors: []prometheus.Collector{box.waiting},
		Rules:      []monitor.Rule{{Name: "OutboxBacklog", Expr: "outbox_waiting > 60", For: time.Minute}},
	})
	q.Go(func() { box.run(q.Context()) })

	q.Sleep(10 * time.Minute)
	mon.RequireNotFired(q, "OutboxBacklog")

	box.relayDown.Store(true)
	q.Sleep(10 * time.Minute)
	box.relayDown.Store(false)
	q.Sleep(10 * time.Minute)

	// 60 mails wait after a minute, and the alert asks for one minute more.
	mon.RequireFiredBetween(q, "OutboxBacklog", 12*time.Minute, 13*time.Minute)
	mon.RequireResolvedWithin(q, "OutboxBacklog", 10*time.Minute)
}

// A monitor in a test under fake time: it scrapes every ten seconds by itself,
// while the code under test goes through an outage.
func Example() {
	// This is the whole test.
	test := func(t *testing.T) { qtests.Run(t, relayOutage) }
	_ = test
}
