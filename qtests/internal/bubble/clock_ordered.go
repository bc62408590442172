package bubble

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// turnClock is the clock of a bubble on the ordered runtime: package time, without
// displacement. The runtime orders what is due at one instant, and all that it wakes;
// nominal and raw instants are the same.
type turnClock struct {
	clock.Clock // package time, which inside a bubble is fake
	Watch
	waits  turnWaits
	latest atomic.Int64
}

func newTurnClock() *turnClock {
	c := &turnClock{Clock: clock.New()}
	c.latest.Store(time.Now().UnixNano())
	return c
}

// tell lets others know that a wait has begun or ended. It stores and does not add: an
// addition would order all goroutines for the race detector.
func (c *turnClock) tell(moves uint64) {
	if moves > 0 {
		c.Moves.Store(moves)
	}
	c.latest.Store(time.Now().UnixNano())
	c.Rests.call()
}

// note tells the trace of a run that is verified.
func (c *turnClock) note(d time.Duration) {
	if c.Trace != nil {
		now := time.Now().UnixNano()
		c.Trace.wait(now, saturatingAdd(now, max(d, 0)))
	}
}

func (c *turnClock) Sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	c.note(d)
	c.tell(c.waits.begin())
	ordered.Alone()
	time.Sleep(d)
	c.waits.end()
	c.tell(0)
}

func (c *turnClock) AfterFunc(d time.Duration, f func()) *clock.Timer {
	at, where := c.lapse(d), c.Trace.caller()
	return atRest(d, func(d time.Duration) *clock.Timer {
		return c.Clock.AfterFunc(d, func() {
			if now := time.Now().UnixNano(); now != at { // it was Reset, which nobody sees
				c.Trace.late(where, now)
			}
			c.tell(0)
			f()
		})
	})
}

// resetter is a timer.
type resetter interface{ Reset(time.Duration) bool }

// atRest sets a timer. One that is due at once fires at once, in the middle of what runs
// now; but not when it was set for later, and is reset: then it fires when all has come to
// rest, as on the stock runtime.
func atRest[R resetter](d time.Duration, set func(time.Duration) R) R {
	t := set(max(d, 1))
	if d <= 0 {
		t.Reset(0)
	}
	return t
}

// lapse begins a wait of which the end is not seen, and returns when it lapses.
func (c *turnClock) lapse(d time.Duration) (at int64) {
	c.note(d)
	at = saturatingAdd(time.Now().UnixNano(), max(d, 0))
	c.tell(c.waits.beginLapsing(at))
	ordered.Alone()
	return at
}

func (c *turnClock) After(d time.Duration) <-chan time.Time { return c.Timer(d).C }

func (c *turnClock) Timer(d time.Duration) *clock.Timer {
	c.lapse(d)
	return c.Clock.Timer(d)
}

func (c *turnClock) Tick(d time.Duration) <-chan time.Time { return c.Ticker(d).C }

func (c *turnClock) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return c.WithDeadline(parent, c.Now().Add(d))
}

func (c *turnClock) WithDeadline(parent context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	CheckContext(c, parent)
	if d, ok := parent.Deadline(); ok && !d.After(deadline) {
		return context.WithCancel(parent) // the parent ends first
	}
	at := c.lapse(c.Until(deadline))
	ctx, cancel := context.WithDeadline(parent, deadline)
	return ctx, func() {
		if ctx.Err() == nil {
			c.waits.giveBack(time.Now().UnixNano(), at)
		}
		cancel()
	}
}

func (c *turnClock) afterFunc(d time.Duration, f func()) (stop func()) {
	c.note(d)
	c.tell(c.waits.begin())
	ordered.Alone()
	t := c.call(d, f)
	return func() {
		if t.Stop() {
			c.waits.end()
		}
	}
}

func (c *turnClock) inTurn(wakes []func()) {
	for _, wake := range wakes {
		wake()
	}
}

// reserve returns a claim whose raw value is the place among the waits of its instant.
func (c *turnClock) reserve(d time.Duration) claim {
	c.note(d)
	c.tell(c.waits.begin())
	return claim{raw: int64(ordered.Place()), nominal: saturatingAdd(time.Now().UnixNano(), max(d, 0))}
}

func (c *turnClock) sleepReserved(taken claim) time.Time {
	if left := taken.nominal - time.Now().UnixNano(); left > 0 {
		c.Standing.Store(c.waits.stand(1))
		ordered.UsePlace(uint32(taken.raw))
		time.Sleep(time.Duration(left))
		c.Standing.Store(c.waits.stand(-1))
	}
	c.waits.end()
	c.tell(0)
	return time.Now()
}

func (c *turnClock) callReserved(taken claim, f func()) {
	ordered.UsePlace(uint32(taken.raw))
	c.call(time.Duration(taken.nominal-time.Now().UnixNano()), f)
}

// call calls f when a wait of d has ended.
func (c *turnClock) call(d time.Duration, f func()) *time.Timer {
	return atRest(d, func(d time.Duration) *time.Timer {
		return time.AfterFunc(d, func() {
			c.waits.end()
			c.tell(0)
			f()
		})
	})
}

func (c *turnClock) abandon(claim) { c.waits.end() }

func (c *turnClock) SleepToRest(t *Turns, d time.Duration) {
	c.Sleep(d)
	c.Rest(t)
}

func (c *turnClock) Rest(t *Turns) {
	mine := make(turn)
	t.enter(mine)
	<-mine
	defer t.leave()
	t.settle()
}

func (c *turnClock) Pending() int { return c.waits.pending(time.Now().UnixNano()) }

func (c *turnClock) Last() time.Time { return time.Unix(0, c.latest.Load()) }

func (c *turnClock) Stats() Stats {
	return Stats{Waits: c.Moves.Load(), Pending: uint64(c.Pending())}
}
