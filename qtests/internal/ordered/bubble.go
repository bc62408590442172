package ordered

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"github.com/go-qtests/qtests/qtests/internal/site"
)

// Disturbance is a kind of thing that cannot be ordered.
type Disturbance int

const (
	FromOutside Disturbance = iota // woken from outside the bubble
	Network                        // woken by the network
	SystemCall                     // a system call, or a call of C, took longer than 100 ms
	Loop                           // ran for more than 2 s while others waited
	Object                         // a channel of the bubble was used by a finalizer or a cleanup
	disturbances
)

var disturbanceTexts = [disturbances]string{
	FromOutside: "woken from outside the bubble",
	Network:     "woken by the network",
	SystemCall:  "in a system call or a call of C for more than 100ms",
	Loop:        "ran for more than 2s while others waited",
	Object:      "a channel used by a finalizer or a cleanup",
}

func (d Disturbance) String() string {
	if d < 0 || d >= disturbances {
		return fmt.Sprintf("Disturbance(%d)", int(d))
	}
	return disturbanceTexts[d]
}

// Report is what a bubble has done so far.
type Report struct {
	Turns     uint64 // how often a goroutine got the turn
	Hash      uint64 // over the sequence of turns and choices
	Disturbed uint64 // how often something happened that could not be ordered
	Kinds     [disturbances]uint64
	First     Disturbance // kind of the first disturbance
	Where     string      // file:line of the user's code at the first one, "" where it could not be seen
}

// Arm orders the bubble that the caller opens next, by synctest.Test. With random set, the
// goroutine that runs next is drawn from the seed; otherwise they run in the order in which
// they became able to. events may be nil; the caller keeps them until the bubble has begun.
func Arm(seed uint64, random bool, events *Events) error {
	switch code := hooks.arm(seed, random, events.memory()); code {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("ordered: in a bubble")
	default:
		return fmt.Errorf("ordered: not in a test binary")
	}
}

// Place takes a place among the waits that end at one instant, as if the wait began now.
func Place() uint32 { return hooks.place() }

// UsePlace gives the place to the timer that the caller sets next, with time.Sleep or
// time.AfterFunc.
func UsePlace(place uint32) { hooks.use(place) }

// Alone makes the timer that the caller sets next fire alone: when all that the events
// before it set going has come to rest, and before anything of the next one. The timers of
// package time that are due at one instant fire together otherwise, each in its place. One that is due at once
// fires at once otherwise, in the middle of what runs now.
func Alone() { hooks.alone() }

// Quiet says, outside a bubble, that what the caller starts or wakes until it calls Quiet(false)
// may wait for the caller's thread: the caller is about to wait, or to end. To wake another
// thread for it, which mostly comes too late, took half of the time of an empty bubble on a
// machine that is slow to wake one. On the stock runtime Quiet does nothing.
func Quiet(on bool) {
	if Available() {
		hooks.quiet(on)
	}
}

// Bubble is a bubble, also for those outside it.
type Bubble struct{ of unsafe.Pointer }

// Here returns the bubble of the caller, who is in one.
func Here() Bubble { return Bubble{hooks.here()} }

// Now returns the time of the bubble, in nanoseconds since 1970.
func (b Bubble) Now() int64 { return hooks.now(b.of) }

// Wall returns the real time, also in a bubble.
func Wall() time.Time { return time.Unix(0, hooks.wall()) }

// Now returns the report of the caller's bubble.
func Now() (Report, bool) {
	var out [16 + depth]uint64
	if hooks == nil || !hooks.report(&out) {
		return Report{}, false
	}
	r := Report{Turns: out[0], Hash: out[1], Disturbed: out[2], First: Disturbance(out[3])}
	copy(r.Kinds[:], out[5:])
	if r.Disturbed > 0 {
		pcs := make([]uintptr, 0, depth)
		for _, pc := range out[16 : 16+min(out[4], depth)] {
			pcs = append(pcs, uintptr(pc))
		}
		r.Where = UserLine(pcs)
	}
	return r, true
}

// UserLine returns file:line of the first frame outside the standard library, or "".
func UserLine(pcs []uintptr) string {
	if len(pcs) == 0 {
		return ""
	}
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		if f.File != "" && !site.Standard(f.Function, f.File) && !site.Helper(f.File) {
			return fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if !more {
			return ""
		}
	}
}

// Events is memory for a sequence of turns and choices, with the stacks at which they
// happened. The runtime writes into it.
type Events struct {
	head   eventsHead
	events []event
	stacks []stack
}

// eventsHead, event and stack have the layouts of the runtime's.
type eventsHead struct {
	n, max uint64
	events unsafe.Pointer
	stacks uint64
	stack  unsafe.Pointer
}

type event struct{ hash, stack uint64 }

type stack struct {
	key uint64
	pcs [depth]uintptr
}

// NewEvents makes room for n events, at 16 bytes each, and for 16,384 stacks.
func NewEvents(n int) *Events {
	e := &Events{events: make([]event, n), stacks: make([]stack, 1<<14)}
	e.head = eventsHead{max: uint64(n), events: unsafe.Pointer(&e.events[0]), stacks: 1 << 14, stack: unsafe.Pointer(&e.stacks[0])}
	return e
}

func (e *Events) memory() unsafe.Pointer {
	if e == nil {
		return nil
	}
	return unsafe.Pointer(&e.head)
}

// Len returns how many events there were, at most the room.
func (e *Events) Len() int { return int(e.head.n) }

// Full reports whether there were more events than there was room for.
func (e *Events) Full() bool { return e.head.n == e.head.max }

// Line returns the user's line at event i, "" where there is none.
func (e *Events) Line(i int) string { return UserLine(e.callers(i)) }

// callers returns the stack at event i.
func (e *Events) callers(i int) []uintptr {
	key := e.events[i].stack
	for k := range uint64(32) {
		s := &e.stacks[(key>>8+k)&uint64(len(e.stacks)-1)]
		if s.key == key {
			n := 0
			for n < depth && s.pcs[n] != 0 {
				n++
			}
			return s.pcs[:n]
		}
	}
	return nil
}

// Part returns the first event at which a and b differ, or -1.
func Part(a, b *Events) int {
	n := min(a.Len(), b.Len())
	for i := range n {
		if a.events[i].hash != b.events[i].hash {
			return i
		}
	}
	if a.Len() != b.Len() {
		return n
	}
	return -1
}
