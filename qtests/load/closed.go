package load

import (
	"fmt"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/go-qtests/qtests/qtests"
)

// A closedLoop keeps so many users at work. A user who thinks is a timer and no
// goroutine; a request runs in the goroutine of the timer that ended the wait.
type closedLoop struct {
	*run
	changes *changes

	// The run's mutex guards what follows.
	present []*visitor // user i is present[i-1]
	left    int64      // requests that the shared budget still has; -1 for no bound
	active  int
	ended   bool // no further user will come
}

// A visitor is one user of a closed profile.
type visitor struct {
	*User
	timer   *clock.Timer
	gone    bool  // starts nothing more
	left    int64 // requests of its own budget; -1 for no bound
	last    time.Duration
	stalled int // requests in a row that took no time
}

// maxStalled requests in a row of one user without any time passing mean that
// none ever will.
const maxStalled = 10_000

func newClosedLoop(r *run) *closedLoop {
	c := &closedLoop{run: r, changes: newChanges(r.Profile), left: -1}
	if r.Profile.budget > 0 {
		c.left = r.Profile.budget
	}
	return c
}

func (c *closedLoop) begin() { c.arm() }

// arm waits for the next change in the number of users. Users who come at one
// instant come one after the other, each with a timer of its own.
func (c *closedLoop) arm() {
	change, ok := c.changes.next()
	if !ok {
		c.mu.Lock()
		c.ended = true
		c.checkSpentLocked()
		c.mu.Unlock()
		return
	}
	c.clk.AfterFunc(c.clk.Until(c.start.Add(change.at)), func() {
		if c.isStopped() {
			return
		}
		c.arm()
		if change.comes {
			c.arrive(change.user)
		} else {
			c.leave(change.user)
		}
	})
}

func (r *run) isStopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.stopped
}

// arrive brings user n, in the goroutine that then is the user.
func (c *closedLoop) arrive(n int) {
	v := &visitor{User: &User{run: c.run, id: int64(n)}, left: -1, last: -1}
	if c.Profile.each > 0 {
		v.left = c.Profile.each
	}
	c.mu.Lock()
	if n <= len(c.present) {
		c.present[n-1] = v // takes the place of one who left
	} else {
		c.present = append(c.present, v)
	}
	c.active++
	c.mu.Unlock()
	if err := c.prepare(v); err != nil {
		c.stop(fmt.Errorf("load: NewUser of user %d: %w", n, err))
		return
	}
	c.visit(v)
}

func (c *closedLoop) prepare(v *visitor) (err error) {
	if c.NewUser == nil {
		return nil
	}
	returned := false
	defer func() {
		if !returned {
			// After Goexit nothing can be returned to arrive.
			err, _ = c.bug(recover())
			c.stop(fmt.Errorf("load: NewUser of user %d: %w", v.id, err))
		}
	}()
	err = c.NewUser(c.ctx, v.User)
	returned = true
	return err
}

// leave retires user n: a request that is under way gets its grace.
func (c *closedLoop) leave(n int) {
	c.mu.Lock()
	v := c.present[n-1]
	c.retireLocked(v)
	life := v.life
	busy := c.mu.inFlight.has(v.User)
	c.mu.Unlock()
	if !busy {
		return
	}
	c.clk.AfterFunc(c.Grace, func() {
		c.mu.Lock()
		under := v.life == life && life.Err() == nil
		if under {
			v.interrupted = true
		}
		c.mu.Unlock()
		if under {
			life.end(cancelled)
		}
	})
}

func (c *closedLoop) retireLocked(v *visitor) {
	if v.gone {
		return
	}
	v.gone = true
	c.active--
	if v.timer != nil {
		v.timer.Stop()
	}
	c.checkSpentLocked()
}

// checkSpentLocked ends a run whose users are all gone for good, as those with
// a budget are.
func (c *closedLoop) checkSpentLocked() {
	if c.ended && c.active == 0 && !c.mu.exhausted && (c.Profile.budget > 0 || c.Profile.each > 0) {
		c.mu.exhausted = true
		close(c.exhausted)
	}
}

