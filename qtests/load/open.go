package load

import (
	"time"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/internal/alarm"
	"github.com/go-qtests/qtests/qtests/load/internal/life"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
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
		o.run.clk.AfterFunc(d.At-o.run.offset()-early, func() { o.work(o.wait(d)) })
	} else {
		d.place.AfterFunc(func() { o.work(o.first(d)) })
	}
}

// wait waits for an arrival.
func (o *openLoop) wait(d due) (first due, now time.Duration) {
	switch {
	case o.alarms == nil:
		return d, d.place.Sleep().Sub(o.run.start)
	case d.alone:
		d.place.Release() // a real clock gives places to nothing
		o.alarms.Wait(func() time.Duration { return d.At - o.run.offset() })
	default:
		d.place.Sleep()
	}
	return o.first(d)
}

// first returns the arrival to serve when d is due, and what time it is.
func (o *openLoop) first(d due) (first due, now time.Duration) {
	if o.alarms != nil {
		d = o.run.first(d)
	}
	return d, o.run.offset()
}

// work serves an arrival, and then the later ones for which this goroutine waits.
func (o *openLoop) work(d due, now time.Duration) {
	for more := true; more; {
		u := o.request(&d)
		if o.run.Route != nil {
			o.route(u, d.rested)
			now = o.run.offset()
		}
		o.serve(u, d.rested, now)
		if d, more = o.run.rest(); more {
			d, now = o.wait(d)
		}
	}
}

// request makes the request of an arrival that is due now. User and life are one allocation.
func (o *openLoop) request(d *due) *User {
	both := &struct {
		user User
		life life.Life
	}{user: User{run: o.run, entry: d.Entry, step: d.step, req: record.Request{User: o.run.share.Nth(d.number), Intended: d.At}}, life: life.Life{Parent: o.run.ctx}}
	both.user.life = &both.life
	return &both.user
}

// serve runs the request, if it may start.
func (o *openLoop) serve(u *User, rested bool, now time.Duration) {
	if o.run.arrived(u, rested, now) {
		o.run.perform(u)
	} else {
		o.run.RequestLog.Pump() // it was dropped
	}
}

// end gives back the places of arrivals that will not come.
func (o *openLoop) end() {
	o.alarms.Close()
	o.run.noMore()
}

// route names the step of a replayed request. Route is the user's code, and called without the
// lock. If it panics or calls runtime.Goexit, the step is named after that, and the request goes
// on.
func (o *openLoop) route(u *User, rested bool) {
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
			o.run.clk.AfterFunc(0, func() { o.serve(u, rested, o.run.offset()) })
		}
	}()
	name = o.run.Route(u.Entry())
	returned = true
	o.run.nameStep(u, name)
}
