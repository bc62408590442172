package runtime

import "unsafe"

// A turnRecord keeps what a bubble did: how many turns, a hash over the sequence of turns
// and choices, and the disturbances, which are what could not be ordered.
type turnRecord struct {
	turns uint64
	hash  uint64

	disturbed uint64
	kinds     [disturbances]uint64
	firstKind uint64
	firstPCs  [orderedDepth]uintptr
	firstN    uint64
}

const (
	disturbedOutside = iota // woken from outside the bubble
	disturbedPoller         // woken by the network poller
	disturbedSyscall        // a system call or a call to C took longer than orderedSyscallNS
	disturbedSpin           // ran longer than orderedSpinNS while others waited
	disturbedObject         // an object of a bubble was used from outside
	disturbances
)

const (
	recordedTurn = iota
	recordedSelect
)

const orderedDepth = 24

// orderedEvents has every turn and choice of a bubble with the stack at which it happened.
// It is memory that the library gives, where it wants to know: the layout is known on both
// sides.
type orderedEvents struct {
	n, max uint64
	events unsafe.Pointer // *[max]orderedEvent
	stacks uint64         // a power of 2
	stack  unsafe.Pointer // *[stacks]orderedStack, hashed by key
}

type orderedEvent struct {
	hash  uint64 // of the sequence up to this event
	stack uint64 // key
}

type orderedStack struct {
	key uint64 // 0: free
	pcs [orderedDepth]uintptr
}

func (t *turn) note(kind, what uint64, gp *g) {
	x := (t.record.hash ^ what ^ kind<<62) * 0x9e3779b97f4a7c15
	t.record.hash = x ^ x>>29
	if e := t.bubble.events; e != nil {
		e.add(t.record.hash, gp)
	}
}

func (e *orderedEvents) add(hash uint64, gp *g) {
	if e.n == e.max {
		return
	}
	var pcs [orderedDepth]uintptr
	n := orderedCallers(gp, pcs[:])
	key := uint64(1)
	for _, pc := range pcs[:n] {
		key = (key ^ uint64(pc)) * 0xff51afd7ed558ccd
		key ^= key >> 32
	}
	key |= 1
	ev := (*orderedEvent)(add(e.events, uintptr(e.n)*unsafe.Sizeof(orderedEvent{})))
	ev.hash, ev.stack = hash, key
	e.n++
	for i := range uint64(32) {
		s := (*orderedStack)(add(e.stack, uintptr((key>>8+i)&(e.stacks-1))*unsafe.Sizeof(orderedStack{})))
		if s.key == key {
			return
		}
		if s.key == 0 {
			s.key, s.pcs = key, pcs
			return
		}
	}
	// There is no room for one more stack: this event has no line.
}

// orderedCallers writes the stack of gp, which is not running elsewhere. Where gp is the caller, on its own stack,
// gcallers would end the process.
func orderedCallers(gp *g, pcs []uintptr) int {
	if gp == getg() {
		return callers(0, pcs)
	}
	if gp.sched.pc == 0 || readgstatus(gp)&^_Gscan == _Gsyscall {
		return 0
	}
	return gcallers(gp, 0, pcs)
}

func (r *turnRecord) count(kind uint64) {
	if r.disturbed == 0 {
		r.firstKind = kind
	}
	r.disturbed++
	r.kinds[kind]++
}

// disturb counts a disturbance of gp, which is waiting or was stopped, or runs here.
func (r *turnRecord) disturb(kind uint64, gp *g) {
	r.count(kind)
	if r.disturbed == 1 {
		r.firstN = uint64(orderedCallers(gp, r.firstPCs[:]))
	}
}

// place says where the first disturbance of this kind was, which was counted before its
// place could be seen. The caller is the goroutine that was disturbed.
func (r *turnRecord) place(kind uint64) {
	if r.firstKind == kind && r.firstN == 0 && r.disturbed > 0 {
		r.firstN = uint64(callers(1, r.firstPCs[:]))
	}
}
