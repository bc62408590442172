package qtests

import (
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
)

// A Reservation is a wait that has its place in the order of events before
// anybody waits: who is late to Sleep, or which of several goroutines does, makes
// no difference to when it ends. On the clock of a bubble it holds an instant of
// its own from Reserve on; on any other clock it is the instant alone.
//
// Exactly one of Sleep, AfterFunc and Release is called on a Reservation, once.
type Reservation struct{ place bubble.Reservation }

// Reserve takes the place of a wait of d from now. A negative d counts as zero:
// the end of the queue of the present instant.
func Reserve(clk clock.Clock, d time.Duration) Reservation {
	return Reservation{bubble.Reserve(clk, d)}
}

// Sleep waits for the reserved instant and returns the time that it then is. If
// the instant has passed, it returns at once.
func (r Reservation) Sleep() time.Time { return r.place.Sleep() }

// AfterFunc calls f in a goroutine of its own at the reserved instant, or at once
// if that has passed.
func (r Reservation) AfterFunc(f func()) { r.place.AfterFunc(f) }

// Release gives the place back.
func (r Reservation) Release() { r.place.Release() }
