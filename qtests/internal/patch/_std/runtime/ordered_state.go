package runtime

import (
	"internal/runtime/sys"
	"unsafe"
)

// turnStates are the states of the goroutines of a bubble, at g.ordered. State 0 is that
// of the bubble itself: of its root, of its first goroutine, which does nothing but start
// the test, and of timers that start goroutines. Only who has the turn takes states and
// gives them back.
type turnStates struct {
	used   uint32
	free   uint32                  // first free state, 0 if none
	chunks [turnChunks - 1]uintptr // chunk k has the states of k bits more than the first has
	first  [turnFirst]turnState
}

const (
	turnFirst  = 16
	turnChunks = 20      // 16 · 2¹⁹ goroutines at once, within 23 of the bits of g.ordered
	turnKept   = 1 << 10 // a turn with more states does not keep them for the next bubble
)

// find returns state i, which exists. It splits no stack, for runtime.rand.
//
//go:nosplit
func (s *turnStates) find(i uint32) *turnState {
	chunk := uintptr(unsafe.Pointer(&s.first))
	if k := sys.Len64(uint64(i / turnFirst)); k > 0 {
		chunk = *(*uintptr)(unsafe.Pointer(uintptr(unsafe.Pointer(&s.chunks)) + uintptr(k-1)*unsafe.Sizeof(chunk)))
		i -= turnFirst << (k - 1)
	}
	return (*turnState)(unsafe.Pointer(chunk + uintptr(i)*unsafe.Sizeof(turnState{})))
}

//go:nosplit
func (s *turnStates) of(gp *g) *turnState { return s.find(gp.orderedIndex()) }

// take returns the index of a state that nobody has.
func (s *turnStates) take() uint32 {
	if i := s.free; i != 0 {
		s.free = s.find(i).next
		return i
	}
	s.used++
	i := s.used
	if k := sys.Len64(uint64(i / turnFirst)); k > 0 && i == turnFirst<<(k-1) {
		s.grow(k)
	}
	return i
}

// grow makes chunk k.
func (s *turnStates) grow(k int) {
	if k >= turnChunks {
		throw("ordered runtime: too many goroutines in a bubble")
	}
	if s.chunks[k-1] = uintptr(sysAlloc(chunkSize(k), &memstats.other_sys, "ordered states")); s.chunks[k-1] == 0 {
		throw("ordered runtime: out of memory")
	}
}

func chunkSize(k int) uintptr { return turnFirst << (k - 1) * unsafe.Sizeof(turnState{}) }

// born gives newg an identity.
func (s *turnStates) born(now int64, newg, parent *g) {
	p := s.of(parent)
	id := orderedHash(p.id, uint64(now), chooseChild, p.draw(now, chooseChild))
	i := s.take()
	*s.find(i) = turnState{id: id}
	newg.orderedSetIndex(i)
}

func (s *turnStates) end(gp *g) {
	if i := gp.orderedIndex(); i != 0 {
		s.find(i).next, s.free = s.free, i
		gp.orderedSetIndex(0)
	}
}

// begin makes the states those of a new bubble. All but the first are free.
func (s *turnStates) begin(seed uint64) {
	s.first[0] = turnState{id: orderedHash(seed, 0, choices, 1)}
}

// over gives memory back where the next bubble may need less.
func (s *turnStates) over() {
	if s.used <= turnKept {
		return
	}
	for i, chunk := range s.chunks {
		if chunk != 0 {
			sysFree(unsafe.Pointer(chunk), chunkSize(i+1), &memstats.other_sys)
			s.chunks[i] = 0
		}
	}
	s.used, s.free = 0, 0
}

// The three bytes of g.ordered are the index of its state, and a bit that says that the
// turn counts its next change of status. They lie in a hole of the struct.
const orderedCountBit = 0x80

// orderedQuietBit is the same bit of a goroutine outside, which has no turn: see orderedQuiet.
const orderedQuietBit = orderedCountBit

//go:nosplit
func (gp *g) orderedIndex() uint32 {
	return uint32(gp.ordered[0]) | uint32(gp.ordered[1])<<8 | uint32(gp.ordered[2]&^orderedCountBit)<<16
}

func (gp *g) orderedSetIndex(i uint32) {
	gp.ordered = [3]uint8{uint8(i), uint8(i >> 8), uint8(i >> 16)}
}

// orderedCount makes the turn count the next change of status of gp, and orderedCounted
// reports, once, whether it does.
func (gp *g) orderedCount() { gp.ordered[2] |= orderedCountBit }

func (gp *g) orderedCounted() bool {
	if gp.ordered[2]&orderedCountBit == 0 {
		return false
	}
	gp.ordered[2] &^= orderedCountBit
	return true
}
