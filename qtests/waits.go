package qtests

import (
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Wait returns when everything that the present instant sets going has come to
// rest: the events that the clock displaced behind it, and what they began on
// package time, included. The nominal time does not move. Of several callers one
// goes on after the other, in the order of the calls, each when the one before has
// come to rest.
func (q *T) Wait() { q.clock.Rest(q.turns) }

// Sleep waits for d and returns with every effect of that instant visible, those
// of timers, contexts, tickers and sleeps of package time included: like
// [T.Wait] behind a Sleep of the clock.
func (q *T) Sleep(d time.Duration) {
	if d <= 0 {
		q.Wait()
		return
	}
	q.clock.SleepToRest(q.turns, d)
}

// InBubble reports whether the caller runs in a bubble of testing/synctest, that
// of [Run] or another one, where package time is fake. It costs 20 ns.
func InBubble() bool { return stacks.InBubble() }

// InTurn calls the wakes in order. On the clock of a bubble what they wake runs in a
// repeatable order, and never beside the caller. On the stock runtime the first one is
// called when the caller, and all that runs now, has come to rest, and each of the
// others when the one before and all that it set going has; InTurn itself returns at
// once, and the nominal time does not move. On the ordered runtime, where one goroutine
// runs at a time, and on any other clock, InTurn simply calls them one after the other.
//
// A wake must not block.
func InTurn(clk clock.Clock, wakes ...func()) { bubble.InTurn(clk, wakes...) }

// settle is synctest.Wait, which takes only one caller at a time: the one whose
// turn it is.
func (q *T) settle() {
	synctest.Wait()
	q.witness.Look(q.alone, q.Elapsed, q.home.Leftovers)
	q.checkAlways()
}

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

// ClockStats are figures of a bubble's clock.
type ClockStats struct {
	// Waits is how many waits there were, and Pending how many there are,
	// those of stopped timers whose instant has not passed included.
	Waits, Pending uint64
	// MaxDisplacement is the longest distance from a nominal instant to the raw
	// one at which the runtime fired.
	MaxDisplacement time.Duration
}

// ClockStats returns the figures of the bubble's clock.
func (q *T) ClockStats() ClockStats { return ClockStats(q.clock.Stats()) }
