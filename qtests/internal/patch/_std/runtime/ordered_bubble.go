package runtime

import "unsafe"

// orderedLive lists the bubbles that have begun and not ended, whether ordered or not.
var orderedLive struct {
	lock  mutex
	head  *synctestBubble
	armed turnList // those of bubbles that have not begun
	free  turnList
}

// A turnList is a list of turns that no bubble has.
type turnList struct{ first *turn }

func (l *turnList) put(t *turn) { t.behind, l.first = l.first, t }

// take returns a turn that this goroutine has armed, or nil. 0 arms the free ones.
func (l *turnList) take(opener uint64) *turn {
	for p := &l.first; *p != nil; p = &(*p).behind {
		if t := *p; t.opener == opener {
			*p, t.behind, t.opener = t.behind, nil, 0
			return t
		}
	}
	return nil
}

// orderedOn is set in a test binary that has the library in it. Everything here does
// nothing in any other program, so that a product keeps Go's own randomness.
var orderedOn bool

// orderedLibrary is 1 where the library is linked: it defines the same symbol with data.
//
//go:linkname orderedLibrary
var orderedLibrary uint64

// orderedTestBinary is testing.testBinary, which is "1" in a binary that go test built,
// and empty where package testing is not linked.
//
//go:linkname orderedTestBinary testing.testBinary
var orderedTestBinary string

// orderedHashKey replaces the random key of the hash functions, so that maps have one
// order in every process. It is called before anything else runs.
//
//go:linkname orderedHashKey
func orderedHashKey() uint64 {
	if orderedLibrary != 1 || orderedTestBinary != "1" {
		return bootstrapRand()
	}
	orderedOn = true
	return orderedMix(&orderedKeys)
}

var orderedKeys uint64

// orderedHooks is what the library calls. It declares a variable of the same symbol
// without data, which is nil where the runtime is not this one.
//
//go:linkname orderedHooks
var orderedHooks = &orderedTable

var orderedTable = orderedHookTable{
	version: 4,
	arm:     orderedArm,
	report:  orderedReport,
	test:    orderedIsTest,
	all:     orderedAllBubbles,
	place:   orderedPlace,
	use:     orderedUsePlace,
	alone:   orderedAlone,
	wall:    orderedWall,
	here:    orderedHere,
	now:     orderedNow,
	explore: orderedExplore,
	check:   orderedCheck,
	quiet:   orderedQuiet,
}

type orderedHookTable struct {
	version uint64
	arm     func(seed uint64, random bool, events unsafe.Pointer) int
	report  func(out *[16 + orderedDepth]uint64) bool
	test    func() bool
	all     func(on bool)
	place   func() uint32
	use     func(place uint32)
	alone   func()
	wall    func() int64
	here    func() unsafe.Pointer
	now     func(bubble unsafe.Pointer) int64
	explore func(plan unsafe.Pointer) bool
	check   func(f func())
	quiet   func(on bool)
}

func orderedIsTest() bool { return orderedOn }

// orderedArm orders the bubble that the caller opens next. It returns 0, or why not: 1 in
// a bubble, 2 not in a test. events may be nil.
func orderedArm(seed uint64, random bool, events unsafe.Pointer) int {
	gp := getg()
	switch {
	case !orderedOn:
		return 2
	case gp.bubble != nil:
		return 1
	}
	orderedArmNext(gp, seed, random, (*orderedEvents)(events))
	return 0
}

func orderedArmNext(gp *g, seed uint64, random bool, events *orderedEvents) {
	lock(&orderedLive.lock)
	t := orderedLive.armed.take(gp.goid)
	if t == nil {
		t = orderedLive.free.take(0)
	}
	unlock(&orderedLive.lock)
	if t == nil {
		// Outside the heap, where the collector is not in the way of the scheduler.
		t = (*turn)(persistentalloc(unsafe.Sizeof(turn{}), 0, &memstats.other_sys))
	}
	t.random, t.events, t.opener = random, events, gp.goid
	t.states.begin(seed)
	lock(&orderedLive.lock)
	orderedLive.armed.put(t)
	unlock(&orderedLive.lock)
}

// orderedAll makes every bubble ordered from its beginning, for the tests of Go itself.
var orderedAll bool

func orderedAllBubbles(on bool) { orderedAll = on }

// orderedFreeTag returns a tag that no live bubble has, unless there are too many. The
// caller has locked the list.
func orderedFreeTag() int32 {
	used := uint32(0)
	for b := orderedLive.head; b != nil; b = b.nextLive {
		if b.turn != nil {
			used |= 1 << (b.turn.tag >> orderedTagShift)
		}
	}
	for i := int32(1); i < orderedTags; i++ {
		if used&(1<<i) == 0 {
			return i << orderedTagShift
		}
	}
	return orderedTags << orderedTagShift
}

// orderedReport copies the record of the caller's bubble.
func orderedReport(out *[16 + orderedDepth]uint64) bool {
	b := getg().bubble
	if b == nil || b.turn == nil {
		return false
	}
	t := b.turn
	lock(&t.bubble.mu)
	r := &t.record
	out[0], out[1], out[2], out[3], out[4] = r.turns, r.hash, r.disturbed, r.firstKind, r.firstN
	for i := range r.kinds {
		out[5+i] = r.kinds[i]
	}
	for i := range r.firstPCs {
		out[16+i] = uint64(r.firstPCs[i])
	}
	unlock(&t.bubble.mu)
	return true
}

// orderedPlace takes a place among the timers of one instant, and orderedUsePlace gives
// it to the timer that the caller sets next.
func orderedPlace() uint32 {
	orderedAlone()
	return orderedTimerRand()
}

