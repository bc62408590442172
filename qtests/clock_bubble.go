package qtests

import (
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"
)

// bubbleClock is the clock of a bubble, in one of two forms: tieFree on the stock
// runtime, and turnClock on the ordered one. All that is ordered goes through it;
// newClock is the place that decides.
type bubbleClock interface {
	clock.Clock

	// afterFunc is AfterFunc, with a stop that gives the place of the wait back.
	afterFunc(d time.Duration, f func()) (stop func())
	// inTurn is [InTurn] for at least one wake.
	inTurn(wakes []func())

	// reserve takes the place of a wait of d; the others use it up. See [Reservation].
	reserve(d time.Duration) claim
	sleepReserved(claim) time.Time
	callReserved(claim, func())
	abandon(claim)

	// sleep and wait are those of qtests.T.
	sleep(t *turns, d time.Duration)
	wait(t *turns)

	// pending is how many waits there are, and last the latest instant that anybody
	// saw, for callers outside the bubble, whose package time is real.
	pending() int
	last() time.Time
	stats() Stats
	watched() *clockWatch
}

// clockWatch is what others are told of a clock.
type clockWatch struct {
	// moves counts what passed through the clock. The stall watchdog, outside
	// the bubble, takes a change as a sign of life.
	moves atomic.Uint64
	// trace, where a run is verified, is told of every claim.
	trace *trace
	// complain, if set, fails the test and says so at once.
	complain func(problem string)
	// standing is how many goroutines are in Reservation.Sleep.
	standing atomic.Int64
	// rests are told whenever a wait begins and ends.
	rests rests
}

func (w *clockWatch) watched() *clockWatch { return w }

// TieFree reports whether clk is the clock of a bubble, on which [InTurn] orders
// what is woken.
func TieFree(clk clock.Clock) bool {
	_, ok := clk.(bubbleClock)
	return ok
}

// wakeInTurn is qtests.InTurn.
func wakeInTurn(clk clock.Clock, wakes ...func()) {
	if c, ok := clk.(bubbleClock); ok && len(wakes) > 0 {
		c.inTurn(wakes)
		return
	}
	for _, wake := range wakes {
		wake()
	}
}

// afterFunc is clk.AfterFunc, with a stop that gives the instant back.
func afterFunc(clk clock.Clock, d time.Duration, f func()) (stop func()) {
	if c, ok := clk.(bubbleClock); ok {
		return c.afterFunc(d, f)
	}
	t := clk.AfterFunc(d, f)
	return func() { t.Stop() }
}
