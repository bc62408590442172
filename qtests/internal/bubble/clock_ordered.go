package bubble

import (
	"context"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/turns"
)

// turnClock is the clock of a bubble on the ordered runtime: package time, without
// displacement. The runtime orders what is due at one instant, and all that it wakes;
// nominal and raw instants are the same.
//
// It stores nothing that those outside the bubble read, and locks nothing: what one
// goroutine of a bubble did before another would look ordered to the race detector then.
type turnClock struct {
	clock.Clock // package time, which inside a bubble is fake
	Watch
	waits  turnWaits
	bubble ordered.Bubble
}

func newTurnClock() *turnClock { return &turnClock{Clock: clock.New(), bubble: ordered.Here()} }

// begin begins a wait of d, and end ends one.
func (c *turnClock) begin(d time.Duration) {
	c.note(d)
	c.waits.begin()
	c.Rests.call()
}

func (c *turnClock) end() {
	c.waits.end()
	c.Rests.call()
}

// note tells the trace of a run that is verified.
func (c *turnClock) note(d time.Duration) {
	if c.Trace != nil {
		now := time.Now().UnixNano()
		c.Trace.Wait(now, saturatingAdd(now, max(d, 0)))
	}
}

func (c *turnClock) Sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	c.begin(d)
	ordered.Alone()
	time.Sleep(d)
	c.end()
}

func (c *turnClock) AfterFunc(d time.Duration, f func()) *clock.Timer {
	at, where := c.lapse(d), c.Trace.Caller()
	return c.Clock.AfterFunc(d, func() {
		if now := time.Now().UnixNano(); now != at { // it was Reset, which nobody sees
			c.Trace.Late(where, now)
		}
		c.Rests.call()
		f()
	})
}

// lapse begins a wait whose end is not seen, and returns when it lapses. The timer that is set next fires when all
// has come to rest, as on the stock runtime, also where it is due at once.
func (c *turnClock) lapse(d time.Duration) (at int64) {
	c.note(d)
	at = saturatingAdd(time.Now().UnixNano(), max(d, 0))
	c.waits.beginLapsing(at)
	c.Rests.call()
	ordered.Alone()
	return at
}

func (c *turnClock) After(d time.Duration) <-chan time.Time { return c.Timer(d).C }

func (c *turnClock) Timer(d time.Duration) *clock.Timer {
	c.lapse(d)
	if d > 0 {
		return c.Clock.Timer(d)
	}
	// Package time's own would fire as soon as somebody looks at its channel.
	due := make(chan time.Time, 1)
	t := c.Clock.AfterFunc(d, func() {
		select {
		case due <- time.Now():
		default: // it was Reset, and nobody has received the time before
		}
	})
	t.C = due
	return t
}

func (c *turnClock) Tick(d time.Duration) <-chan time.Time { return c.Ticker(d).C }

func (c *turnClock) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return c.WithDeadline(parent, c.Now().Add(d))
}

func (c *turnClock) WithDeadline(parent context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	CheckContext(parent, c)
	if d, ok := parent.Deadline(); ok && !d.After(deadline) {
		return context.WithCancel(parent) // the parent ends first
	}
	left := c.Until(deadline)
	if left <= 0 { // no timer is set, which would be the one that fires alone
		return context.WithDeadline(parent, deadline)
	}
	at := c.lapse(left)
	ctx, cancel := context.WithDeadline(parent, deadline)
	return ctx, func() {
		if ctx.Err() == nil {
			c.waits.giveBack(time.Now().UnixNano(), at)
		}
		cancel()
	}
}

func (c *turnClock) afterFunc(d time.Duration, f func()) (stop func()) {
	c.begin(d)
	ordered.Alone()
	t := time.AfterFunc(d, func() {
		c.end()
		f()
	})
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
	c.begin(d)
	return claim{raw: int64(ordered.Place()), nominal: saturatingAdd(time.Now().UnixNano(), max(d, 0))}
}

func (c *turnClock) await(taken claim) {
	if left := taken.nominal - time.Now().UnixNano(); left > 0 {
		c.waits.stand(1)
		ordered.UsePlace(uint32(taken.raw))
		time.Sleep(time.Duration(left))
		c.waits.stand(-1)
	}
}

func (c *turnClock) callAwaited(taken claim, f func()) {
	ordered.UsePlace(uint32(taken.raw))
	time.AfterFunc(time.Duration(taken.nominal-time.Now().UnixNano()), f)
}

func (c *turnClock) pass(claim) (now int64) {
	c.end()
	return time.Now().UnixNano()
}

func (c *turnClock) trade(taken claim, until int64) (now int64, next claim) {
	now = c.pass(taken)
	return now, c.reserve(time.Duration(until - now))
}

func (c *turnClock) abandon(claim) { c.waits.end() }

func (c *turnClock) SleepToRest(t *turns.Queue, d time.Duration) {
	c.Sleep(d)
	c.Rest(t)
}

func (c *turnClock) Rest(t *turns.Queue) {
	t.Take()
	defer t.Leave()
	t.Settle()
}

func (c *turnClock) Pending() int { return c.waits.pending(time.Now().UnixNano()) }

func (c *turnClock) Standing() int64 { return c.waits.standing() }

func (c *turnClock) Last() time.Time { return time.Unix(0, c.bubble.Now()) }

// Life goes by the fake time alone, in which all waits end, those of package time too.
func (c *turnClock) Life() uint64 { return uint64(c.bubble.Now()) }

func (c *turnClock) Stats() Stats {
	return Stats{Waits: c.waits.begun(), Pending: uint64(c.Pending())}
}
