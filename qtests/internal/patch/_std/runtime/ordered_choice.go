package runtime

import "unsafe"

// What the program chooses at random is drawn from a stream of the goroutine that
// chooses: a number is a function of the seed, the identity of the goroutine, the
// bubble's time, the kind of choice, and how many of that kind this goroutine has drawn
// at this instant. So what one goroutine draws does not depend on what others do, and
// what is initialised once per process, in the first bubble that needs it, shifts
// nothing that happens at a later instant.
type turnState struct {
	id    uint64 // identity: the parent's, and which of its children this is
	at    int64  // instant of the counts
	drawn [choices]uint32
	next  uint32 // index of the next free state
}

const (
	chooseUser   = iota // math/rand and math/rand/v2 at top level
	chooseRand          // the rest of runtime.rand: hash seeds above all
	chooseMap           // where a range over a map begins
	chooseSelect        // which ready case
	chooseCrypto        // crypto/rand
	chooseChild         // a goroutine that is started
	chooseTurn          // of the bubble: who gets the turn
	chooseTimer         // of the bubble: which timer of one instant
	choices
)

// turnStates are the states of the goroutines of a bubble, at g.ordered. State 0 is that
// of the bubble itself, for timers that start goroutines.
type turnStates struct {
	used   uint32
	free   uint32 // first free state, 0 if none
	chunks [turnChunks]uintptr
	first  [turnChunkFirst]turnState
}

const (
	turnChunkFirst = 16
	turnChunks     = 21 // 16 · (2²⁰ − 1) goroutines at once, within the 24 bits of g.ordered
)

func (s *turnStates) at(i uint32) *turnState {
	if i < turnChunkFirst {
		return &s.first[i]
	}
	k, start, size := uint32(1), uint32(turnChunkFirst), uint32(turnChunkFirst)
	for i-start >= size {
		start += size
		size *= 2
		k++
	}
	if k >= turnChunks {
		throw("ordered runtime: too many goroutines in a bubble")
	}
	if s.chunks[k] == 0 {
		s.chunks[k] = uintptr(sysAlloc(uintptr(size)*unsafe.Sizeof(turnState{}), &memstats.other_sys, "ordered states"))
		if s.chunks[k] == 0 {
			throw("ordered runtime: out of memory")
		}
	}
	return (*turnState)(unsafe.Pointer(s.chunks[k] + uintptr(i-start)*unsafe.Sizeof(turnState{})))
}

// find is at for a state that exists. It splits no stack, for runtime.rand.
//
//go:nosplit
func (s *turnStates) find(i uint32) *turnState {
	if i < turnChunkFirst {
		return (*turnState)(unsafe.Pointer(uintptr(unsafe.Pointer(&s.first)) + uintptr(i)*unsafe.Sizeof(turnState{})))
	}
	k, start, size := uint32(1), uint32(turnChunkFirst), uint32(turnChunkFirst)
	for i-start >= size {
		start += size
		size *= 2
		k++
	}
	chunk := *(*uintptr)(unsafe.Pointer(uintptr(unsafe.Pointer(&s.chunks)) + uintptr(k)*unsafe.Sizeof(uintptr(0))))
	return (*turnState)(unsafe.Pointer(chunk + uintptr(i-start)*unsafe.Sizeof(turnState{})))
}

//go:nosplit
func (s *turnStates) of(gp *g) *turnState {
	return s.find(uint32(gp.ordered[0]) | uint32(gp.ordered[1])<<8 | uint32(gp.ordered[2])<<16)
}

func (s *turnStates) born(b *synctestBubble, newg, parent *g) {
	t := b.turn
	lock(&t.mu)
	p := s.of(parent)
	id := orderedHash(p.id, uint64(b.now), chooseChild, p.draw(b.now, chooseChild))
	i := s.free
	if i != 0 {
		s.free = s.at(i).next
	} else {
		s.used++
		i = s.used
	}
	*s.at(i) = turnState{id: id}
	newg.ordered = [3]uint8{uint8(i), uint8(i >> 8), uint8(i >> 16)}
	if t.plan != nil {
		t.plan.noteOf(t, stepStarts, parent, id, 0, uint64(newg.startpc), 0, false)
	}
	unlock(&t.mu)
}

func (s *turnStates) end(gp *g) {
	i := uint32(gp.ordered[0]) | uint32(gp.ordered[1])<<8 | uint32(gp.ordered[2])<<16
	if i != 0 {
		s.at(i).next, s.free = s.free, i
	}
	gp.ordered = [3]uint8{}
}

func (s *turnStates) release() {
	size := uintptr(turnChunkFirst) * unsafe.Sizeof(turnState{})
	for k := 1; k < turnChunks; k++ {
		if s.chunks[k] != 0 {
			sysFree(unsafe.Pointer(s.chunks[k]), size, &memstats.other_sys)
			s.chunks[k] = 0
		}
		size *= 2
	}
}

