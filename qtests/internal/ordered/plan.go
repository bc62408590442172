package ordered

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unsafe"
)

// Strategy is how the choices of a bubble are made.
type Strategy uint64

const (
	FIFO   Strategy = iota // the turn goes to the goroutine that has waited longest
	Random                 // every choice is drawn: a random walk
	PCT                    // priorities, which change at a few steps
	POS                    // priorities of events, drawn anew where two events are in conflict
	Replay                 // the base, but for the choices that are given
)

// ChoiceKind is what was chosen.
type ChoiceKind uint64

const (
	ChooseTurn   ChoiceKind = iota // another goroutine got the turn
	ChooseSelect                   // a select looked at its cases in an order that was drawn
	ChooseTimer                    // a timer got a place among those of its instant that was drawn
)

// A Choice is one that differs from the base, which is: a goroutine goes on at a point, the
// turn goes to the goroutine that has waited longest, a select looks at its cases in the
// order of their lines, and timers of one instant fire in the order in which they were set.
type Choice struct {
	Goroutine uint64     // the identity of the one that chose
	N         uint64     // how many choices it had made, with this one
	Kind      ChoiceKind // what it chose
	Target    uint64     // the identity of the goroutine that got the turn
}

// Limits of a plan.
const (
	MostChanges = 8       // changes of priority in PCT
	MostChoices = 1 << 12 // choices that are kept
	planStates  = 1 << 10
	planMaps    = 8
	stepDepth   = 20
)

// planHead has the layout of the runtime's orderedPlan.
type planHead struct {
	strategy   uint64
	seed       uint64
	changes    [MostChanges]uint64
	chosen     unsafe.Pointer
	room       uint64
	replay     unsafe.Pointer
	replayMask uint64
	log        unsafe.Pointer
	logRoom    uint64
	dump       uint64

	points     uint64
	steps      uint64
	goroutines uint64
	chosenN    uint64
	applied    uint64
	logN       uint64

	wanted uintptr
	streak uint64
	low    uint64
	ended  [2]uint64
	maps   [planMaps]struct {
		id, addr uint64
		write    bool
	}
	states [planStates]struct {
		id, prio, n, addr uint64
		write, shuffle    bool
		redrawn           uint32
	}
}

// A Plan says how the choices of one bubble are made, and keeps what came of it. It may be
// used again when that bubble has ended.
type Plan struct {
	head   planHead
	chosen []Choice
	table  []Choice
	log    []rawStep
}

// NewPlan makes room for choices and for steps of the log, at 264 bytes each; 0 keeps none.
func NewPlan(steps int) *Plan {
	p := &Plan{chosen: make([]Choice, MostChoices)}
	if steps > 0 {
		p.log = make([]rawStep, steps)
	}
	return p
}

// Reset prepares the plan for a bubble. changes are the steps at which PCT changes a
// priority, at most MostChanges of them.
func (p *Plan) Reset(s Strategy, seed uint64, changes []uint64) {
	h := &p.head
	*h = planHead{} // and not with its values in it, for which the compiler would build one on the stack: it has 80 KiB
	h.strategy, h.seed, h.low = uint64(s), seed, 1<<31
	h.chosen, h.room = unsafe.Pointer(&p.chosen[0]), uint64(len(p.chosen))
	copy(h.changes[:], changes)
	if len(p.log) > 0 {
		h.log, h.logRoom = unsafe.Pointer(&p.log[0]), uint64(len(p.log))
	}
}

// Replay has the plan make these choices, and the base's otherwise. It follows Reset.
func (p *Plan) Replay(choices []Choice) {
	size := uint64(16)
	for size < 2*uint64(len(choices)) {
		size *= 2
	}
	p.table = make([]Choice, size)
	p.head.replay, p.head.replayMask = unsafe.Pointer(&p.table[0]), size-1
	for _, c := range choices {
		if c.Goroutine == 0 {
			continue
		}
		i := choiceHash(c)
		for p.table[i&(size-1)].Goroutine != 0 {
			i++
		}
		p.table[i&(size-1)] = c
	}
}

func choiceHash(c Choice) uint64 {
	x := (c.Goroutine ^ c.N) * 0x9e3779b97f4a7c15
	return x ^ x>>32
}

// DumpTo has the process write the plan to the file when it dies because of a goroutine of
// the bubble, for ReadDump. The file must stay open.
func (p *Plan) DumpTo(fd uintptr) { p.head.dump = uint64(fd) }

// Explore gives the caller's bubble, which is ordered, the plan.
func Explore(p *Plan) error {
	if hooks.explore == nil || !hooks.explore(unsafe.Pointer(&p.head)) {
		return errors.New("ordered: the bubble is not ordered")
	}
	return nil
}

// Check has f called at every point of the caller's bubble, on the goroutine that is there.
func Check(f func()) { hooks.check(f) }

// Still calls f in the bubble of the plan, while no point is one and nothing is chosen.
func (p *Plan) Still(f func()) {
	hooks.explore(nil)
	defer hooks.explore(unsafe.Pointer(&p.head))
	f()
}

// Points is how many there were.
func (p *Plan) Points() int { return int(p.head.points) }

// Steps is how many times there was a choice of the turn.
func (p *Plan) Steps() int { return int(p.head.steps) }

// Goroutines is how many took part.
func (p *Plan) Goroutines() int { return int(p.head.goroutines) }

// Applied is how many of the choices given to Replay could be made.
func (p *Plan) Applied() int { return int(p.head.applied) }

// Choices returns those that differ from the base, in their order, and whether they are all.
func (p *Plan) Choices() ([]Choice, bool) {
	n := min(p.head.chosenN, p.head.room)
	return append([]Choice(nil), p.chosen[:n]...), n == p.head.chosenN
}

// dumpHead is what the runtime writes of planHead.
const dumpHead = unsafe.Offsetof(planHead{}.wanted)

// ReadDump reads the plan of a process that has died, which was of the same binary.
func ReadDump(r io.Reader) (*Plan, error) {
	var p Plan
	head := unsafe.Slice((*byte)(unsafe.Pointer(&p.head)), dumpHead)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("ordered: the plan of a process that has died: %w", err)
	}
	p.head.chosen, p.head.log, p.head.replay = nil, nil, nil // addresses of another process
	if p.head.room > 1<<20 || p.head.logRoom > 1<<24 {
		return nil, errors.New("ordered: this is no plan")
	}
	p.chosen = make([]Choice, min(p.head.chosenN, p.head.room))
	p.log = make([]rawStep, min(p.head.logN, p.head.logRoom))
	if err := binary.Read(r, binary.NativeEndian, p.chosen); err != nil && len(p.chosen) > 0 {
		return nil, fmt.Errorf("ordered: the choices of a process that has died: %w", err)
	}
	if err := binary.Read(r, binary.NativeEndian, p.log); err != nil && len(p.log) > 0 {
		return nil, fmt.Errorf("ordered: the steps of a process that has died: %w", err)
	}
	return &p, nil
}
