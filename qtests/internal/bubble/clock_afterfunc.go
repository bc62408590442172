package bubble

import (
	"cmp"
	"slices"
	"time"

	"github.com/benbjohnson/clock"
)

func (c *tieFree) AfterFunc(d time.Duration, f func()) *clock.Timer {
	taken, wait := c.claim(d, true)
	t := c.newTimer(f, taken, wait)
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
	inTime, next, wait := c.fires(t)
	switch {
	case inTime:
		c.Rests.call()
	case wait > 0:
		time.AfterFunc(wait, func() {
			late := c.lateOnes(next)
			slices.SortFunc(late, func(a, b lateCall) int { return cmp.Compare(a.timer.order, b.timer.order) })
			c.callLate(late)
		})
	}
	return inTime
}

// callLate makes the calls, each when the one before has come to rest.
func (c *tieFree) callLate(calls []lateCall) {
	t := calls[0].timer
	taken, wait := c.claimLate(calls[0])
	time.AfterFunc(wait, func() {
		c.fired(taken)
		if len(calls) > 1 {
			c.callLate(calls[1:]) // first, or it would compete with what is woken
		}
		t.f()
	})
}
