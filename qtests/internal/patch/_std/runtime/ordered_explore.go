package runtime

import "unsafe"

// An orderedPlan says how the choices of a bubble are explored, and keeps what came of
// it. It is memory that the library gives: the layout is known on both sides. A bubble
// without one knows no points, and nothing of this file costs it anything.
//
// A choice has a name that does not depend on the other choices: the goroutine that made
// it, and how many it had made before. What a plan without a strategy would do is the
// base: a goroutine goes on at its points, the turn goes to the one that has waited
// longest, a select looks at its cases in their order, timers of one instant fire as they
// were set. A choice that differs from the base is recorded, and a plan may consist of
// such choices.
type orderedPlan struct {
	strategy uint64
	seed     uint64
	changes  [planChanges]uint64 // steps at which PCT takes its priority from a goroutine

	chosen     unsafe.Pointer // *[room]planChoice
	room       uint64
	replay     unsafe.Pointer // *[replayMask+1]planChoice, hashed by goroutine and n
	replayMask uint64
	log        unsafe.Pointer // *[logRoom]planStep
	logRoom    uint64
	dump       uint64 // file to which a process that dies writes all this, 0 for none

	// What came of it.
	points     uint64 // all of them
	steps      uint64 // points and passes at which there was a choice
	goroutines uint64 // that took part
	chosenN    uint64 // more than room where they did not fit
	applied    uint64 // of the choices in replay, how many could be made
	logN       uint64 // more than logRoom where they did not fit

	wanted guintptr // decided at a point: who is next
	streak uint64   // points since the turn was given last
	low    uint64   // priority of the next goroutine that yields
	ended  planName // the holder that has ended, when the turn is passed on

	maps   [planMaps]planMapUse // goroutines that are held at a use of a map
	states [planStates]planState
}

// A planName is the goroutine's identity and the number of the choice.
type planName struct{ id, n uint64 }

type planChoice struct {
	planName
	kind   uint64
	target uint64 // the goroutine that gets the turn
}

const (
	planTurn   = iota // the turn goes to another goroutine
	planSelect        // a select looks at its cases in an order that is drawn
	planTimer         // a timer gets a place among those of its instant that is drawn
)

const (
	planFIFO = iota
	planRandom
	planPCT
	planPOS
	planReplay
)

const (
	planChanges = 8
	planMaps    = 8
	planStates  = 1 << 10
	planScan    = 128  // of the queue, how many may be chosen
	planStreak  = 4096 // so many points of one goroutine in a row are a loop
)

// A planState belongs to a goroutine, at the index of its turnState. Where there are more
// goroutines than places, some lose theirs, and their counts begin anew.
type planState struct {
	id      uint64
	prio    uint64
	n       uint64 // choices so far
	addr    uint64 // what it is about to use, at a point; 0 otherwise
	write   bool
	shuffle bool // of the select that it has begun
	redrawn uint32
}

// A planMapUse is a use of a map before which a goroutine lost the turn.
type planMapUse struct {
	id, addr uint64
	write    bool
}

// The kind of a point is in the low bits of its site. Those of maps come first.
const (
	pointMapRead = iota
	pointMapWrite
	pointRead
	pointWrite
	pointKindMask  = 1<<6 - 1
	pointSizeShift = 6 // then the size of the value, 0 to 8, in 4 bits
	pointSizeMask  = 1<<4 - 1
	pointReads     = 1 << 10 // two of this kind may change places
)

func (p *orderedPlan) state(t *turn, gp *g) *planState {
	i := gp.orderedIndex()
	id := t.states.of(gp).id
	s := &p.states[i%planStates]
	if s.id != id {
		*s = planState{id: id, prio: p.draw(id, 0) | 1<<63}
		p.goroutines++
	}
	return s
}

// draw is a number of the plan's own, which no choice before it changes.
func (p *orderedPlan) draw(id, n uint64) uint64 {
	return orderedHash(id^p.seed, n, choices, 1)
}

