package qtests

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
	clockWatch
	latest atomic.Int64
}

func newTurnClock() *turnClock {
	c := &turnClock{Clock: clock.New()}
	c.latest.Store(time.Now().UnixNano())
	return c
}

// begin is told of every wait that begins, and end of those that end by themselves.
func (c *turnClock) begin() {
	c.moves.Add(1)
	c.latest.Store(time.Now().UnixNano())
	c.rests.call()
}

func (c *turnClock) end() {
	c.latest.Store(time.Now().UnixNano())
	c.rests.call()
}

func (c *turnClock) Sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	c.begin()
	time.Sleep(d)
	c.end()
}

func (c *turnClock) AfterFunc(d time.Duration, f func()) *clock.Timer {
	c.begin()
	return c.Clock.AfterFunc(d, func() {
		c.end()
		f()
	})
}

func (c *turnClock) After(d time.Duration) <-chan time.Time { return c.Timer(d).C }

func (c *turnClock) Timer(d time.Duration) *clock.Timer {
	c.begin()
	return c.Clock.Timer(d)
}

func (c *turnClock) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return c.WithDeadline(parent, c.Now().Add(d))
}

func (c *turnClock) WithDeadline(parent context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	checkContext(c, parent)
	c.begin()
	return context.WithDeadline(parent, deadline)
}

func (c *turnClock) afterFunc(d time.Duration, f func()) (stop func()) {
	t := c.AfterFunc(d, f)
	return func() { t.Stop() }
}

func (c *turnClock) inTurn(wakes []func()) {
	for _, wake := range wakes {
		wake()
	}
}

func (c *turnClock) reserve(d time.Duration) claim {
	at := saturatingAdd(time.Now().UnixNano(), max(d, 0))
	return claim{at, at}
}

func (c *turnClock) sleepReserved(taken claim) time.Time {
	if left := taken.raw - time.Now().UnixNano(); left > 0 {
		c.standing.Add(1)
		c.Sleep(time.Duration(left))
		c.standing.Add(-1)
	}
	return time.Now()
}

func (c *turnClock) callReserved(taken claim, f func()) {
	c.AfterFunc(time.Duration(taken.raw-time.Now().UnixNano()), f)
}

func (c *turnClock) abandon(claim) {}

func (c *turnClock) sleep(q *T, d time.Duration) {
	c.Sleep(d)
	c.wait(q)
}

func (c *turnClock) wait(q *T) {
	mine := make(turn)
	q.turns.enter(mine)
	<-mine
	defer q.turns.leave()
	q.settle()
}

func (c *turnClock) pending() int { return ordered.Timers() }

func (c *turnClock) last() time.Time { return time.Unix(0, c.latest.Load()) }

func (c *turnClock) stats() ClockStats {
	return ClockStats{Waits: c.moves.Load(), Pending: uint64(c.pending())}
}
