package bubble

import (
	"cmp"
	"slices"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// A funcTimer is what the clock knows of one AfterFunc. Its Reset is the Reset of
// package time, which no wrapper sees: the timer then fires late, at an instant
// that it has not claimed.
type funcTimer struct {
	order   uint64          // in which the timers were made
	where   stacks.Position // of the user, if the run is verified
	f       func()
	planned claim
	// last is when f ran last; before the first time, when the timer was made.
	last claim
	ran  bool
	// own is the nanosecond within a microsecond that nothing but this timer uses,
	// or -1. One that resets itself gets one, and from then on needs no other place.
	own int64
}

// A lateCall is a call of a timer that fired late. All of one instant wait for its
// end, and are made in the order in which the timers were.
type lateCall struct {
	timer *funcTimer
	due   int64 // nominal
}

func (c *tieFree) AfterFunc(d time.Duration, f func()) *clock.Timer {
	taken, wait := c.claim(d, true)
	c.mu.Lock()
	c.mu.timers++
	t := &funcTimer{order: c.mu.timers, where: c.Trace.caller(), f: f, planned: taken, last: claim{taken.raw - int64(wait), c.mu.latest}, own: -1}
	c.mu.Unlock()
	return c.real.AfterFunc(wait, func() { c.fire(t) })
}

// fire calls the function of a timer, or queues the call. It is at the bottom of the stack of that function, which
// may be the life of a user, and so has nothing in its frame.
func (c *tieFree) fire(t *funcTimer) {
	if c.inTime(t) {
		t.f()
	}
}

// inTime reports whether a timer fires at an instant of its own. If not, the call is queued.
//
//go:noinline
func (c *tieFree) inTime(t *funcTimer) bool {
	now := time.Now().UnixNano()
	c.mu.Lock()
	if now != t.planned.raw && now%microsecond != t.own {
		c.queueLocked(t, now)
		c.mu.Unlock()
		return false
	}
	if t.last = t.planned; now != t.planned.raw {
		t.last = claim{now, t.dueAt(now, c.mu.claims.stretch)}
		c.Trace.late(t.where, t.last.nominal)
	}
	t.ran = true
	c.mu.Unlock()
	c.fired(t.last)
	return true
}

// queueLocked queues the call of a timer that fires late.
func (c *tieFree) queueLocked(t *funcTimer, now int64) {
	due := t.dueAt(now, c.mu.claims.stretch)
	c.mu.late = append(c.mu.late, lateCall{t, due})
	if len(c.mu.late) > 1 {
		return
	}
	// By the next instant every timer of this one has queued its call. Whose was
	// the first is chance, so that nobody is to see its nominal instant.
	next := c.mu.claims.take(now, due)
	c.moves.Add(1)
	time.AfterFunc(time.Duration(next-now), func() {
		c.mu.Lock()
		c.mu.claims.settle(next)
		late := c.mu.late
		c.mu.late = nil
		c.mu.Unlock()
		slices.SortFunc(late, func(a, b lateCall) int { return cmp.Compare(a.timer.order, b.timer.order) })
		c.callLate(late)
	})
}

// dueAt returns the nominal instant of a timer that was Reset and fires at now. Who
// reset it ran displaced, by how much is not known. It was the timer's own
// function if what was asked for is then a whole number of microseconds, as nearly
// always; if not, such a number leaves what is displaced.
func (t *funcTimer) dueAt(now, stretch int64) int64 {
	due := now - (t.last.raw - t.last.nominal)
	if rest := (now - t.last.nominal) % microsecond; (due-t.last.nominal)%microsecond != 0 && rest <= stretch {
		due = now - rest
	}
	return max(due, t.last.nominal)
}

// callLate makes the calls, each when the one before has come to rest.
func (c *tieFree) callLate(calls []lateCall) {
	t, now := calls[0].timer, time.Now().UnixNano()
	c.mu.Lock()
	due := max(calls[0].due, c.mu.latest)
	c.Trace.late(t.where, due)
	raw, own := int64(0), false
	if t.ran && t.own < 0 && (calls[0].due-t.last.nominal)%microsecond == 0 {
		raw, own = c.mu.claims.takeOwn(now, due)
	}
	if own {
		t.own = raw % microsecond
	} else {
		raw = c.mu.claims.take(now, due)
	}
	t.last, t.ran = claim{raw, due}, true
	taken := t.last
	c.mu.Unlock()
	c.moves.Add(1)
	time.AfterFunc(time.Duration(raw-now), func() {
		c.fired(taken)
		if len(calls) > 1 {
			c.callLate(calls[1:]) // first, or it would compete with what is woken
		}
		t.f()
	})
}
