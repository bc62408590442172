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
	// Only one timer is pending at a time, so that what follows needs no lock.
	pending arrival
	count   int64
	onTimer func() // fire, bound once: a closure for each arrival costs 60 ns
}

func newOpenLoop(r *run) *openLoop {
	o := &openLoop{run: r, source: r.Profile.source(r.users.Sub("gaps").Rand())}
	o.onTimer = o.fire
	return o
}

func (o *openLoop) begin() { o.arm(0) }

// end does nothing: an arrival that fires after the end finds the run stopped.
func (o *openLoop) end() {}

// arm waits, from now, for the next arrival.
func (o *openLoop) arm(now time.Duration) {
	a, ok := o.source.next()
	if !ok {
		o.exhaust()
		return
	}
	o.pending = a
	o.clk.AfterFunc(a.at-now, o.onTimer)
}

// fire is one arrival: it is admitted before the next one is armed, because in
// real time the next one might overtake it, and runs after that.
func (o *openLoop) fire() {
	o.count++
	request := &struct {
		User
		life
	}{User: User{run: o.run, id: o.count, intended: o.pending.at, entry: o.pending.entry}, life: life{parent: o.ctx}}
	u := &request.User
	u.life = &request.life
	if o.Route != nil {
		o.routed(u)
	}
	now := o.offset()
	admitted, stopped := o.admit(u, now)
	if !stopped {
		o.arm(now)
	}
	if admitted {
		o.perform(u)
	}
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
