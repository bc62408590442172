package load

import (
	"errors"
	"fmt"

	"github.com/go-qtests/qtests/qtests/load/internal/usercode"
)

// admitNew gives NewUser a life, unless the user has come in vain.
func (c *closedLoop) admitNew(v *visitor) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.stopped || v.gone || c.offset() >= c.duration {
		return false
	}
	v.life = &life{parent: c.ctx}
	c.mu.preparing.add(v.User)
	return true
}

// prepare calls NewUser. When that fails, the run is stopped or the user is gone.
// After Goexit prepare does not return.
func (c *closedLoop) prepare(v *visitor) {
	returned := false
	var err error
	defer func() {
		if !returned {
			c.blame("NewUser", v, recover())
		}
		v.life.end(cancelled)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.mu.preparing.remove(v.User)
		switch {
		case err == nil:
		case !v.req.Interrupted:
			c.failLocked(fmt.Errorf("load: NewUser of user %d: %w", v.req.User, err))
		case !v.gone: // who had to go before that was not ready in time, and that is all
			c.failLocked(fmt.Errorf("load: NewUser of user %d was not done at the end of the grace: %w", v.req.User, err))
		}
		c.checkIdleLocked()
	}()
	err = c.NewUser(v.life, v.User)
	returned = true
}

// blame ends the run because of the user's code outside of a request: it
// panicked with value, or called Goexit, where that is nil.
func (c *closedLoop) blame(field string, v *visitor, value any) {
	bug, exiting := usercode.Cause(value)
	err := fmt.Errorf("load: %s of user %d: %w", field, v.req.User, bug)
	if exiting {
		err = fmt.Errorf("load: %s of user %d: goexit: it ended its goroutine (t.FailNow, require)", field, v.req.User)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failLocked(err)
	if exiting {
		c.mu.rec.Goexit()
		return
	}
	var p *usercode.Panic
	errors.As(bug, &p)
	c.mu.rec.Bug(fmt.Sprintf("%v\n%s", err, p.Stack))
}

// failLocked halts the run, also when it has stopped already: what users do in the
// grace must not go unseen.
func (r *run) failLocked(err error) {
	if r.mu.stopped && r.mu.halt == nil {
		r.mu.halt = err
		if !r.budgeted() {
			r.mu.rec.Lasts(r.duration) // it has not ended early
		}
	}
	r.stopLocked(err)
}

func (r *run) budgeted() bool {
	budget, each := r.Traffic.Limits()
	return budget > 0 || each > 0
}

// abandonUsers names one of those whose NewUser does not end.
func (r *run) abandonUsers() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if u := r.mu.preparing.first; u != nil {
		r.failLocked(fmt.Errorf("load: NewUser of user %d ignored that its context was cancelled %v ago", u.req.User, abandonAfter))
	}
}