// visit makes requests until the user has to wait, and then leaves the rest to
// a timer.
func (c *closedLoop) visit(v *visitor) {
	for {
		if !c.admitVisit(v) {
			return
		}
		ended := false
		func() {
			defer func() {
				if !ended { // Goexit: this goroutine cannot go on
					c.wait(v, c.pause(v))
				}
			}()
			c.once(v.User)
			ended = true
		}()
		// Without a pause, too, the next request of a user waits for its turn, as
		// in perform.
		if d := c.pause(v); d > 0 || c.fake {
			c.wait(v, d)
			return
		}
	}
}

// admitVisit starts a request of the user, unless there is nothing left to do.
func (c *closedLoop) admitVisit(v *visitor) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.offset()
	if c.mu.stopped || v.gone || now >= c.duration {
		return false
	}
	if c.left == 0 || v.left == 0 {
		c.retireLocked(v)
		return false
	}
	if v.last == now {
		if v.stalled++; v.stalled >= maxStalled {
			c.stopLocked(fmt.Errorf("load: user %d made %d requests at %v without any time passing: set ThinkTime or Pacing, or give the step a latency",
				v.id, v.stalled, now))
			return false
		}
	} else {
		v.stalled = 0
	}
	c.mu.rec.arrive(now)
	c.left, v.left = spend(c.left), spend(v.left)
	v.last, v.intended, v.tags = now, now, v.tags[:0]
	v.life = &life{parent: c.ctx}
	c.startLocked(v.User, now)
	return true
}

func spend(left int64) int64 {
	if left > 0 {
		return left - 1
	}
	return left
}

// pause is how long the user waits before the next request.
func (c *closedLoop) pause(v *visitor) time.Duration {
	think := c.ThinkTime
	var d time.Duration
	if !think.IsZero() {
		d = qtests.Round(think.Sample(v.Rand()))
	}
	if c.Pacing > 0 {
		d = max(d, v.last+c.Pacing-c.offset())
	}
	return d
}

func (c *closedLoop) wait(v *visitor, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.stopped || v.gone || c.offset()+d >= c.duration {
		return // nothing would start
	}
	v.timer = c.clk.AfterFunc(d, func() { c.visit(v) })
}

// end stops the timers of those who think.
func (c *closedLoop) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.present {
		if v.timer != nil {
			v.timer.Stop()
		}
	}
}

// A change is one user who comes or goes.
type change struct {
	at    time.Duration
	user  int
	comes bool
}

// changes hands out, in order, who comes and goes: user i is there while the
// number of users, rounded, is at least i.
type changes struct {
	pieces []piece
	factor float64
	start  time.Duration
	users  int
	// entered says that the jump to the level of the first piece is done.
	entered bool
}

func newChanges(p Profile) *changes {
	pieces := p.pieces()
	if len(pieces) == 0 {
		pieces = []piece{{from: p.level, to: p.level, d: p.Duration()}}
	}
	return &changes{pieces: pieces, factor: p.factor()}
}

// scaled is a number of users under the factor: at least one where there were
// any.
func (c *changes) scaled(level float64) float64 {
	if level > 0 && c.factor < 1 {
		return max(level*c.factor, min(level, 1))
	}
	return level * c.factor
}

func (c *changes) next() (change, bool) {
	for len(c.pieces) > 0 {
		p := c.pieces[0]
		from, to := c.scaled(p.from), c.scaled(p.to)
		if n := roundUsers(from); n != c.users && !c.entered {
			return c.step(n, c.start), true // a jump
		}
		c.entered = true
		if n := roundUsers(to); n != c.users {
			level := float64(c.users) + 0.5 // at which the number changes
			if n < c.users {
				level--
			}
			x := min(max((level-from)/(to-from), 0), 1)
			return c.step(n, c.start+time.Duration(x*float64(p.d))), true
		}
		c.start += p.d
		c.pieces, c.entered = c.pieces[1:], false
	}
	return change{}, false
}

// step is the change by one user towards n.
func (c *changes) step(n int, at time.Duration) change {
	if n > c.users {
		c.users++
		return change{at, c.users, true}
	}
	c.users--
	return change{at, c.users + 1, false}
}

func roundUsers(level float64) int { return int(level + 0.5) }
