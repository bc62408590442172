package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/internal/life"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A closedLoop lets users make requests. A user who thinks is a timer and no goroutine. A request
// runs in the goroutine of the timer that ended the wait.
type closedLoop struct {
	run     *run
	changes *traffic.Changes

	// The run's mutex guards what follows.
	timer   *clock.Timer // of the next change
	present []*visitor   // the k-th user of this part is present[k-1]
	left    int64        // requests that the shared budget still has; -1 for no bound
	active  int
	ended   bool // no further user will come
}

// A visitor is one user of a closed profile. Its life is the context of NewUser or of the present
// request, and has ended between two of them.
type visitor struct {
	*User
	timer   *clock.Timer // of the pause, or of the grace of a user who left
	gone    bool         // starts nothing more
	left    int64        // requests of its own budget; -1 for no bound
	last    time.Duration
	stalled int // requests in a row that took no time
}

// maxStalled is how many requests in a row a user may make at one instant. After so many no time
// would ever pass, unless a budget ends them.
const maxStalled = 10_000

func newClosedLoop(r *run) *closedLoop {
	c := &closedLoop{run: r, changes: r.Traffic.Changes(), left: -1}
	if budget, _ := r.Traffic.Limits(); budget > 0 {
		c.left = r.share.ofBudget(budget, r.Traffic)
	}
	return c
}

func (c *closedLoop) begin() { c.arm() }

// arm waits for the next change in the number of users. Users who come at one
// instant come one after the other, each with a timer of its own.
func (c *closedLoop) arm() {
	change, ok := c.changes.Next()
	for ok && !c.run.share.Takes(int64(change.User)) {
		change, ok = c.changes.Next()
	}
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	switch {
	case !ok:
		c.ended = true
		c.endIfSpentLocked()
	case !c.run.mu.phase.stopped():
		c.timer = c.run.clk.AfterFunc(c.run.clk.Until(c.run.start.Add(change.At)), func() { c.apply(change) })
	}
}

// apply makes a change, and then waits for the next one. In this order no change overtakes another
// in real time, and the run does not end because the last user left before the next one came.
func (c *closedLoop) apply(change traffic.Change) {
	c.run.mu.Lock()
	if c.run.mu.phase.stopped() {
		c.run.mu.Unlock()
		return
	}
	var v *visitor
	if change.Comes {
		v = c.comeLocked(change.User)
	} else {
		v = c.present[c.place(change.User)]
		c.retireLocked(v)
	}
	c.run.mu.Unlock()
	c.arm()
	if change.Comes {
		c.arrive(v)
	} else {
		c.leave(v)
	}
}

// place is where user n is among those of this part.
func (c *closedLoop) place(n int) int { return (n - 1) / max(c.run.share.Of, 1) }

// comeLocked gives user n its place, where a user who left may have been before.
func (c *closedLoop) comeLocked(n int) *visitor {
	v := &visitor{User: &User{run: c.run, req: record.Request{User: int64(n)}}, left: -1, last: -1}
	if _, each := c.run.Traffic.Limits(); each > 0 {
		v.left = each
	}
	if i := c.place(n); i < len(c.present) {
		c.present[i] = v
	} else {
		c.present = append(c.present, v)
	}
	c.active++
	if c.left == 0 {
		c.retireLocked(v) // comes too late
	}
	return v
}

// arrive lets a user begin, in the goroutine that then is the user.
func (c *closedLoop) arrive(v *visitor) {
	if c.run.NewUser == nil {
		c.visit(v)
		return
	}
	if c.admitNew(v) {
		c.prepare(v)
		// NewUser may have waited for the end of another user's request. The first request
		// of this user waits for its turn, as in perform.
		c.wait(v, 0)
	}
}

// busy reports whether NewUser or a request of the user is under way. For a user who is gone the
// answer changes to no, and never back.
func (v *visitor) busy() bool { return v.life != nil && v.life.Err() == nil }

// leave gives the request of a user who is gone its grace, if one is under way.
func (c *closedLoop) leave(v *visitor) {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	if v.busy() {
		v.timer = c.run.clk.AfterFunc(c.run.LeaveGrace, func() { c.interrupt(v) })
	}
}

func (c *closedLoop) interrupt(v *visitor) {
	c.run.mu.Lock()
	busy := v.busy()
	if busy {
		v.req.Interrupted = true
	}
	c.run.mu.Unlock()
	if busy {
		v.life.Cancel()
	}
}

func (c *closedLoop) retireLocked(v *visitor) {
	if v.gone {
		return
	}
	v.gone = true
	c.active--
	v.disarm()
	c.endIfSpentLocked()
}

func (v *visitor) disarm() {
	if v.timer != nil {
		v.timer.Stop()
	}
}

// endIfSpentLocked ends a run with a budget when all users are gone and none will come.
func (c *closedLoop) endIfSpentLocked() {
	if (c.ended || c.left == 0) && c.active == 0 && c.run.budgeted() {
		c.run.mu.phase.turn(spend)
	}
}

