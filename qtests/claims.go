package qtests

import (
	"container/heap"
	"slices"
)

// A claim is one pending wait: the raw instant at which the bubble fires it and
// the nominal instant that was asked for, in nanoseconds since 1970.
type claim struct{ raw, nominal int64 }

// claims is the set of raw instants that are taken, a plain structure without
// lock or clock. Its size is that of the pending waits, plus those abandoned
// without notice whose instant has not passed yet.
type claims struct {
	taken map[int64]slot
	// lapsing holds the instants that nobody will settle for sure (a stopped
	// timer is never seen), so that take can forget those that have passed.
	lapsing instants
	// stretch is the longest displacement of any claim so far.
	stretch int64
	// reserved marks the nanoseconds within a microsecond on which a ticker
	// ticks; free is how many are left.
	reserved [microsecond]bool
	free     int
}

const microsecond = 1000

// A slot is a taken instant. next is a hint, at or before the first free instant
// after it: a thousand waits for one instant would otherwise probe it a thousand
// times each.
type slot struct {
	nominal, next int64
	rest          bool // the wait of somebody who waits for the others
}

func newClaims() claims { return claims{taken: map[int64]slot{}, free: microsecond} }

// take claims the first free instant at or after nominal that is neither a whole
// number of microseconds away from now nor on a ticker's nanosecond. Code that
// calls package time directly almost always waits for whole microseconds: the
// rule keeps its timers, armed in the same event, apart from ours.
func (c *claims) take(now, nominal int64) (raw int64) {
	for len(c.lapsing) > 0 && c.lapsing[0] < now {
		c.settle(heap.Pop(&c.lapsing).(int64))
	}
	raw = c.allowed(now, max(nominal, now))
	head := raw // the first busy instant that was met
	for met := false; ; met = true {
		at := raw
		s, busy := c.taken[at]
		if !busy {
			// Free only because an earlier wait for this instant began a whole
			// number of microseconds before it: to take it now would be to
			// overtake.
			at = c.unreserved(raw + 1)
			if s, busy = c.taken[at]; !busy || s.nominal > nominal {
				break
			}
		}
		if !met {
			head = at
		}
		raw = c.allowed(now, s.next)
	}
	c.taken[raw] = slot{nominal: nominal, next: raw + 1}
	if s, ok := c.taken[head]; ok && head != raw {
		s.next = raw + 1
		c.taken[head] = s
	}
	c.stretch = max(c.stretch, raw-nominal)
	return raw
}

// allowed returns the first instant from raw on that take may choose.
func (c *claims) allowed(now, raw int64) int64 {
	for (raw-now)%microsecond == 0 || c.reserved[raw%microsecond] {
		raw++
	}
	return raw
}

// unreserved returns the first instant from raw on that is no ticker's.
func (c *claims) unreserved(raw int64) int64 {
	for c.reserved[raw%microsecond] {
		raw++
	}
	return raw
}

// reserve keeps claims off the instants of a ticker made now. Its period is
// assumed to be a whole number of microseconds. A few nanoseconds always stay
// free, or take would search for ever.
func (c *claims) reserve(now int64) {
	if r := now % microsecond; !c.reserved[r] && c.free > microsecond/2 {
		c.reserved[r] = true
		c.free--
	}
}

// lapse marks a claim as one that may never be settled.
func (c *claims) lapse(raw int64) {
	heap.Push(&c.lapsing, raw)
	// Cancelled waits give their instant back but stay in the heap until it has
	// passed; they may make up half of it.
	if len(c.lapsing) > 2*len(c.taken)+64 {
		c.lapsing = slices.DeleteFunc(c.lapsing, func(raw int64) bool {
			_, pending := c.taken[raw]
			return !pending
		})
		// An instant given back and taken again is in there twice. A sorted
		// slice is a heap.
		slices.Sort(c.lapsing)
		c.lapsing = slices.Compact(c.lapsing)
	}
}

// rest marks a claim as one that displacedAfter passes over: two who wait for
// each other's last event would wait for ever.
func (c *claims) rest(raw int64) {
	s := c.taken[raw]
	s.rest = true
	c.taken[raw] = s
}

// settle removes a claim.
func (c *claims) settle(raw int64) { delete(c.taken, raw) }

// nominal returns what the claim at raw asked for.
func (c *claims) nominal(raw int64) (nominal int64, ok bool) {
	s, ok := c.taken[raw]
	return s.nominal, ok
}

// displacedAfter reports whether an instant after now is claimed for a nominal
// instant at or before nominal.
func (c *claims) displacedAfter(now, nominal int64) bool {
	for raw := now + 1; raw <= nominal+c.stretch; raw++ {
		if s, ok := c.taken[raw]; ok && s.nominal <= nominal && !s.rest {
			return true
		}
	}
	return false
}

// instants is a min-heap.
type instants []int64

func (h instants) Len() int           { return len(h) }
func (h instants) Less(i, j int) bool { return h[i] < h[j] }
func (h instants) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *instants) Push(x any)        { *h = append(*h, x.(int64)) }
func (h *instants) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
