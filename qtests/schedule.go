package qtests

import (
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Schedule has events happen, their offsets counted from now, and writes them to the event log. It returns at once. When the
// test ends, what has begun is ended, and nothing more begins. An event that is not valid fails the test at once, one that
// panics when the test ends. In a load scenario, say Scenario.Events instead: there the offsets count from its start.
//
//	q.Schedule(link.Partition().At(time.Minute).For(10*time.Second), db.Outage().At(time.Hour).For(time.Minute))
func (q *T) Schedule(events ...event.Event) {
	q.Helper()
	stop, err := event.Schedule(q.Context(), q.clock, q.EventLog(), events...)
	if err != nil {
		tb.Fatalf(q, "qtests: Schedule: %v", err)
	}
	q.Cleanup(func() {
		if err := stop(); err != nil {
			q.Errorf("qtests: Schedule: %v", err)
		}
	})
}
