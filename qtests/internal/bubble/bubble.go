package bubble

import (
	"reflect"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/trace"
	"github.com/go-qtests/qtests/qtests/internal/turns"
)

// Clock is the clock of a bubble, in one of two forms: tieFree on the stock
// runtime, and turnClock on the ordered one. All that is ordered goes through it;
// NewClock is the place that decides.
type Clock interface {
	clock.Clock

	// AfterFunc is AfterFunc, with a stop that gives the place of the wait back.
	afterFunc(d time.Duration, f func()) (stop func())
	// inTurn is [qtests.InTurn] for at least one wake.
	inTurn(wakes []func())

	// reserve takes the place of a wait of d. await and callAwaited wait for its instant. abandon, pass and trade give
	// it back, the last two when it has come: they return the instant that is now. See [Reservation].
	reserve(d time.Duration) claim
	abandon(claim)
	await(claim)
	callAwaited(claim, func())
	pass(claim) (now int64)
	trade(taken claim, until int64) (now int64, next claim)

	// SleepToRest and Rest are T.Sleep and T.Wait.
	SleepToRest(t *turns.Queue, d time.Duration)
	Rest(t *turns.Queue)

	// Pending is how many waits there are, and Standing how many goroutines are in
	// Sleep or Await of a Reservation.
	Pending() int
	Standing() int64
	Stats() Stats

	// For callers outside the bubble, whose package time is real: Last is the latest
	// instant that anybody saw, and Life another number when something has moved.
	Last() time.Time
	Life() uint64
	Watched() *Watch
}

// Stats are figures of a bubble's clock: those of qtests.ClockStats.
type Stats struct {
	Waits, Pending  uint64
	MaxDisplacement time.Duration
}

// Watch is what others are told of a clock.
type Watch struct {
	// Trace, where a run is verified, is told of every claim.
	Trace *trace.Trace
	// Complain, if set, fails the test and says so at once.
	Complain func(problem string)
	// Rests are told whenever a wait begins and ends.
	Rests rests
}

// Watched returns w: so a struct that embeds a Watch tells it.
func (w *Watch) Watched() *Watch { return w }

// TieFree reports whether clk is the clock of a bubble, on which [qtests.InTurn] orders
// what is woken.
func TieFree(clk clock.Clock) bool {
	_, ok := clk.(Clock)
	return ok
}

// OfPackageTime reports whether clock.New made clk. Such a clock reads package time, whose time
// is fake inside a bubble.
func OfPackageTime(clk clock.Clock) bool {
	return reflect.TypeOf(clk) == reflect.TypeOf(clock.New())
}

// begins is when the time of every bubble does.
var begins = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// Age is the time since the bubble began, whatever the test has jumped to.
func Age(clk clock.Clock) time.Duration { return clk.Since(begins) }

// InTurn is qtests.InTurn.
func InTurn(clk clock.Clock, wakes ...func()) {
	if c, ok := clk.(Clock); ok && len(wakes) > 0 {
		c.inTurn(wakes)
		return
	}
	for _, wake := range wakes {
		wake()
	}
}

// AfterFunc is clk.AfterFunc, with a stop that gives the instant back.
func AfterFunc(clk clock.Clock, d time.Duration, f func()) (stop func()) {
	if c, ok := clk.(Clock); ok {
		return c.afterFunc(d, f)
	}
	t := clk.AfterFunc(d, f)
	return func() { t.Stop() }
}
