package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A closedLoop lets users make requests. A user who thinks is a timer and no goroutine. A request
// runs in the goroutine of the timer that ended the wait.
type closedLoop struct {
	run     *run
	changes *traffic.Changes
}

func newClosedLoop(r *run) *closedLoop { return &closedLoop{run: r, changes: r.Traffic.Changes()} }

func (c *closedLoop) begin() { c.arm() }

// arm waits for the next change in the number of users. Users who come at one
// instant come one after the other, each with a timer of its own.
func (c *closedLoop) arm() {
	change, ok := c.changes.Next()
	for ok && !c.run.share.Takes(int64(change.User)) {
		change, ok = c.changes.Next()
	}
	if ok {
		c.run.awaitChange(change.At, func() { c.apply(change) })
	} else {
		c.run.allCame()
	}
}

// apply makes a change, and then waits for the next one. In this order no change overtakes another
// in real time, and the run does not end because the last user left before the next one came.
// The goroutine in which a user comes then is the user.
func (c *closedLoop) apply(change traffic.Change) {
	if !change.Comes {
		c.leave(change.User)
		return
	}
	v := newVisitor(&c.run.host, change.User)
	if !c.run.came(v) {
		return
	}
	c.arm()
	if c.run.NewUser == nil {
		c.visit(v)
	} else {
		c.prepare(v)
	}
}

// leave lets user n start nothing more. What the user has under way gets its grace.
func (c *closedLoop) leave(n int) {
	if v := c.run.left(n); v != nil {
		c.arm()
		c.run.graceOf(v, func() { c.interrupt(v) })
	}
}

func (c *closedLoop) interrupt(v *visitor) {
	if c.run.interrupts(v) {
		v.life.Cancel()
	}
}

// visit makes requests until the user has to wait. A timer then goes on.
//
// A user who is in a request is a goroutine, and most of its memory is its stack: 2 KiB, where Go leaves half to
// the frames, or else 4 KiB. So the frames from here to Scenario.Do are few and small.
func (c *closedLoop) visit(v *visitor) {
	for c.request(v) {
	}
}

// request makes one request of the user, and reports whether the user goes on at once.
func (c *closedLoop) request(v *visitor) (more bool) {
	if !c.run.visits(v) {
		return false
	}
	ended := false
	defer func() {
		if !ended { // Goexit: this goroutine cannot go on
			if d, ok := c.pause(v); ok {
				c.wait(v, d)
			}
		}
	}()
	c.run.once(&v.User, nil)
	ended = true
	return c.goesOn(v)
}

// goesOn lets the user wait for the next request, and reports whether there is no need to.
func (c *closedLoop) goesOn(v *visitor) bool {
	d, ok := c.pause(v)
	if !ok {
		return false
	}
	// The next request of a user waits for its turn also without a pause, as in perform.
	if d > 0 || c.run.fake {
		c.wait(v, d)
		return false
	}
	return true
}

// pause returns how long the user waits before the next request. ThinkTime may be the user's code:
// ok says that it returned. After Goexit pause does not return.
func (c *closedLoop) pause(v *visitor) (d time.Duration, ok bool) {
	if c.run.over(v) {
		return 0, true // the result may be made, and ThinkTime must not add to it
	}
	defer func() {
		if !ok {
			c.blame("ThinkTime", v, recover())
		}
	}()
	if !c.run.ThinkTime.IsZero() {
		d = tb.Round(c.run.ThinkTime.Sample(v.Rand()))
	}
	if c.run.Pacing > 0 {
		d = max(d, c.run.Pacing-(c.run.offset()-v.req.Started))
	}
	return d, true
}

// wait is for a user who has nothing under way.
func (c *closedLoop) wait(v *visitor, d time.Duration) { c.run.pauses(v, d, func() { c.visit(v) }) }

// end stops the timers of users who think, and of the next change.
func (c *closedLoop) end() { c.run.noMore() }

// prepare lets a user begin with NewUser. NewUser may have waited for the end of another user's request, and so
// the first request of this user waits for its turn, as in perform.
func (c *closedLoop) prepare(v *visitor) {
	if c.run.prepares(v) {
		c.newUser(v)
		c.wait(v, 0)
	}
}

// newUser calls NewUser. If that fails, the run is stopped or the user is gone. After Goexit newUser
// does not return.
func (c *closedLoop) newUser(v *visitor) {
	returned := false
	var err error
	defer func() {
		if !returned {
			c.blame("NewUser", v, recover())
		}
		v.life.Cancel()
		c.run.prepared(v, err)
	}()
	err = c.run.NewUser(v.life, &v.User)
	returned = true
}

// blame ends the run because of the user's code outside of a request. The code panicked with value,
// or called Goexit if value is nil.
func (c *closedLoop) blame(field string, v *visitor, value any) {
	bug, exiting := usercode.Cause(value)
	if exiting {
		c.run.blame(fmt.Errorf("load: %s of user %d: goexit: it ended its goroutine (t.FailNow, require)", field, v.req.User), nil)
		return
	}
	var p *usercode.PanicError
	errors.As(bug, &p)
	c.run.blame(fmt.Errorf("load: %s of user %d: %w", field, v.req.User, bug), p)
}
