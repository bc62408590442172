package fleet

import "time"

// cpu is a queue for processors, first come first served. Each has an instant from which on it is free, so that a
// request knows when it will be through as soon as it comes.
type cpu struct {
	free  []time.Time
	given time.Duration // processor time, in all
}

func newCPU(processors int) cpu { return cpu{free: make([]time.Time, processors)} }

// take returns when a request is through that comes now and needs d.
func (c *cpu) take(now time.Time, d time.Duration) time.Time {
	first := 0
	for i, t := range c.free {
		if t.Before(c.free[first]) {
			first = i
		}
	}
	begin := c.free[first]
	if begin.Before(now) {
		begin = now
	}
	c.free[first] = begin.Add(d)
	c.given += d
	return c.free[first]
}

// used is how much processor time has passed by now.
func (c *cpu) used(now time.Time) time.Duration {
	used := c.given
	for _, t := range c.free {
		if t.After(now) {
			used -= t.Sub(now)
		}
	}
	return used
}

// A place is that of a request that waits to be served. It is closed when the request may go on.
type place chan struct{}

// slots bounds how many requests are served at once. Who comes first is served first.
type slots struct {
	limit, queue int // limit 0: none
	busy         int
	waiting      []place
}

// enter returns nil, or the place to wait at; full says that there is none.
func (s *slots) enter() (wait place, full bool) {
	switch {
	case s.limit == 0 || s.busy < s.limit:
		s.busy++
		return nil, false
	case len(s.waiting) >= s.queue:
		return nil, true
	}
	wait = make(place)
	s.waiting = append(s.waiting, wait)
	return wait, false
}

// leave returns the place that is next, if one waits: its request has the slot now.
func (s *slots) leave() (next place) {
	if len(s.waiting) == 0 {
		s.busy--
		return nil
	}
	next = s.waiting[0]
	s.waiting = s.waiting[1:]
	return next
}

// quit takes a place out. It is false where the place has been given a slot already.
func (s *slots) quit(wait place) bool {
	for i, w := range s.waiting {
		if w == wait {
			s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
			return true
		}
	}
	return false
}
