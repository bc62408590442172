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
	b := gp.bubble
	if b.plan != nil {
		if x, ok = b.plan.shuffles(b.turn, gp, n); !ok {
			return n - 1 // in their order
		}
	}
	k := uint32(x>>32) % n
	b.turn.note(recordedSelect, uint64(k), gp)
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
	if p := t.bubble.plan; p != nil {
		if drawn, ok := p.timer(t, getg()); ok {
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

// firesAlone reports whether t fires alone, and so never in the middle of what runs now.
func (b *synctestBubble) firesAlone(t *timer) bool { return b.turn != nil && t.rand&1 == 1 }

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
