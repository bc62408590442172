package load

import (
	"runtime"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/internal/alarm"
	"github.com/go-qtests/qtests/qtests/load/internal/life"
)

// An openLoop lets requests arrive. There is no dispatcher: a goroutine waits until an arrival is
// due, is that request, and then waits for a later arrival. So each request costs two waits and
// nothing else. The group "load in fake time" of bench measures what that saves: its floor
// "reused goroutines" beside one goroutine for each arrival, started by a timer ("armed by
// timer") or by a loop that sleeps ("raw loop").
//
// The instants are absolute. An instant that has passed is due at once, so that a late run
// catches up and leaves nothing out.
type openLoop struct {
	run    *run
	alarms *alarm.Set // in real time
}

// early is how long before the instant of an arrival a timer of package time has to fire. An
// alarm waits for the rest.
const early = 2 * time.Millisecond

// overdue is how late an arrival is that lets what is under way go on first. Without that all that is overdue opened
// connections before the first was answered, and the rest came later: 0.5 s instead of 0.02 s at 10,000 a second.
const overdue = time.Millisecond

func newOpenLoop(r *run) *openLoop {
	o := &openLoop{run: r}
	if r.real {
		o.alarms = new(alarm.Set)
	}
	return o
}

func (o *openLoop) begin() { o.run.expectFirst(o.arm) }

// arm lets a new goroutine wait for an arrival.
func (o *openLoop) arm(d due) {
	if d.alone {
		o.run.clk.AfterFunc(d.At-o.run.offset()-early, func() { o.work(d, false) })
	} else {
		d.place.CallAwaited(func() { o.work(d, true) })
	}
}

// work waits for an arrival, unless that has come, serves it, and then the later ones for which this goroutine waits. As
// in once, there are few frames to return through after a wait.
func (o *openLoop) work(d due, come bool) {
	var free users
	for ; ; come = false {
		switch {
		case come:
		case d.alone:
			o.awaitAlarm(d.At)
		default:
			d.place.Await()
		}
		if o.alarms != nil {
			if o.run.offset()-d.At > overdue {
				runtime.Gosched() // what is under way goes on first
			}
			o.run.first(&d)
		}
		u := o.request(&d, free.next())
		if o.run.Route != nil {
			o.route(u, &d)
		}
		if o.admits(u, &d) {
			o.run.follow(o.run.once(u, &d))
		}
		if !d.rested && !o.run.rest(&d) {
			return
		}
	}
}

// awaitAlarm waits for the instant of an arrival that gets an alarm.
func (o *openLoop) awaitAlarm(at time.Duration) {
	o.alarms.Wait(func() time.Duration { return at - o.run.offset() })
}

// request makes the request of an arrival that is due now.
func (o *openLoop) request(d *due, its *single) *User {
	its.life.Parent = &o.run.ctx
	u := &its.user
	u.run, u.life, u.entry, u.req.Choice = &o.run.host, &its.life, d.Entry, d.step
	u.req.User, u.req.Intended = o.run.share.Nth(d.number), d.At
	return u
}

// A single is a User who makes one request, and the life of that.
type single struct {
	user User
	life life.Life
}

// users are those whom a goroutine has for the requests that it will be. A goroutine that goes on for long makes several
// at once, which takes about half of the time for each. One that is a single request makes no more than that.
type users struct {
	spare []single
	made  int
}

// next returns a user who was not given to anybody.
func (u *users) next() *single {
	if len(u.spare) == 0 {
		u.made = min(max(2*u.made, 1), 5)
		u.spare = make([]single, u.made)
	}
	s := &u.spare[0]
	u.spare = u.spare[1:]
	return s
}

// admits reports whether the request of an arrival may start.
func (o *openLoop) admits(u *User, d *due) (admitted bool) {
	if admitted = o.run.arrived(u, d); !admitted {
		o.run.RequestLog.Pump() // it was dropped
	}
	return admitted
}

// end gives back the places of arrivals that will not come.
func (o *openLoop) end() {
	o.alarms.Close()
	o.run.noMore()
}

// route names the step of a replayed request. Route is the user's code, and called without the
// lock. If it panics or calls runtime.Goexit, the step is named after that, and the request goes
// on.
func (o *openLoop) route(u *User, d *due) {
	name, returned := "Route exited", false
	defer func() {
		if returned {
			return
		}
		err, exiting := usercode.Cause(recover())
		if p, ok := err.(*usercode.PanicError); ok {
			name = "Route panicked"
			o.run.panicked(p, "Scenario.Route")
		}
		o.run.nameStep(u, name)
		if exiting {
			o.run.clk.AfterFunc(0, func() {
				if o.admits(u, d) {
					o.run.perform(u)
				}
			})
		}
	}()
	name = o.run.Route(u.Entry())
	returned = true
	o.run.nameStep(u, name)
}
