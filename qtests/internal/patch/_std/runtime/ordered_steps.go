package runtime

import "unsafe"

// A planStep is what a goroutine did, for the account of a run. It is kept when the plan
// has room for steps.
type planStep struct {
	kind  uint32
	site  uint32 // of a point
	g     uint64 // identity
	other uint64 // the goroutine that was started or woken
	addr  uint64
	value uint64
	now   uint64 // time of the bubble
	pcs   [stepDepth]uintptr
}

const stepDepth = 20

const (
	stepPoint = iota // it has passed a point, and does what the site says
	stepHeld         // it lost the turn at a point
	stepWaits        // it begins to wait
	stepWakes        // it, or nobody, has made another goroutine able to run
	stepStarts
	stepEnds
	stepAhead // it got the turn ahead of another, which had waited longer
)

// note keeps a step of gp.
func (p *orderedPlan) note(t *turn, kind uint32, gp *g, site uint32, addr, value uint64) {
	p.noteOf(t, kind, gp, 0, site, addr, value)
}

func (p *orderedPlan) noteOf(t *turn, kind uint32, gp *g, other uint64, site uint32, addr, value uint64) {
	if p.logRoom == 0 {
		return
	}
	if p.logN < p.logRoom {
		s := (*planStep)(add(p.log, uintptr(p.logN)*unsafe.Sizeof(planStep{})))
		*s = planStep{kind: kind, site: site, other: other, addr: addr, value: value, now: uint64(t.bubble.now)}
		if gp != nil && gp.bubble == t.bubble {
			s.g = t.states.of(gp).id
			orderedCallers(gp, s.pcs[:])
		}
	}
	p.logN++
}

// noteWake keeps that what runs here has made gp able to run.
func (p *orderedPlan) noteWake(t *turn, gp *g) {
	if p.logRoom == 0 {
		return
	}
	by := getg()
	if by.m.curg != nil {
		by = by.m.curg
	}
	p.noteOf(t, stepWakes, by, t.states.of(gp).id, 0, 0, 0)
}

// noteEnd keeps that gp ends, and the name of the choice that is then made.
func (p *orderedPlan) noteEnd(t *turn, gp *g) {
	s := p.state(t, gp)
	p.ended = planName{s.id, s.n + 1}
	p.note(t, stepEnds, gp, 0, 0, 0)
}

// orderedDump writes the plan of gp's bubble to the file that the library has given, when
// the process dies because of gp. The library reads it in the next process.
func orderedDump(gp *g) {
	if gp.m.curg != nil && gp.bubble == nil {
		gp = gp.m.curg
	}
	b := gp.bubble
	if b == nil || b.turn == nil || b.plan == nil || b.plan.dump == 0 {
		return
	}
	p := b.plan
	fd := uintptr(p.dump)
	p.dump = 0
	put := func(at unsafe.Pointer, n uintptr) {
		for n > 0 {
			part := min(n, 1<<20)
			write(fd, at, int32(part))
			at, n = add(at, part), n-part
		}
	}
	put(unsafe.Pointer(p), unsafe.Offsetof(p.wanted))
	put(p.chosen, uintptr(min(p.chosenN, p.room))*unsafe.Sizeof(planChoice{}))
	put(p.log, uintptr(min(p.logN, p.logRoom))*unsafe.Sizeof(planStep{}))
}
