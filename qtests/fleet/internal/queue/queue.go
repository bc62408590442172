// Package queue has the queues in front of what serves requests: processors, and a bounded number of slots. They are plain types
// without lock or clock.
package queue

import "time"

// A CPU is a queue for processors, first come first served. Each has an instant from which on it is free, so that a
// request knows when it will be through as soon as it comes.
type CPU struct {
	free  []time.Time
	given time.Duration // processor time, in all
}

// NewCPU returns one of so many processors.
func NewCPU(processors int) CPU { return CPU{free: make([]time.Time, processors)} }

// Take returns when a request is through that comes now and needs d.
func (c *CPU) Take(now time.Time, d time.Duration) time.Time {
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

// Used is how much processor time has passed by now.
func (c *CPU) Used(now time.Time) time.Duration {
	used := c.given
	for _, t := range c.free {
		if t.After(now) {
			used -= t.Sub(now)
		}
	}
	return used
}

// A Place is one in the queue: a request waits at it until it is closed.
type Place chan struct{}

// Slots bounds how many requests are served at once. Who comes first is served first.
type Slots struct {
	limit, queue int // limit 0: none
	busy         int
	waiting      []Place
}

// NewSlots returns limit slots, 0 for no limit, and a queue of so many places before them.
func NewSlots(limit, queue int) Slots { return Slots{limit: limit, queue: queue} }

// Enter returns nil, or the place to wait at; full says that there is none.
func (s *Slots) Enter() (wait Place, full bool) {
	switch {
	case s.limit == 0 || s.busy < s.limit:
		s.busy++
		return nil, false
	case len(s.waiting) >= s.queue:
		return nil, true
	}
	wait = make(Place)
	s.waiting = append(s.waiting, wait)
	return wait, false
}

// Leave returns the place that is next, if one waits: its request has the slot now.
func (s *Slots) Leave() (next Place) {
	if len(s.waiting) == 0 {
		s.busy--
		return nil
	}
	next = s.waiting[0]
	s.waiting = s.waiting[1:]
	return next
}

// Quit takes a place out. It is false where the place has been given a slot already.
func (s *Slots) Quit(wait Place) bool {
	for i, w := range s.waiting {
		if w == wait {
			s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
			return true
		}
	}
	return false
}
