package load

import (
	"time"
)

// An openLoop lets requests arrive. Each arrival arms the timer of the next one
// and then is the request, in the goroutine of its own timer: there is no loop
// that sleeps, and so no goroutine to wake besides. The instants are absolute; one
// that has passed already fires at once, which is how a late run catches up
// without leaving anything out.
type openLoop struct {
	*run
	source arrivals
	count  int64
}

func (o *openLoop) begin() { o.arm() }

// end does nothing: an arrival that fires after the end finds the run stopped.
func (o *openLoop) end() {}

// arm waits for the next arrival. Only one timer is pending at a time, so that
// source and count need no lock.
func (o *openLoop) arm() {
	a, ok := o.source.next()
	if !ok {
		o.exhaust()
		return
	}
	o.clk.AfterFunc(o.clk.Until(o.start.Add(a.at)), func() { o.fire(a) })
}

func (o *openLoop) fire(a arrival) {
	if o.isStopped() {
		return
	}
	o.count++
	both := &struct {
		User
		life
	}{User: User{run: o.run, id: o.count, intended: a.at, entry: a.entry}, life: life{parent: o.ctx}}
	u := &both.User
	u.life = &both.life
	if o.Route != nil {
		o.routed(u)
	}
	// Admitted before the next one is armed: in real time they might overtake
	// each other.
	run := o.admit(u)
	o.arm()
	if run {
		o.perform(u)
	}
}

func (o *openLoop) isStopped() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.stopped
}

// routed names the step of a replayed request. Route is the user's code and so
// called outside the lock.
func (o *openLoop) routed(u *User) {
	name := func() (name string) {
		defer func() {
			if recover() != nil {
				name = "Route panicked"
			}
		}()
		return o.Route(u.Entry())
	}()
	o.mu.Lock()
	defer o.mu.Unlock()
	u.step = o.mu.rec.route(name)
}

// lateBy is how long after its intended instant a request started.
func (u *User) lateBy() time.Duration { return u.started - u.intended }