// orderedAlone makes the timer that the caller sets next fire alone.
func orderedAlone() {
	if b := getg().bubble; b != nil && b.turn != nil {
		b.turn.alone = true
	}
}

func orderedUsePlace(place uint32) {
	if b := getg().bubble; b != nil && b.turn != nil {
		b.turn.place = place
	}
}

// orderedWall is the real time, in nanoseconds since 1970. To ask a goroutine outside for
// it would be a disturbance.
func orderedWall() int64 {
	sec, nsec, _ := time_now()
	return sec*1e9 + int64(nsec)
}

// orderedHere returns the bubble of the caller, and orderedNow its time, for callers outside.
func orderedHere() unsafe.Pointer { return unsafe.Pointer(getg().bubble) }

func orderedNow(bubble unsafe.Pointer) int64 {
	b := (*synctestBubble)(bubble)
	lock(&b.mu)
	now := b.now
	unlock(&b.mu)
	return now
}

// orderedBegin and orderedOver mark the life of a bubble, for its root.
func orderedBegin(b *synctestBubble) {
	if orderedAll {
		orderedArmNext(b.root, b.id, true, nil)
	}
	lock(&orderedLive.lock)
	t := orderedLive.armed.take(b.root.goid)
	if t != nil {
		t.bubble, t.tag = b, orderedFreeTag()
		b.turn, b.events, t.events = t, t.events, nil
	}
	b.nextLive = orderedLive.head
	if b.nextLive != nil {
		b.nextLive.prevLive = b
	}
	orderedLive.head = b
	unlock(&orderedLive.lock)
	if t != nil {
		lock(&b.mu)
		t.give(b.root)
		unlock(&b.mu)
	}
}

func orderedOver(b *synctestBubble) {
	t := b.turn
	lock(&orderedLive.lock)
	if b.prevLive != nil {
		b.prevLive.nextLive = b.nextLive
	} else {
		orderedLive.head = b.nextLive
	}
	if b.nextLive != nil {
		b.nextLive.prevLive = b.prevLive
	}
	b.nextLive, b.prevLive = nil, nil
	b.pools = nil
	if t != nil && b.total <= 1 { // nobody is left who could look at it
		b.turn, t.turnNow = nil, turnNow{}
		t.queue.over()
		t.states.over()
		orderedLive.free.put(t)
	}
	unlock(&orderedLive.lock)
}

// orderedFind returns the live bubble for which f is true, or nil.
func orderedFind(f func(b *synctestBubble) bool) *synctestBubble {
	lock(&orderedLive.lock)
	b := orderedLive.head
	for b != nil && !f(b) {
		b = b.nextLive
	}
	unlock(&orderedLive.lock)
	return b
}

// orderedIsLive reports whether the bubble with this id has not ended.
func orderedIsLive(id uint64) bool {
	return orderedFind(func(b *synctestBubble) bool { return b.id == id }) != nil
}

// orderedAdopt reports whether c, a channel of another bubble than the caller's, may be
// used all the same: by an ordered bubble when its own has ended, which then owns it; and
// by a finalizer or a cleanup, which run outside. A package that makes a channel once and
// keeps it for ever would end the process otherwise.
func orderedAdopt(c *hchan) bool {
	if !orderedOn {
		return false
	}
	// A channel without pointers in it does not keep its bubble alive: c.bubble may be of
	// one that is gone, and must not be looked into then.
	gp, owner := getg(), uintptr(unsafe.Pointer(c.bubble))
	live := orderedFind(func(b *synctestBubble) bool { return uintptr(unsafe.Pointer(b)) == owner })
	if b := gp.bubble; b != nil {
		if b.turn == nil || live != nil {
			return false
		}
		if c.timer != nil {
			orderedRescue(c.timer)
		}
		orderedSetBubble(c, b)
		return true
	}
	if gp != fing && !gp.runningCleanups.Load() {
		return false
	}
	if live == nil {
		orderedSetBubble(c, nil)
		return true
	}
	if t := live.turn; t != nil {
		lock(&t.bubble.mu)
		t.record.count(disturbedObject)
		t.record.place(disturbedObject)
		unlock(&t.bubble.mu)
		return true
	}
	return false
}

// orderedSetBubble sets c.bubble without a write barrier, which would look at the old
// value, a bubble that may be gone.
func orderedSetBubble(c *hchan, b *synctestBubble) {
	*(*uintptr)(unsafe.Pointer(&c.bubble)) = uintptr(unsafe.Pointer(b))
}

// orderedRescue takes t, a timer that an ordered bubble is about to use, out of the heap
// of a bubble that has ended, where it would never fire.
func orderedRescue(t *timer) {
	b := getg().bubble
	if b == nil || b.turn == nil {
		return
	}
	t.lock()
	if t.state&timerHeaped != 0 && t.ts != &b.timers && !orderedOwns(t.ts) {
		t.state &^= timerHeaped | timerModified | timerZombie
		t.ts = nil
		t.when = 0
	}
	t.unlock()
}

// orderedOwns reports whether ts is the heap of a live bubble.
func orderedOwns(ts *timers) bool {
	return orderedFind(func(b *synctestBubble) bool { return &b.timers == ts }) != nil
}

// orderedPools is where package sync keeps the pools of the caller's bubble, or nil.
//
//go:linkname orderedPools sync.runtime_orderedPools
func orderedPools() *unsafe.Pointer {
	if b := getg().bubble; b != nil && b.turn != nil {
		return &b.pools
	}
	return nil
}