// draw counts a choice of this kind at this instant and returns the count before it.
//
//go:nosplit
func (s *turnState) draw(now int64, kind uint32) uint32 {
	if s.at != now {
		s.at = now
		s.drawn = [choices]uint32{}
	}
	p := (*uint32)(unsafe.Pointer(uintptr(unsafe.Pointer(&s.drawn)) + uintptr(kind)*4))
	n := *p
	*p = n + 1
	return n
}

// pick returns the next number of a choice that is the bubble's, not a goroutine's.
func (t *turn) pick(kind uint32) uint64 {
	s, now := &t.states.first[0], t.bubble.now
	return orderedHash(s.id, uint64(now), kind, s.draw(now, kind))
}

//go:nosplit
func orderedHash(id, now uint64, kind, n uint32) uint64 {
	x := id ^ (now+1)*0x9e3779b97f4a7c15 ^ (uint64(kind)<<32|uint64(n)+1)*0xd6e8feb86659fd93
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	x = (x + id) * 0xff51afd7ed558ccd
	return x ^ x>>33
}

// orderedMix is splitmix64.
//
//go:nosplit
func orderedMix(s *uint64) uint64 {
	*s += 0x9e3779b97f4a7c15
	z := *s
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// orderedDraw returns the next number of this kind of the goroutine that runs, and
// whether it is one of an ordered bubble.
//
//go:nosplit
func orderedDraw(kind uint32) (uint64, bool) {
	gp := getg()
	b := gp.bubble
	if b == nil || b.turn == nil {
		return 0, false
	}
	s := b.turn.states.of(gp)
	return orderedHash(s.id, uint64(b.now), kind, s.draw(b.now, kind)), true
}

// orderedRand is the part of runtime.rand that is ordered: in an ordered bubble, and on
// the main goroutine, which initialises packages.
//
//go:nosplit
func orderedRand() (uint64, bool) {
	if !orderedOn {
		return 0, false
	}
	if getg().goid == 1 {
		return orderedMix(&orderedMain), true
	}
	return orderedDraw(chooseRand)
}

var orderedMain uint64 // state of the main goroutine's stream

//go:linkname orderedUserRand
func orderedUserRand() uint64 {
	if x, ok := orderedDraw(chooseUser); ok {
		return x
	}
	return rand()
}

func orderedMapRand() uint64 {
	if x, ok := orderedDraw(chooseMap); ok {
		return x
	}
	return rand()
}

// orderedSeed replaces the seeds of maps: with the contents alone, not the process,
// deciding where an element lies, a map has one order in every process.
//
//go:linkname orderedSeed
func orderedSeed() uint64 {
	if orderedOn {
		return 0x2545f4914f6cdd1d
	}
	return rand()
}

func orderedCaseRand(n uint32) uint32 {
	x, ok := orderedDraw(chooseSelect)
	if !ok {
		return cheaprandn(n)
	}
	gp := getg()
	if t := gp.bubble.turn; t.plan != nil {
		if x, ok = t.plan.shuffles(t, gp, n); !ok {
			return n - 1 // in their order
		}
	}
	k := uint32(x>>32) % n
	r := &gp.bubble.turn.record
	if r.events == nil {
		r.note(recordedSelect, uint64(k), gp)
	} else {
		systemstack(func() { r.note(recordedSelect, uint64(k), gp) })
	}
	return k
}

// orderedTimerRand orders timers of one instant: as they were set, or at random. It is
// called when a timer is set and not when it is put into the heap, because a select puts
// the timers of its cases there in the order of their addresses.
func orderedTimerRand() uint32 {
	b := getg().bubble
	if b == nil || b.turn == nil {
		return cheaprand()
	}
	t := b.turn
	if t.place != 0 {
		place := t.place
		t.place = 0
		return place
	}
	t.timers++
	place := t.timers
	if t.random {
		place = uint32(t.pick(chooseTimer)) | 1
	}
	if t.plan != nil {
		if drawn, ok := t.plan.timer(t, getg()); ok {
			place = drawn
		}
	}
	place <<= 1
	if t.alone {
		t.alone = false
		place |= 1
	}
	return place
}

// apart reports whether the next timer of an instant must wait until all that the ones
// before have set going has come to rest: where it fires alone, or the last one did. The
// lowest bit of a timer's place says so. Those of package time fire together, as on the
// stock runtime: net/http, for one, sets two for one deadline.
func (t *turn) apart(ts *timers, ran bool) bool {
	lone := ts.heap[0].timer.rand&1 == 1
	if ran && (lone || t.lone) {
		return true
	}
	t.lone = lone
	return false
}

// orderedTimerKeep is the order of t as it is put into the heap.
func orderedTimerKeep(t *timer) uint32 {
	if b := getg().bubble; b == nil || b.turn == nil {
		return cheaprand()
	}
	return t.rand
}

//go:linkname orderedCrypto crypto/internal/sysrand.runtime_orderedCrypto
func orderedCrypto(p []byte) bool {
	for len(p) > 0 {
		x, ok := orderedDraw(chooseCrypto)
		if !ok {
			return false
		}
		for i := 0; i < 8 && len(p) > 0; i++ {
			p[0] = byte(x)
			x >>= 8
			p = p[1:]
		}
	}
	return true
}
