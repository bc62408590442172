package load

import (
	"time"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// arrivals are those of an open profile that are known ahead, and which of them goroutines wait for. Like state,
// which it changes, it has no lock, and of the clock it has only the places of its arrivals.
type arrivals struct {
	state  *state
	arm    func(due) // lets a goroutine that is none of ours yet wait for an arrival
	alarms bool      // arrivals that are far from others get an alarm

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
	step   int16 // of a part of a run: 1 and the place of the step in Scenario.Steps
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
)

// A drawing is the source of the arrivals of an open profile.
type drawing struct {
	source traffic.Source
	failed bool // and the run was told
}

// next draws the next arrival, if there is one. rested says that the goroutine waited for its arrival after a request.
// The gaps may be the user's code: fail is called when they fail, and also when they end the goroutine; then unrest
// follows for one that rested.
func (d *drawing) next(rested bool, fail func(error), unrest func()) (a traffic.Arrival, ok bool) {
	returned := false
	defer func() {
		if ok {
			return
		}
		if err := d.source.Err(); err != nil && !d.failed {
			d.failed = true
			fail(err)
		}
		if rested && !returned {
			unrest()
		}
	}()
	a, ok = d.source.Next()
	returned = true
	return a, ok
}

// expect makes the next arrival known, whose place is taken.
func (a *arrivals) expect(x traffic.Arrival, place bubble.Reservation) {
	a.last++
	alone := a.alarms && x.At-a.latest >= sparse
	a.known[a.last%lookAhead] = due{Arrival: x, number: a.last, place: place, alone: alone, step: a.step()}
	a.latest = x.At
}

// step chooses the step of the next arrival of a part of a run, by its number in the whole. A
// single run chooses when requests start, which in real time may be in another order.
func (a *arrivals) step() int16 {
	s := a.state
	if s.share.takesAll() || len(s.scenario.Steps) == 0 {
		return 0
	}
	i := s.picker.Pick()
	s.picker.Skip(int64(s.share.Of) - 1)
	return int16(i) + 1
}

// next returns the first arrival that no goroutine waits for, or nil.
func (a *arrivals) next() *due {
	if a.taken == a.last {
		return nil
	}
	return &a.known[(a.taken+1)%lookAhead]
}

// take takes what next returned: a goroutine waits for it from now on. The caller copies it under the lock.
func (a *arrivals) take(next *due) *due {
	a.taken++
	a.waiting++
	return next
}

// arrange makes sure that a goroutine waits for the next arrival.
func (a *arrivals) arrange() {
	if a.waiting > 0 {
		return
	}
	if next := a.next(); next != nil {
		a.arm(*a.take(next))
	} else {
		a.state.exhaust()
	}
}

// first sets d, which is due and for which a goroutine has waited, to the arrival to serve. In real time that may be
// another one: of several that are due at once package time wakes the last first, and the earliest, which is late
// already, would have to wait for that request to block.
func (a *arrivals) first(d *due) {
	a.come++
	rested := d.rested // it is about the goroutine
	*d = a.known[a.come%lookAhead]
	d.rested = rested
}

// arrived counts the arrival d, which has come, draws the one after those that are known, and reports whether the request
// of d may start. The clock locks once, to take back the place of d and to give a place to the next arrival.
func (a *arrivals) arrived(u *User, d *due, source traffic.Source, start time.Time) (admitted bool) {
	next, more := source.Next()
	if more && !a.state.phase.Stopped() {
		now, place := d.place.Trade(start, next.At)
		a.expect(next, place)
		return a.serve(u, d, now)
	}
	now := d.place.Pass(start)
	if err := source.Err(); !more && err != nil {
		a.state.stop(err, now)
	}
	return a.serve(u, d, now)
}

// serve counts an arrival that a goroutine has waited for, and reports whether its request may start.
func (a *arrivals) serve(u *User, d *due, now time.Duration) (admitted bool) {
	a.waiting--
	if d.rested {
		d.rested = false
		a.state.unrest()
	}
	if a.state.phase.Stopped() {
		return false
	}
	// It is admitted before a goroutine waits for the next arrival, which might overtake it in
	// real time.
	admitted = a.state.admit(u, now)
	a.arrange()
	return admitted
}

// rest sets d to an arrival to wait for, for a goroutine whose request has ended. If none is near, it reports false,
// and the goroutine has to end.
func (a *arrivals) rest(d *due) bool {
	next := a.next()
	// The recorder has just seen an end, so that its time saves a look at the clock.
	if a.state.phase.Stopped() || next == nil || next.At-a.state.rec.Seen > longestWait {
		return false
	}
	*d = *a.take(next)
	d.rested = true
	a.state.resting++
	return true
}

// release gives back the places of arrivals that will not come.
func (a *arrivals) release() {
	for d := a.next(); d != nil; d = a.next() {
		d.place.Release()
		a.taken++
	}
}
