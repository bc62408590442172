package bubble

import "slices"

// A claim is one pending wait: the raw instant at which the bubble fires it and
// the nominal instant that was asked for, in nanoseconds since 1970.
type claim struct{ raw, nominal int64 }

// claims is the set of raw instants that are taken, a plain structure without
// lock or clock. Its size is the number of the pending waits, and of the waits
// abandoned without notice whose instant has not passed yet.
type claims struct {
	taken slots
	// lapsing holds the instants that nobody will settle for sure (a stopped
	// timer is never seen), so that take can forget those that have passed.
	lapsing instants
	// stretch is the longest displacement of any claim so far.
	stretch int64
	// reserved marks the nanoseconds within a microsecond on which a ticker
	// ticks; free is how many are left.
	reserved nanoseconds
	free     int
}

const microsecond = 1000

// nanoseconds is a set of the nanoseconds within a microsecond.
type nanoseconds [(microsecond + 63) / 64]uint64

func (n *nanoseconds) has(raw int64) bool {
	r := uint64(raw % microsecond)
	return n[r/64]>>(r%64)&1 != 0
}

func (n *nanoseconds) add(raw int64) {
	r := uint64(raw % microsecond)
	n[r/64] |= 1 << (r % 64)
}

func newClaims() claims { return claims{free: microsecond} }

// take claims the first free instant at or after nominal that is neither a whole
// number of microseconds away from now nor on a ticker's nanosecond. Code that
// calls package time directly almost always waits for whole microseconds: the
// rule keeps its timers, armed in the same event, apart from ours.
func (c *claims) take(now, nominal int64) (raw int64) {
	for len(c.lapsing) > 0 && c.lapsing[0] < now {
		c.settle(c.lapsing.pop())
	}
	raw = c.allowed(now, max(nominal, now))
	// Every slot on the way learns how far this search came, for the next one. If each only learnt to skip the slot after
	// it, a million waits that search one after the other, each from its own place, took 39 steps each. They take 4.
	var met [16]*slot
	n := 0
	for {
		s := c.taken.find(raw)
		if s == nil {
			// Free only because an earlier wait for this instant began a whole
			// number of microseconds before it? To take it now would be to
			// overtake.
			s = c.taken.find(c.unreserved(raw + 1))
			if s == nil || s.nominal > nominal {
				break
			}
		}
		if n == len(met) {
			for _, m := range met {
				m.next = s.next
			}
			n = 0
		}
		met[n] = s
		n++
		raw = c.allowed(now, s.next)
	}
	for _, m := range met[:n] {
		m.next = raw + 1
	}
	c.put(raw, nominal)
	return raw
}

// allowed returns the first instant from raw on that take may choose.
func (c *claims) allowed(now, raw int64) int64 {
	for (raw-now)%microsecond == 0 || c.reserved.has(raw) {
		raw++
	}
	return raw
}

// unreserved returns the first instant from raw on that is no ticker's.
func (c *claims) unreserved(raw int64) int64 {
	for c.reserved.has(raw) {
		raw++
	}
	return raw
}

// reserve keeps claims off the instants of a ticker made now. Its period is
// assumed to be a whole number of microseconds. A few nanoseconds always stay
// free, or take would search for ever.
func (c *claims) reserve(now int64) {
	if !c.reserved.has(now) && c.free > microsecond/2 {
		c.reserved.add(now)
		c.free--
	}
}

// lapse marks a claim as one that may never be settled.
func (c *claims) lapse(raw int64) {
	c.lapsing.push(raw)
	// Cancelled waits give their instant back but stay in the heap until it has
	// passed; they may make up half of it.
	if len(c.lapsing) > 2*c.taken.n+64 {
		c.lapsing = slices.DeleteFunc(c.lapsing, func(raw int64) bool {
			return c.taken.find(raw) == nil
		})
		// An instant given back and taken again is in there twice. A sorted
		// slice is a heap.
		slices.Sort(c.lapsing)
		c.lapsing = slices.Compact(c.lapsing)
	}
}

// settle removes a claim.
func (c *claims) settle(raw int64) { c.taken.remove(raw) }

// nominal returns what the claim at raw asked for.
func (c *claims) nominal(raw int64) (nominal int64, ok bool) {
	if s := c.taken.find(raw); s != nil {
		return s.nominal, true
	}
	return 0, false
}

// end returns the raw instant at which the nominal one is over: when the last
// event that was displaced from it has fired, and nothing can come any more that
// counts from an event displaced by up to reach. It does not pass over an event
// of a later nominal instant for the sake of the latter, and it is at least now.
func (c *claims) end(now, nominal, reach int64) int64 {
	end := now
	c.between(now, nominal+c.stretch, func(s *slot) {
		if s.nominal <= nominal {
			end = max(end, s.raw)
		}
	})
	last := max(end, nominal+reach)
	c.between(end, last, func(s *slot) { last = min(last, s.raw-1) })
	return last
}

// between calls f with the slots whose instants are after begin and at or before end, in
// no order.
func (c *claims) between(begin, end int64, f func(*slot)) {
	if end-begin > int64(len(c.taken.table)) {
		for i := range c.taken.table {
			if s := &c.taken.table[i]; s.raw > begin && s.raw <= end {
				f(s)
			}
		}
		return
	}
	for raw := begin + 1; raw <= end; raw++ {
		if s := c.taken.find(raw); s != nil {
			f(s)
		}
	}
}

// takeAny claims the first free instant at or after nominal, and after now,
// whatever may tie with it there: it is for those who wait for everything of the
// instant anyway.
func (c *claims) takeAny(now, nominal int64) (raw int64) {
	for raw = max(nominal, now+1); c.taken.find(raw) != nil; {
		raw++
	}
	c.put(raw, nominal)
	return raw
}

// takeOwn claims an instant shortly after now whose nanosecond, modulo a
// microsecond, nothing else uses or will use. It fails when there is none.
func (c *claims) takeOwn(now, nominal int64) (raw int64, ok bool) {
	if c.free <= microsecond/2 {
		return 0, false
	}
	used := c.reserved
	for i := range c.taken.table {
		if s := &c.taken.table[i]; s.raw != 0 {
			used.add(s.raw)
		}
	}
	for raw = max(nominal, now) + 1; used.has(raw); raw++ {
		if raw > now+microsecond {
			return 0, false
		}
	}
	c.reserve(raw)
	c.put(raw, nominal)
	return raw, true
}

func (c *claims) put(raw, nominal int64) {
	c.taken.put(slot{raw: raw, nominal: nominal, next: raw + 1})
	c.stretch = max(c.stretch, raw-nominal)
}

// instants is a binary min-heap. The one of container/heap allocates for every
// element, which was a third of what an AfterFunc cost.
type instants []int64

func (h *instants) push(x int64) {
	*h = append(*h, x)
	for i := len(*h) - 1; i > 0; {
		parent := (i - 1) / 2
		if (*h)[parent] <= (*h)[i] {
			return
		}
		(*h)[parent], (*h)[i] = (*h)[i], (*h)[parent]
		i = parent
	}
}

// pop removes the smallest.
func (h *instants) pop() int64 {
	old := *h
	smallest, last := old[0], len(old)-1
	old[0] = old[last]
	*h = old[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return smallest
		}
		if right := child + 1; right < last && old[right] < old[child] {
			child = right
		}
		if old[i] <= old[child] {
			return smallest
		}
		old[i], old[child] = old[child], old[i]
		i = child
	}
}
