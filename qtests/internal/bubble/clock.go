package bubble

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"
)

// tieFree is the clock of a bubble. See "The clock" in the package doc of qtests for what
// it promises. Its state, and its lock, is the timeline; the methods here wait for what that says.
type tieFree struct {
	timeline
	real  clock.Clock  // package time, which inside a bubble is fake
	stood atomic.Int64 // goroutines in Sleep or Await of a Reservation
}

func newTieFree() *tieFree {
	c := &tieFree{real: clock.New()}
	c.mu.claims = newClaims()
	return c
}

// Standing returns how many goroutines are in Sleep or Await of a Reservation.
func (c *tieFree) Standing() int64 { return c.stood.Load() }

func (c *tieFree) Until(t time.Time) time.Duration { return t.Sub(c.Now()) }

func (c *tieFree) Sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	taken, wait := c.claim(d, false)
	time.Sleep(wait)
	c.fired(taken)
}

func (c *tieFree) After(d time.Duration) <-chan time.Time { return c.Timer(d).C }

func (c *tieFree) Timer(d time.Duration) *clock.Timer {
	_, wait := c.claim(d, true)
	return c.real.Timer(wait)
}

func (c *tieFree) Tick(d time.Duration) <-chan time.Time { return c.Ticker(d).C }

// Ticker is the one method whose events cannot be kept apart from each other: a
// ticker's later ticks come from the runtime. The clock keeps everything else
// off its instants.
func (c *tieFree) Ticker(d time.Duration) *clock.Ticker {
	c.keepOff()
	return c.real.Ticker(d)
}

func (c *tieFree) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return c.WithDeadline(parent, c.Now().Add(d))
}

func (c *tieFree) WithDeadline(parent context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	CheckContext(parent, c)
	if d, ok := parent.Deadline(); ok && !d.After(deadline) {
		return context.WithCancel(parent) // the parent ends first, at an instant of its own
	}
	taken, wait := c.claim(c.Until(deadline), true)
	ctx, cancel := context.WithTimeout(parent, wait)
	return ctx, func() {
		cancel()
		c.abandon(taken)
	}
}

func (c *tieFree) afterFunc(d time.Duration, f func()) (stop func()) {
	taken, wait := c.claim(d, false)
	t := c.real.AfterFunc(wait, func() {
		c.fired(taken)
		f()
	})
	return func() {
		if t.Stop() {
			c.abandon(taken)
		}
	}
}

// inTurn does not make the caller wait between two wakes: it may hold a mutex that a
// woken goroutine wants, which would stop the bubble's time for good.
func (c *tieFree) inTurn(wakes []func()) {
	var next func()
	next = func() {
		wake := wakes[0]
		if wakes = wakes[1:]; len(wakes) > 0 {
			c.afterFunc(0, next) // first, or it would compete with what is woken
		}
		wake()
	}
	c.afterFunc(0, next)
}

func saturatingAdd(t int64, d time.Duration) int64 {
	if s := t + int64(d); s >= t {
		return min(s, LastInstant)
	}
	return LastInstant
}

// LastInstant is the latest nominal instant, in nanoseconds since 1970: what is
// due later is due then. A millisecond is left for displacement.
const LastInstant = math.MaxInt64 - int64(time.Millisecond)
