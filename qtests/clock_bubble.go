package qtests

import (
	"time"

	"github.com/benbjohnson/clock"
)

// bubbleClock is the clock of a bubble, in one of two forms: tieFree on the stock
// runtime, and turnClock on the ordered one. All that is ordered goes through it;
// newBubbleClock is the place that decides.
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

	// sleep and wait are [T.Sleep] and [T.Wait].
	sleep(q *T, d time.Duration)
	wait(q *T)

	// pending is how many waits there are, and standing how many goroutines are in
	// Reservation.Sleep.
	pending() int
	standing() int64
	stats() ClockStats

	// For callers outside the bubble, whose package time is real: last is the latest
	// instant that anybody saw, and life another number when something has moved.
	last() time.Time
	life() uint64
	watched() *clockWatch
}

// clockWatch is what others are told of a clock.
type clockWatch struct {
	// trace, where a run is verified, is told of every claim.
	trace *trace
	// complain, if set, fails the test and says so at once.
	complain func(problem string)
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

// InTurn calls the wakes in order. On the clock of a bubble what they wake runs in a
// repeatable order, and never beside the caller. On the stock runtime the first one is
// called when the caller, and all that runs now, has come to rest, and each of the
// others when the one before and all that it set going has; InTurn itself returns at
// once, and the nominal time does not move. On the ordered runtime, where one goroutine
// runs at a time, and on any other clock, InTurn simply calls them one after the other.
//
// A wake must not block.
func InTurn(clk clock.Clock, wakes ...func()) {
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