// orderedPoint is called by user code that was prepared for it, before it uses something
// that goroutines may share.
//
//go:linkname orderedPoint
func orderedPoint(site uint32, addr, value unsafe.Pointer) {
	gp := getg()
	b := gp.bubble
	if b == nil || b.turn == nil || b.plan == nil || b.turn.holder.ptr() != gp {
		return
	}
	t := b.turn
	if f := b.check; f != nil {
		b.check = nil
		f()
		b.check = f
	}
	p := b.plan
	lock(&t.bubble.mu)
	p.points++
	s := p.state(t, gp)
	s.n++
	next := -1
	if n := min(t.queue.size, planScan); n > 0 {
		p.steps++
		p.streak++
		s.addr, s.write = uint64(uintptr(addr)), site&pointReads == 0
		next = p.choose(t, planName{s.id, s.n}, n, s)
	}
	if next < 0 {
		unlock(&t.bubble.mu)
	} else {
		p.wanted.set(t.queue.at(uint32(next)).ptr())
		use := p.hold(s.id, site, s.addr)
		p.note(t, stepHeld, gp, site, s.addr, 0)
		unlock(&t.bubble.mu)
		Gosched()
		lock(&t.bubble.mu)
		if use != nil {
			use.id = 0
		}
		s = p.state(t, gp)
		unlock(&t.bubble.mu)
	}
	s.addr = 0
	if site&pointKindMask <= pointMapWrite {
		p.checkMap(s.id, uint64(uintptr(addr)), site&pointKindMask == pointMapWrite)
	}
	if p.logRoom > 0 {
		lock(&t.bubble.mu)
		p.note(t, stepPoint, gp, site, uint64(uintptr(addr)), pointValue(site, value))
		unlock(&t.bubble.mu)
	}
}

// pointValue reads the value of a point, of at most 8 bytes.
func pointValue(site uint32, value unsafe.Pointer) uint64 {
	if value == nil {
		return 0
	}
	switch site >> pointSizeShift & pointSizeMask {
	case 1:
		return uint64(*(*uint8)(value))
	case 2:
		return uint64(*(*uint16)(value))
	case 4:
		return uint64(*(*uint32)(value))
	case 8:
		return *(*uint64)(value)
	}
	return 0
}

// hold notes that a goroutine loses the turn before it uses a map.
func (p *orderedPlan) hold(id uint64, site uint32, addr uint64) *planMapUse {
	if site&pointKindMask > pointMapWrite {
		return nil
	}
	for i := range p.maps {
		if u := &p.maps[i]; u.id == 0 {
			*u = planMapUse{id, addr, site&pointKindMask == pointMapWrite}
			return u
		}
	}
	return nil
}

// checkMap ends the process, as Go does, when another goroutine is at a use of the same
// map, and one of both writes: they could use it at once.
func (p *orderedPlan) checkMap(id, addr uint64, write bool) {
	for i := range p.maps {
		u := &p.maps[i]
		if u.id == 0 || u.id == id || u.addr != addr || !u.write && !write {
			continue
		}
		if u.write && write {
			fatal("concurrent map writes")
		}
		fatal("concurrent map read and map write")
	}
}

// pass chooses the goroutine that gets the turn from its holder, and puts it first in
// the queue.
func (p *orderedPlan) pass(t *turn) {
	if want := p.wanted.ptr(); want != nil {
		p.wanted = 0
		for i := range min(t.queue.size, planScan) {
			if t.queue.at(i).ptr() == want {
				t.queue.bring(i)
				break
			}
		}
		p.streak = 0
		return
	}
	from := t.holder.ptr()
	name := p.ended
	p.ended = planName{}
	if name.id == 0 {
		s := p.state(t, from)
		s.n++
		name = planName{s.id, s.n}
		switch {
		case t.queue.size > 0 && t.queue.at(t.queue.size-1).ptr() == from: // it yields
			p.low--
			if p.strategy == planPCT {
				s.prio = 1<<32 + p.low
			}
		case p.strategy == planPOS:
			s.prio = p.draw(s.id, s.n)
		}
	}
	p.streak = 0
	if t.queue.size < 2 {
		return
	}
	p.steps++
	if k := p.choose(t, name, min(t.queue.size, planScan), nil); k > 0 {
		first := t.states.of(t.queue.at(0).ptr()).id
		t.queue.bring(uint32(k))
		p.noteOf(t, stepAhead, t.queue.at(0).ptr(), first, 0, 0, 0)
	}
}

// choose returns the place in the queue of the goroutine that goes on, of the first n,
// or -1 for self, which is at a point.
func (p *orderedPlan) choose(t *turn, name planName, n uint32, self *planState) int {
	base := 0
	if self != nil {
		base = -1
		if p.streak > planStreak {
			return 0 // a loop that waits for another goroutine
		}
	}
	k := base
	switch p.strategy {
	case planRandom:
		r := p.draw(name.id, name.n)
		k = int(r>>33%uint64(int(n)-base)) + base
	case planPCT:
		if self != nil {
			for i, at := range p.changes {
				if at == p.steps {
					self.prio = uint64(i) + 1
				}
			}
		}
		k = p.highest(t, n, self)
	case planPOS:
		if self != nil {
			self.prio = p.draw(name.id, name.n)
		}
		k = p.highest(t, n, self)
		p.redraw(t, n, self, k)
	case planReplay:
		if c := p.replayed(name); c != nil && c.kind == planTurn {
			if self != nil {
				k = 0 // it is held: any other goroutine goes on
			}
			for i := range n {
				if t.states.of(t.queue.at(i).ptr()).id == c.target {
					k = int(i)
					p.applied++
					break
				}
			}
		}
	}
	if k != base {
		p.record(planChoice{name, planTurn, t.states.of(t.queue.at(uint32(k)).ptr()).id})
	}
	return k
}

