package load

import (
	"sync"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// An openLoop lets requests arrive. Nobody dispatches: the goroutine that waited
// for an arrival is the request, and when the request has ended it waits for one
// of the next. That is two waits for a request and nothing else, the least there
// can be; a goroutine for each arrival costs a quarter more.
//
// The instants are absolute; one that has passed already is due at once, which
// is how a late run catches up without leaving anything out.
type openLoop struct {
	*run
	// draw guards source. It is not the run's mutex, because gaps may be drawn by
	// the user's code.
	draw   sync.Mutex
	source arrivals

	// The run's mutex guards what follows. Arrivals come in the order of their
	// numbers, so that number n+depth takes the slot that n has left.
	known   [lookAhead]due
	depth   int64
	last    int64 // number of the latest arrival that is known
	taken   int64 // number of the latest one that somebody waits for
	waiting int   // how many are waited for: at least one until all have come
}

// A due is an arrival whose place in the order of events is taken.
type due struct {
	arrival
	number int64
	place  qtests.Reservation
	rested bool // who waits for it was a request before
}

const (
	// lookAhead is how many arrivals are known ahead, and so the most goroutines
	// that wait for one. With a single one, a second request that ends before the next
	// arrival would find nothing to wait for, and its goroutine would end.
	lookAhead = 8
	// longestWait is how long a goroutine waits for an arrival: it cannot be
	// called off, and a run that is halted has to wait for it. What is further
	// away is left to a timer.
	longestWait = 100 * time.Millisecond
)

func newOpenLoop(r *run) *openLoop {
	o := &openLoop{run: r, source: r.Profile.source(r.users.Sub("gaps").Rand()), depth: 1}
	if r.fake {
		// In real time a goroutine that waits already has nothing over one that
		// its timer starts, and with several waiting one might overtake another.
		o.depth = lookAhead
	}
	return o
}

func (o *openLoop) begin() {
	var first []arrival
	for range o.depth {
		if a, ok := o.next(); ok {
			first = append(first, a)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range first {
		o.expectLocked(a, 0)
	}
	o.arrangeLocked()
}

func (o *openLoop) next() (arrival, bool) {
	o.draw.Lock()
	defer o.draw.Unlock()
	return o.source.next()
}

// expectLocked takes the place of the next arrival.
func (o *openLoop) expectLocked(a arrival, now time.Duration) {
	o.last++
	o.known[o.last%o.depth] = due{arrival: a, number: o.last, place: qtests.Reserve(o.clk, a.at-now)}
}

// nextLocked is the first arrival that nobody waits for, or nil.
func (o *openLoop) nextLocked() *due {
	if o.taken == o.last {
		return nil
	}
	return &o.known[(o.taken+1)%o.depth]
}

func (o *openLoop) takeLocked() {
	o.taken++
	o.waiting++
}

// arrangeLocked sees to it that somebody waits for the next arrival.
func (o *openLoop) arrangeLocked() {
	if o.waiting > 0 {
		return
	}
	d := o.nextLocked()
	if d == nil {
		o.exhaustLocked()
		return
	}
	o.takeLocked()
	d.place.AfterFunc(func() { o.work(d, o.offset()) })
}

// work is an arrival, and then those after it for which this goroutine waits.
func (o *openLoop) work(d *due, now time.Duration) {
	for d != nil {
		if u := o.arrive(d, now); u != nil {
			o.perform(u)
		} else {
			o.Samples.pump() // it was dropped
		}
		if d = o.rest(); d != nil {
			now = d.place.Sleep().Sub(o.start)
		}
	}
}

// arrive counts an arrival that is due now, and returns its request if that may
// start.
func (o *openLoop) arrive(d *due, now time.Duration) *User {
	next, more := o.next()
	request := &struct {
		User
		life
	}{User: User{run: o.run, id: d.number, intended: d.at, entry: d.entry}, life: life{parent: o.ctx}}
	u := &request.User
	u.life = &request.life
	if o.Route != nil {
		o.routed(u)
		now = o.offset()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting--
	if d.rested {
		o.mu.resting--
	}
	if o.mu.stopped {
		o.checkIdleLocked()
		return nil
	}
	// It is admitted before the next one is waited for, because in real time
	// that might overtake it.
	admitted := o.admitLocked(u, now)
	if more {
		o.expectLocked(next, now)
	}
	o.arrangeLocked()
	if !admitted {
		return nil
	}
	return u
}

// rest returns one of the next arrivals for a goroutine whose request has
// ended to wait for. Without one that is near the goroutine has to end.
func (o *openLoop) rest() *due {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.nextLocked()
	// The recorder has just seen an end, which saves a look at the clock.
	if o.mu.stopped || d == nil || d.at-o.mu.rec.areaFrom > longestWait {
		return nil
	}
	o.takeLocked()
	d.rested = true
	o.mu.resting++
	return d
}

// end gives back the places of arrivals that will not come.
func (o *openLoop) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for d := o.nextLocked(); d != nil; d = o.nextLocked() {
		d.place.Release()
		o.taken++
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