// visit makes requests until the user has to wait. A timer then goes on.
func (c *closedLoop) visit(v *visitor) {
	for c.admitVisit(v) {
		ended := false
		func() {
			defer func() {
				if !ended { // Goexit: this goroutine cannot go on
					if d, ok := c.pause(v); ok {
						c.wait(v, d)
					}
				}
			}()
			c.run.once(v.User)
			ended = true
		}()
		d, ok := c.pause(v)
		if !ok {
			return
		}
		// The next request of a user waits for its turn also without a pause, as in perform.
		if d > 0 || c.run.fake {
			c.wait(v, d)
			return
		}
	}
}

// admitVisit starts a request of the user, unless there is nothing left to do.
func (c *closedLoop) admitVisit(v *visitor) bool {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	now := c.run.offset()
	if c.run.mu.phase.stopped() || v.gone || now >= c.run.duration {
		v.disarm()
		return false
	}
	if c.left == 0 || v.left == 0 {
		c.retireLocked(v)
		return false
	}
	if v.last != now {
		v.stalled = 0
	} else if v.stalled++; v.stalled >= maxStalled && c.left < 0 && v.left < 0 {
		c.run.stopLocked(fmt.Errorf("load: user %d made %d requests at %v without any time passing: set ThinkTime or Pacing, or give the step a latency",
			v.req.User, v.stalled, now))
		return false
	}
	c.run.mu.rec.Arrive(now)
	v.last, v.req.Intended, v.req.Tags = now, now, v.req.Tags[:0]
	v.life = &life.Life{Parent: c.run.ctx}
	c.run.startLocked(v.User, now)
	c.spendLocked(v)
	return true
}

// spendLocked takes a request that has started from the budgets. After the last one of the shared
// budget, users who think or are in NewUser will make no request, and are gone.
func (c *closedLoop) spendLocked(v *visitor) {
	if v.left > 0 {
		v.left--
	}
	if c.left <= 0 {
		return
	}
	if c.left--; c.left == 0 {
		for _, v := range c.present {
			if !v.busy() || v.req.Number == 0 {
				c.retireLocked(v)
			}
		}
	}
}

// pause returns how long the user waits before the next request. ThinkTime may be the user's code:
// ok says that it returned. After Goexit pause does not return.
func (c *closedLoop) pause(v *visitor) (d time.Duration, ok bool) {
	c.run.mu.Lock()
	over := c.run.mu.phase.stopped() || v.gone
	c.run.mu.Unlock()
	if over {
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
		d = max(d, c.run.Pacing-(c.run.offset()-v.last))
	}
	return d, true
}

// wait is for a user who has nothing under way.
func (c *closedLoop) wait(v *visitor, d time.Duration) {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	v.disarm()
	switch {
	case c.run.mu.phase.stopped() || v.gone:
	case c.left == 0 || v.left == 0 || d >= c.run.duration-c.run.offset():
		c.retireLocked(v) // nothing would start
	default:
		v.timer = c.run.clk.AfterFunc(d, func() { c.visit(v) })
	}
}

// end stops the timers of users who think, and of the next change. The timers of a grace go on: the run
// waits for what they cancel.
func (c *closedLoop) end() {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
	for _, v := range c.present {
		if !v.busy() {
			v.disarm()
		}
	}
}

// admitNew gives NewUser a context, unless the user comes too late.
func (c *closedLoop) admitNew(v *visitor) bool {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	if c.run.mu.phase.stopped() || v.gone || c.run.offset() >= c.run.duration {
		return false
	}
	v.life = &life.Life{Parent: c.run.ctx}
	c.run.mu.preparing.add(v.User)
	return true
}

// prepare calls NewUser. If that fails, the run is stopped or the user is gone. After Goexit prepare
// does not return.
func (c *closedLoop) prepare(v *visitor) {
	returned := false
	var err error
	defer func() {
		if !returned {
			c.blame("NewUser", v, recover())
		}
		v.life.Cancel()
		c.run.mu.Lock()
		defer c.run.mu.Unlock()
		c.run.mu.preparing.remove(v.User)
		switch {
		case err == nil:
		case !v.req.Interrupted:
			c.run.failLocked(fmt.Errorf("load: NewUser of user %d: %w", v.req.User, err))
		case !v.gone: // a user who left before NewUser was done is no error
			c.run.failLocked(fmt.Errorf("load: NewUser of user %d was not done at the end of the grace: %w", v.req.User, err))
		}
		c.run.checkIdleLocked()
	}()
	err = c.run.NewUser(v.life, v.User)
	returned = true
}

// blame ends the run because of the user's code outside of a request. The code panicked with value,
// or called Goexit if value is nil.
func (c *closedLoop) blame(field string, v *visitor, value any) {
	bug, exiting := usercode.Cause(value)
	err := fmt.Errorf("load: %s of user %d: %w", field, v.req.User, bug)
	if exiting {
		err = fmt.Errorf("load: %s of user %d: goexit: it ended its goroutine (t.FailNow, require)", field, v.req.User)
	}
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	c.run.failLocked(err)
	if exiting {
		c.run.mu.rec.Goexit()
		return
	}
	var p *usercode.PanicError
	errors.As(bug, &p)
	c.run.mu.rec.Bug(fmt.Sprintf("%v\n%s", err, p.Stack))
}
