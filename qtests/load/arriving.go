package load

import "github.com/go-qtests/qtests/qtests/internal/bubble"

// What an open loop asks of its run.

// expectFirst draws the first arrivals of an open profile. arm lets a goroutine wait for one.
func (r *run) expectFirst(arm func(due)) {
	r.draw.Lock()
	defer r.draw.Unlock()
	r.mu.arrivals.arm = arm
	for range lookAhead {
		if a, ok := r.draw.next(false, r.fail, r.unrest); ok {
			r.mu.Lock()
			r.mu.arrivals.expect(a, bubble.Reserve(r.clk, a.At))
			r.mu.Unlock()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.arrivals.arrange()
}

func (r *run) unrest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.unrest()
}

// arrived counts the arrival d, which has come, and says whether its request may start.
func (r *run) arrived(u *User, d *due) (admitted bool) {
	if r.draw.foreign {
		return r.arrivedForeign(u, d)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	next, more := r.draw.source.Next()
	if !more {
		r.mu.drawn(r.draw.source.Err(), r.clk.Since(r.start))
	}
	if more && !r.mu.phase.Stopped() {
		now, place := d.place.Trade(r.start, next.At)
		r.mu.arrivals.expect(next, place)
		return r.mu.arrivals.serve(u, d, now)
	}
	return r.mu.arrivals.serve(u, d, d.place.Pass(r.start))
}

// arrivedForeign is arrived, where code of the user's draws the next arrival, without the lock.
func (r *run) arrivedForeign(u *User, d *due) (admitted bool) {
	now := d.place.Pass(r.start)
	r.draw.Lock()
	defer r.draw.Unlock()
	next, more := r.draw.next(d.rested, r.fail, r.unrest)
	r.mu.Lock()
	defer r.mu.Unlock()
	if more && !r.mu.phase.Stopped() {
		r.mu.arrivals.expect(next, bubble.Reserve(r.clk, next.At-now))
	}
	return r.mu.arrivals.serve(u, d, now)
}

// first sets d, for which a goroutine has waited, to the arrival to serve of those that are due.
func (r *run) first(d *due) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.arrivals.first(d)
}

// rest sets d to an arrival to wait for, for a goroutine whose request has ended, and reports whether there is one.
func (r *run) rest(d *due) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.arrivals.rest(d)
}