// highest returns the place of the goroutine with the highest priority.
func (p *orderedPlan) highest(t *turn, n uint32, self *planState) int {
	k, most := -1, uint64(0)
	if self != nil {
		most = self.prio
	}
	for i := range n {
		if prio := p.state(t, t.queue.at(i).ptr()).prio; prio > most || k < 0 && self == nil {
			k, most = int(i), prio
		}
	}
	return k
}

// redraw gives a new priority to the goroutines that are about to use what the chosen
// one uses: that is the partial order of POS.
func (p *orderedPlan) redraw(t *turn, n uint32, self *planState, k int) {
	c := self
	if k >= 0 {
		c = p.state(t, t.queue.at(uint32(k)).ptr())
	}
	if c.addr == 0 {
		return
	}
	if s := self; s != nil && s != c && s.addr == c.addr && (s.write || c.write) {
		s.redrawn++
		s.prio = p.draw(s.id, s.n<<32+uint64(s.redrawn))
	}
	for i := range n {
		if s := p.state(t, t.queue.at(i).ptr()); s != c && s.addr == c.addr && (s.write || c.write) {
			s.redrawn++
			s.prio = p.draw(s.id, s.n<<32+uint64(s.redrawn))
		}
	}
}

// shuffles reports whether the select that the caller begins, or has begun, looks at its
// cases in an order that is drawn, and returns the number for the case n.
func (p *orderedPlan) shuffles(t *turn, gp *g, n uint32) (uint64, bool) {
	lock(&t.bubble.mu)
	s := p.state(t, gp)
	if n == 1 {
		s.n++
		s.shuffle = true
		if p.strategy == planReplay {
			c := p.replayed(planName{s.id, s.n})
			s.shuffle = c != nil && c.kind == planSelect
			if s.shuffle {
				p.applied++
			}
		}
	}
	if n == 2 && s.shuffle {
		p.record(planChoice{planName{s.id, s.n}, planSelect, 0})
	}
	unlock(&t.bubble.mu)
	return orderedHash(s.id^p.seed, s.n, chooseSelect, n), s.shuffle
}

// timer returns a place for a timer that is set, and whether it is drawn.
func (p *orderedPlan) timer(t *turn, gp *g) (place uint32, drawn bool) {
	s := p.state(t, gp)
	s.n++
	drawn = p.strategy != planFIFO
	if p.strategy == planReplay {
		c := p.replayed(planName{s.id, s.n})
		drawn = c != nil && c.kind == planTimer
		if drawn {
			p.applied++
		}
	}
	if drawn {
		p.record(planChoice{planName{s.id, s.n}, planTimer, 0})
		place = uint32(orderedHash(s.id^p.seed, s.n, chooseTimer, 1)) | 1
	}
	return place, drawn
}

func (p *orderedPlan) record(c planChoice) {
	if p.chosenN < p.room {
		*(*planChoice)(add(p.chosen, uintptr(p.chosenN)*unsafe.Sizeof(c))) = c
	}
	p.chosenN++
}

func (p *orderedPlan) replayed(name planName) *planChoice {
	if p.replay == nil {
		return nil
	}
	for i := planHash(name); ; i++ {
		c := (*planChoice)(add(p.replay, uintptr(i&p.replayMask)*unsafe.Sizeof(planChoice{})))
		if c.id == 0 {
			return nil
		}
		if c.planName == name {
			return c
		}
	}
}

func planHash(name planName) uint64 {
	x := (name.id ^ name.n) * 0x9e3779b97f4a7c15
	return x ^ x>>32
}

// bring moves the goroutine at i to the front; the order of the others stays.
func (q *turnQueue) bring(i uint32) {
	gp := *q.at(i)
	for ; i > 0; i-- {
		*q.at(i) = *q.at(i - 1)
	}
	*q.at(0) = gp
}

// orderedExplore gives the caller's bubble, which is ordered, a plan.
func orderedExplore(plan unsafe.Pointer) bool {
	b := getg().bubble
	if b == nil || b.turn == nil {
		return false
	}
	b.plan = (*orderedPlan)(plan)
	return true
}

// orderedCheck has f called at every point of the caller's bubble, on the goroutine that is
// there.
func orderedCheck(f func()) {
	if b := getg().bubble; b != nil && b.turn != nil {
		b.check = f
	}
}
