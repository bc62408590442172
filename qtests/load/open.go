package load

import (
	"sync"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// An openLoop lets requests arrive. Nobody dispatches: the goroutine that waited
// for an arrival is the request, and when the request has ended it waits for one
// of the next. That is two waits for a request and nothing else. What it saves is
// measured in bench's group load in fake time: goroutines that are used again, the
// floor reused goroutines, beside one that is started for each arrival, by a timer
// (the floor armed by timer) or by a loop that sleeps (raw loop).
//
// The instants are absolute; one that has passed already is due at once, which
// is how a late run catches up without leaving anything out.
type openLoop struct {
	*run
	// draw guards source, and keeps what comes out of it in order until it is
	// known. It is not the run's mutex, because gaps may be drawn by the user's code.
	draw   sync.Mutex
	source traffic.Source
	failed bool // source has, and the run was told
	alarms *alarms

	// The run's mutex guards what follows.
	known   [lookAhead]due // arrival n is known[n%lookAhead] until somebody waits for it
	last    int64          // number of the latest arrival that is known
	taken   int64          // number of the latest one that somebody waits for
	come    int64          // in real time: number of the latest one that has come
	latest  time.Duration  // instant of the last one
	waiting int            // how many are waited for: at least one until all have come
}

// A due is an arrival whose place in the order of events is taken.
type due struct {
	traffic.Arrival
	number int64
	place  qtests.Reservation
	alone  bool // in real time: it is to have an alarm
	rested bool // who waits for it was a request before
}

const (
	// lookAhead is how many arrivals are known ahead, and so the most goroutines
	// that wait for one. With a single one, a second request that ends before the next
	// arrival would find nothing to wait for, and its goroutine would end: in bench's row
	// load in fake time: a step that sleeps 41.3 ms that takes 3.2 instead of 1.5 µs.
	lookAhead = 8
	// longestWait is how long a goroutine waits for an arrival: it cannot be
	// called off, and a run that is halted has to wait for it. What is further
	// away is left to a timer.
	longestWait = 100 * time.Millisecond
)

func newOpenLoop(r *run) *openLoop {
	o := &openLoop{run: r, source: r.Traffic.Source(r.users.Sub("gaps").Rand())}
	if isReal(r.clk) {
		o.alarms = new(alarms)
	}
	return o
}

func (o *openLoop) begin() {
	o.draw.Lock()
	defer o.draw.Unlock()
	for range lookAhead {
		if a, ok := o.next(false); ok {
			o.mu.Lock()
			o.expectLocked(a, 0)
			o.mu.Unlock()
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.arrangeLocked()
}

// next is the next arrival of the source, if there is one, for a goroutine that
// has perhaps rested. Gaps may be the user's code: when they fail, the run ends,
// also when they end the goroutine.
func (o *openLoop) next(rested bool) (a traffic.Arrival, ok bool) {
	returned := false
	defer func() {
		if ok {
			return
		}
		if err := o.source.Err(); err != nil && !o.failed {
			o.failed = true
			o.fail(err)
		}
		if rested && !returned {
			o.mu.Lock()
			defer o.mu.Unlock()
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
	o.known[o.last%lookAhead] = due{Arrival: a, number: o.last, place: qtests.Reserve(o.clk, a.At-now), alone: alone}
	o.latest = a.At
}

// nextLocked is the first arrival that nobody waits for, or nil.
func (o *openLoop) nextLocked() *due {
	if o.taken == o.last {
		return nil
	}
	return &o.known[(o.taken+1)%lookAhead]
}

// takeLocked takes what nextLocked returned: somebody waits for it from now on.
func (o *openLoop) takeLocked(d *due) due {
	o.taken++
	o.waiting++
	return *d
}

// arrangeLocked sees to it that somebody waits for the next arrival.
func (o *openLoop) arrangeLocked() {
	if o.waiting > 0 {
		return
	}
	next := o.nextLocked()
	if next == nil {
		o.exhaustLocked()
		o.checkSpentLocked()
		return
	}
	d := o.takeLocked(next)
	if d.alone {
		o.clk.AfterFunc(d.At-o.offset()-early, func() { o.work(o.wait(d)) })
	} else {
		d.place.AfterFunc(func() { o.work(o.first(d)) })
	}
}

// wait waits for an arrival.
func (o *openLoop) wait(d due) (first due, now time.Duration) {
	switch {
	case o.alarms == nil:
		return d, d.place.Sleep().Sub(o.start)
	case d.alone:
		d.place.Release() // an instant alone, on such a clock
		o.alarms.wait(func() time.Duration { return d.At - o.offset() })
	default:
		d.place.Sleep()
	}
	return o.first(d)
}

// first returns, when an arrival is due for which this goroutine has waited, the
// first that is. In real time it may be another one: of several that are due at once
// package time wakes the last first, and the earliest, which is late already, would
// have to wait for its request to block.
func (o *openLoop) first(d due) (first due, now time.Duration) {
	if o.alarms == nil {
		return d, o.offset()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.come++
	first = o.known[o.come%lookAhead]
	first.rested = d.rested // which is of the goroutine
	return first, o.offset()
}

// work is an arrival, and then those after it for which this goroutine waits.
func (o *openLoop) work(d due, now time.Duration) {
	for more := true; more; {
		u := o.request(&d)
		if o.Route != nil {
			o.route(u, d.rested)
			now = o.offset()
		}
		o.serve(u, d.rested, now)
		if d, more = o.rest(); more {
			d, now = o.wait(d)
		}
	}
}

// request is that of an arrival which is due now.
func (o *openLoop) request(d *due) *User {
	r := &struct {
		User
		life
	}{User: User{run: o.run, entry: d.Entry, req: record.Request{User: d.number, Intended: d.At}}, life: life{parent: o.ctx}}
	r.User.life = &r.life
	return &r.User
}

// serve runs the request, if it may start.
func (o *openLoop) serve(u *User, rested bool, now time.Duration) {
	if o.arrive(u, rested, now) {
		o.perform(u)
	} else {
		o.RequestLog.Pump() // it was dropped
	}
}

// arrive counts an arrival, and says whether its request may start.
func (o *openLoop) arrive(u *User, rested bool, now time.Duration) bool {
	o.draw.Lock()
	defer o.draw.Unlock()
	next, more := o.next(rested)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting--
	if rested {
		o.restedLocked()
	}
	if o.mu.stopped {
		return false
	}
	// It is admitted before the next one is waited for, because in real time
	// that might overtake it.
	admitted := o.admitLocked(u, now)
	if more {
		o.expectLocked(next, now)
	}
	o.arrangeLocked()
	return admitted
}

// rest returns one of the next arrivals for a goroutine whose request has
// ended to wait for. Without one that is near the goroutine has to end.
func (o *openLoop) rest() (d due, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	next := o.nextLocked()
	// The recorder has just seen an end, which saves a look at the clock.
	if o.mu.stopped || next == nil || next.At-o.mu.rec.Seen > longestWait {
		return due{}, false
	}
	d = o.takeLocked(next)
	d.rested = true
	o.mu.resting++
	return d, true
}

func (o *openLoop) restedLocked() {
	o.mu.resting--
	o.checkIdleLocked()
}

// end gives back the places of arrivals that will not come.
func (o *openLoop) end() {
	o.alarms.close()
	o.mu.Lock()
	defer o.mu.Unlock()
	for d := o.nextLocked(); d != nil; d = o.nextLocked() {
		d.place.Release()
		o.taken++
	}
}

// route names the step of a replayed request. Route is the user's code and so
// called outside the lock; when it panics or calls runtime.Goexit, that is the
// step's name, and the request goes on.
func (o *openLoop) route(u *User, rested bool) {
	name, returned := "Route exited", false
	defer func() {
		if returned {
			return
		}
		value := recover()
		if value != nil {
			name = "Route panicked"
			o.panicked(usercode.NewPanic(value), "Scenario.Route")
		}
		o.name(u, name)
		if value == nil { // this goroutine cannot go on
			o.clk.AfterFunc(0, func() { o.serve(u, rested, o.offset()) })
		}
	}()
	name = o.Route(u.Entry())
	returned = true
	o.name(u, name)
}

func (o *openLoop) name(u *User, step string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	u.req.Step = o.mu.rec.Route(step)
}
