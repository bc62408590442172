package load

import (
	"time"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/internal/alarm"
	"github.com/go-qtests/qtests/qtests/load/internal/life"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/traffic"
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
	source traffic.Source // the run's draw guards it
	failed bool           // source has failed, and the run was told
	alarms *alarm.Set

	// The run's mutex guards what follows.
	known   [lookAhead]due // arrival n is known[n%lookAhead] until a goroutine waits for it
	last    int64          // number of the latest arrival that is known
	latest  time.Duration  // its instant
	taken   int64          // number of the latest arrival that a goroutine waits for
	come    int64          // in real time: number of the latest arrival that has come
	waiting int            // how many arrivals goroutines wait for: at least one until all have come
}

// A due is an arrival whose place in the order of events is taken.
type due struct {
	traffic.Arrival
	number int64
	place  bubble.Reservation
	alone  bool  // in real time: it gets an alarm
	rested bool  // the goroutine that waits for it was a request before
	step   int32 // of a part of a run: 1 and the place of the step in Scenario.Steps
}

const (
	// lookAhead is how many arrivals are known ahead, and so how many goroutines wait for one
	// at most. With one only, a second request that ends before the next arrival would find
	// nothing to wait for, and its goroutine would end: in bench's row "load in fake time: a
	// step that sleeps 41.3 ms" a request then takes 3.2 µs instead of 1.5.
	lookAhead = 8
	// longestWait is how long a goroutine waits for an arrival. It cannot be called off, and a
	// run that is stopped has to wait for it. An arrival that is further away gets a timer.
	longestWait = 100 * time.Millisecond

	// sparse is how far an arrival has to be from the one before it to get an alarm. To wake
	// an idle process costs more than a request. Above a thousand arrivals a second package
	// time wakes the process for several at once, and alarms would nearly double the processor
	// time of each: 105 µs instead of 60 in bench's row "2,000 a second". At 100/s alarms save
	// a quarter of it, and the 99th percentile of the lateness falls from 1.1 to 0.15 ms.
	sparse = time.Millisecond
	// early is how long before the instant of an arrival a timer of package time has to fire. An
	// alarm waits for the rest.
	early = 2 * time.Millisecond
)

func newOpenLoop(r *run) *openLoop {
	o := &openLoop{run: r, source: r.share.source(r.Traffic.Source(r.users.Sub("gaps").Rand()))}
	if r.real {
		o.alarms = new(alarm.Set)
	}
	return o
}

func (o *openLoop) begin() {
	o.run.draw.Lock()
	defer o.run.draw.Unlock()
	for range lookAhead {
		if a, ok := o.next(false); ok {
			o.run.mu.Lock()
			o.expectLocked(a, 0)
			o.run.mu.Unlock()
		}
	}
	o.run.mu.Lock()
	defer o.run.mu.Unlock()
	o.arrangeLocked()
}

// next returns the next arrival of the source, if there is one. rested says that the goroutine
// waited for its arrival after a request. The gaps may be the user's code: the run ends when they
// fail, also when they end the goroutine.
func (o *openLoop) next(rested bool) (a traffic.Arrival, ok bool) {
	returned := false
	defer func() {
		if ok {
			return
		}
		if err := o.source.Err(); err != nil && !o.failed {
			o.failed = true
			o.run.fail(err)
		}
		if rested && !returned {
			o.run.mu.Lock()
			defer o.run.mu.Unlock()
			o.restedLocked()
		}
	}()
	a, ok = o.source.Next()
	returned = true
	return a, ok
}

// expectLocked takes the place of the next arrival.
func (o *openLoop) expectLocked(a traffic.Arrival, now time.Duration) {
	o.last++
	alone := o.alarms != nil && a.At-o.latest >= sparse
	o.known[o.last%lookAhead] = due{Arrival: a, number: o.last, place: bubble.Reserve(o.run.clk, a.At-now), alone: alone, step: o.stepLocked()}
	o.latest = a.At
}

