package load

import (
	"context"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/load/internal/life"
	"github.com/go-qtests/qtests/qtests/load/internal/phase"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
)

// visitors are the users of a closed profile: who is there, and what they may still do. Like state, which it
// changes, it has neither lock nor clock.
type visitors struct {
	state   *state
	ctx     *context.Context // whose values reach the requests. A request that is kept keeps it, and no more
	timer   *clock.Timer     // of the next change
	present []*visitor       // the k-th user of this part is present[k-1]
	left    int64            // requests that the shared budget still has; -1 for no bound
	active  int
	allCame bool // no further user will come
}

// A visitor is one user of a closed profile. Its life is the context of NewUser or of the present
// request, and has ended between two of them.
type visitor struct {
	User
	timer   *clock.Timer // of the pause, or of the grace of a user who left
	left    int64        // requests of its own budget; -1 for no bound
	stalled int32        // requests in a row that took no time
	gone    bool         // starts nothing more
}

// newVisitor is user n of a run, who has no place yet.
func newVisitor(h *host, n int) *visitor {
	return &visitor{User: User{run: h, req: record.Request{User: int64(n)}}, left: -1}
}

// maxStalled is how many requests in a row a user may make at one instant. After so many no time
// would ever pass, unless a budget ends them.
const maxStalled = 10_000

func newVisitors(ctx context.Context, s *state) *visitors {
	c := &visitors{state: s, ctx: &ctx, left: -1}
	if s.budget > 0 {
		c.left = s.share.ofBudget(s.budget, s.scenario.Traffic)
	}
	return c
}

// place is where user n is among those of this part.
func (c *visitors) place(n int) int { return (n - 1) / max(c.state.share.Of, 1) }

// come gives a user its place, where a user who left may have been before, and reports whether there is one: in a run
// that was stopped there is none.
func (c *visitors) come(v *visitor) bool {
	if c.state.phase.Stopped() {
		return false
	}
	if c.state.each > 0 {
		v.left = c.state.each
	}
	if i := c.place(int(v.req.User)); i < len(c.present) {
		c.present[i] = v
	} else {
		c.present = append(c.present, v)
	}
	c.active++
	if c.left == 0 {
		c.retire(v) // comes too late
	}
	return true
}

// leave lets user n start nothing more, unless the run was stopped.
func (c *visitors) leave(n int) *visitor {
	if c.state.phase.Stopped() {
		return nil
	}
	v := c.present[c.place(n)]
	c.retire(v)
	return v
}

// busy reports whether NewUser or a request of the user is under way. For a user who is gone the
// answer changes to no, and never back.
func (v *visitor) busy() bool { return v.life != nil && v.life.Err() == nil }

// interrupt is busy, and says that what is under way counts as interrupted.
func (v *visitor) interrupt() bool {
	busy := v.busy()
	if busy {
		v.req.Interrupted = true
	}
	return busy
}

func (c *visitors) retire(v *visitor) {
	if v.gone {
		return
	}
	v.gone = true
	c.active--
	v.disarm()
	c.endIfSpent()
}

func (v *visitor) disarm() {
	if v.timer != nil {
		v.timer.Stop()
	}
}

// end says that no further user will come.
func (c *visitors) end() {
	c.allCame = true
	c.endIfSpent()
}

// endIfSpent ends a run with a budget when all users are gone and none will come.
func (c *visitors) endIfSpent() {
	if (c.allCame || c.left == 0) && c.active == 0 && (c.state.budget > 0 || c.state.each > 0) {
		c.state.phase.Turn(phase.Spend)
	}
}

// over reports whether the user starts nothing more.
func (c *visitors) over(v *visitor) bool { return c.state.phase.Stopped() || v.gone }

// prepare gives NewUser a context, unless the user comes too late.
func (c *visitors) prepare(v *visitor, now time.Duration) bool {
	if c.over(v) || now >= c.state.duration {
		return false
	}
	v.life = &life.Life{Parent: c.ctx}
	c.state.preparing.add(&v.User)
	return true
}

// prepared says that NewUser has ended, with err if it failed.
func (c *visitors) prepared(v *visitor, err error, now time.Duration) {
	c.state.preparing.remove(&v.User)
	switch {
	case err == nil:
	case !v.req.Interrupted:
		c.state.fail(fmt.Errorf("load: NewUser of user %d: %w", v.req.User, err), now)
	case !v.gone: // a user who left before NewUser was done is no error
		c.state.fail(fmt.Errorf("load: NewUser of user %d was not done at the end of the grace: %w", v.req.User, err), now)
	}
	c.state.checkIdle()
}

// start starts a request of the user, unless there is nothing left to do.
func (c *visitors) start(v *visitor, now time.Duration) bool {
	if c.over(v) || now >= c.state.duration {
		v.disarm()
		return false
	}
	if c.left == 0 || v.left == 0 {
		c.retire(v)
		return false
	}
	if c.stalls(v, now) {
		return false
	}
	c.state.rec.Arrive(now)
	v.req.Intended, v.req.Choice = now, 0
	v.req.Tags.Clear()
	v.life = &life.Life{Parent: c.ctx}
	c.state.start(&v.User, now, false)
	c.spend(v)
	return true
}

// stalls stops a run in which a user lets no time pass, and reports whether it did.
func (c *visitors) stalls(v *visitor, now time.Duration) bool {
	if v.req.Number == 0 || v.req.Started != now {
		v.stalled = 0
		return false
	}
	v.stalled++
	if v.stalled < maxStalled || c.left >= 0 || v.left >= 0 {
		return false
	}
	c.state.stop(fmt.Errorf("load: user %d made %d requests at %v without any time passing: set ThinkTime or Pacing, or give the step a latency",
		v.req.User, v.stalled, now), now)
	return true
}

// spend takes a request that has started from the budgets. After the last one of the shared budget, users who think
// or are in NewUser will make no request, and are gone.
func (c *visitors) spend(v *visitor) {
	if v.left > 0 {
		v.left--
	}
	if c.left <= 0 {
		return
	}
	if c.left--; c.left == 0 {
		for _, v := range c.present {
			if !v.busy() || v.req.Number == 0 {
				c.retire(v)
			}
		}
	}
}

// waits reports whether a user who has nothing under way will make a request after d. One who could start nothing
// then is gone.
func (c *visitors) waits(v *visitor, d, now time.Duration) bool {
	v.disarm()
	switch {
	case c.over(v):
	case c.left == 0 || v.left == 0 || d >= c.state.duration-now:
		c.retire(v) // nothing would start
	default:
		return true
	}
	return false
}

// disarm stops the timers of users who think, and of the next change. The timers of a grace go on: the run waits for
// what they cancel.
func (c *visitors) disarm() {
	if c.timer != nil {
		c.timer.Stop()
	}
	for _, v := range c.present {
		if !v.busy() {
			v.disarm()
		}
	}
}
