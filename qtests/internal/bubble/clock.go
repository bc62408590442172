package bubble

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
)

// tieFree is the clock of a bubble. See "The clock" in the package doc of qtests for what
// it promises.
//
// Terms: the raw instant is the bubble's own time, the nominal instant is what
// was asked for. A claim is the pair of the two for one pending wait; no two
// claims have the same raw instant, so the runtime, which orders timers of one
// instant at random, never has two to order.
type tieFree struct {
	real clock.Clock // package time, which inside a bubble is fake

	Watch

	mu struct {
		sync.Mutex
		claims  claims
		current claim // the claim whose instant is now, once it has fired
		latest  int64 // the latest nominal instant that Now has returned
		// reach is the farthest behind its nominal instant that anything has run: what
		// such code set going on package time counts from there.
		reach    int64
		sleepers map[int64][]turn // of T.Sleep, by the nominal instant they wait for
		timers   uint64           // how many AfterFuncs there were
		late     []lateCall
	}
}

func newTieFree() *tieFree {
	c := &tieFree{real: clock.New()}
	c.mu.claims = newClaims()
	c.mu.sleepers = map[int64][]turn{}
	return c
}

// claim takes a raw instant for a wait of d from now, and returns it with the
// duration to wait on package time. With lapse the claim is forgotten by itself
// once its instant has passed; otherwise it stays until settled.
func (c *tieFree) claim(d time.Duration, lapse bool) (taken claim, wait time.Duration) {
	c.Rests.call()
	now := time.Now().UnixNano()
	c.mu.Lock()
	defer c.mu.Unlock()
	nominal := saturatingAdd(c.nominalLocked(now), max(d, 0))
	raw := c.mu.claims.take(now, nominal)
	c.Moves.Add(1)
	c.Trace.wait(c.mu.latest, nominal)
	if lapse {
		c.mu.claims.lapse(raw)
	}
	return claim{raw, nominal}, time.Duration(raw - now)
}

// fired makes the claim, whose instant is now, the current one: until time moves
// on, Now returns its nominal instant, as fired does.
func (c *tieFree) fired(taken claim) int64 {
	c.mu.Lock()
	c.mu.claims.settle(taken.raw)
	now := c.enterLocked(taken)
	c.mu.Unlock()
	c.Rests.call()
	return now
}

// abandon gives the instant of a cancelled wait back.
func (c *tieFree) abandon(taken claim) {
	now := time.Now().UnixNano()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nominalLocked(now) // it may be the claim by which this instant is known
	c.mu.claims.settle(taken.raw)
}

// nominalLocked translates the raw instant now. It never goes back: an event
// that was displaced past a later one sees the time of the later one.
func (c *tieFree) nominalLocked(now int64) int64 {
	here := c.mu.current
	if here.raw != now {
		here = claim{raw: now, nominal: now}
		if nominal, ok := c.mu.claims.nominal(now); ok {
			here.nominal = nominal
		} else if now-c.mu.latest <= c.mu.claims.stretch {
			// An event of package time, no farther behind the present instant than
			// those that the clock displaced: it counts from one of them.
			here.nominal = c.mu.latest
		}
	}
	return c.enterLocked(here)
}

// enterLocked makes here the present instant, and returns its nominal one.
func (c *tieFree) enterLocked(here claim) int64 {
	c.mu.current = here
	c.mu.latest = max(c.mu.latest, here.nominal)
	c.mu.reach = max(c.mu.reach, here.raw-here.nominal)
	return c.mu.latest
}

// Last returns the latest instant that anybody saw, for callers outside the
// bubble, whose package time is real.
func (c *tieFree) Last() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Unix(0, c.mu.latest)
}

// Pending returns how many waits are pending.
func (c *tieFree) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.claims.taken.n
}

// Now returns the nominal instant: inside an event that the clock displaced, the
// instant that was asked for.
func (c *tieFree) Now() time.Time {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	raw := now.UnixNano()
	return now.Add(time.Duration(c.nominalLocked(raw) - raw))
}

// Since is Now().Sub(t), without the making of a Time where both fit into
// nanoseconds since 1970.
func (c *tieFree) Since(t time.Time) time.Duration {
	const fits = math.MaxInt64 / int64(time.Second)
	if s := t.Unix(); s <= -fits || s >= fits {
		return c.Now().Sub(t)
	}
	raw := time.Now().UnixNano()
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(c.nominalLocked(raw) - t.UnixNano())
}

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
	c.mu.Lock()
	c.mu.claims.reserve(time.Now().UnixNano())
	c.mu.Unlock()
	return c.real.Ticker(d)
}

func (c *tieFree) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return c.WithDeadline(parent, c.Now().Add(d))
}

func (c *tieFree) WithDeadline(parent context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	CheckContext(c, parent)
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