// stepLocked chooses the step of the next arrival of a part of a run, by its number in the whole. A
// single run chooses when requests start, which in real time may be in another order.
func (o *openLoop) stepLocked() int32 {
	r := o.run
	if r.share.takesAll() || len(r.Steps) == 0 {
		return 0
	}
	i := r.mu.picker.Pick()
	r.mu.picker.Skip(int64(r.share.Of) - 1)
	return int32(i) + 1
}

// nextLocked returns the first arrival that no goroutine waits for, or nil.
func (o *openLoop) nextLocked() *due {
	if o.taken == o.last {
		return nil
	}
	return &o.known[(o.taken+1)%lookAhead]
}

// takeLocked takes what nextLocked returned: a goroutine waits for it from now on.
func (o *openLoop) takeLocked(d *due) due {
	o.taken++
	o.waiting++
	return *d
}

// arrangeLocked makes sure that a goroutine waits for the next arrival.
func (o *openLoop) arrangeLocked() {
	if o.waiting > 0 {
		return
	}
	next := o.nextLocked()
	if next == nil {
		o.run.exhaustLocked()
		return
	}
	d := o.takeLocked(next)
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

// first returns the arrival to serve when the one is due for which this goroutine has waited. In
// real time that may be another one: of several that are due at once package time wakes the last
// first, and the earliest, which is late already, would have to wait for that request to block.
func (o *openLoop) first(d due) (first due, now time.Duration) {
	if o.alarms == nil {
		return d, o.run.offset()
	}
	o.run.mu.Lock()
	defer o.run.mu.Unlock()
	o.come++
	first = o.known[o.come%lookAhead]
	first.rested = d.rested // rested is about the goroutine
	return first, o.run.offset()
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
		if d, more = o.rest(); more {
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
	if o.arrive(u, rested, now) {
		o.run.perform(u)
	} else {
		o.run.RequestLog.Pump() // it was dropped
	}
}

// arrive counts an arrival, and says whether its request may start.
func (o *openLoop) arrive(u *User, rested bool, now time.Duration) bool {
	o.run.draw.Lock()
	defer o.run.draw.Unlock()
	next, more := o.next(rested)
	o.run.mu.Lock()
	defer o.run.mu.Unlock()
	o.waiting--
	if rested {
		o.restedLocked()
	}
	if o.run.mu.phase.stopped() {
		return false
	}
	// It is admitted before a goroutine waits for the next arrival, which might overtake it in
	// real time.
	admitted := o.run.admitLocked(u, now)
	if more {
		o.expectLocked(next, now)
	}
	o.arrangeLocked()
	return admitted
}

// rest returns an arrival to wait for, for a goroutine whose request has ended. If none is near,
// the goroutine has to end.
func (o *openLoop) rest() (d due, ok bool) {
	o.run.mu.Lock()
	defer o.run.mu.Unlock()
	next := o.nextLocked()
	// The recorder has just seen an end, so that its time saves a look at the clock.
	if o.run.mu.phase.stopped() || next == nil || next.At-o.run.mu.rec.Seen > longestWait {
		return due{}, false
	}
	d = o.takeLocked(next)
	d.rested = true
	o.run.mu.resting++
	return d, true
}

func (o *openLoop) restedLocked() {
	o.run.mu.resting--
	o.run.checkIdleLocked()
}

// end gives back the places of arrivals that will not come.
func (o *openLoop) end() {
	o.alarms.Close()
	o.run.mu.Lock()
	defer o.run.mu.Unlock()
	for d := o.nextLocked(); d != nil; d = o.nextLocked() {
		d.place.Release()
		o.taken++
	}
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
		o.name(u, name)
		if exiting {
			o.run.clk.AfterFunc(0, func() { o.serve(u, rested, o.run.offset()) })
		}
	}()
	name = o.run.Route(u.Entry())
	returned = true
	o.name(u, name)
}

func (o *openLoop) name(u *User, step string) {
	o.run.mu.Lock()
	defer o.run.mu.Unlock()
	u.req.Step = o.run.mu.rec.Route(step)
}
