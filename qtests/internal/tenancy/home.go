package tenancy

import (
	"reflect"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// A Home tells the goroutines that a bubble consists of before its body
// starts, the runtime's and the testing package's, from those that come later.
type Home struct {
	// Number is the runtime's of the bubble, 0 until somebody asks: to learn it
	// takes as long as to open the bubble.
	Number atomic.Uint64
	// own are those that were there when the bubble was looked at first. In a
	// bubble of Run nobody looks: all that run tests are its own.
	own []uint64
}

// HomeHere describes the calling goroutine's bubble as it is now: what comes
// later is not its own.
func HomeHere() *Home {
	h := &Home{own: []uint64{}}
	for _, g := range stacks.OfBubble(h.Bubble()) {
		h.own = append(h.own, g.ID)
	}
	return h
}

// Bubble returns the number of the bubble. As long as it is not known, only a
// goroutine of the bubble may ask.
func (h *Home) Bubble() uint64 {
	n := h.Number.Load()
	if n == 0 {
		n = stacks.This().Bubble
		h.Number.Store(n)
	}
	return n
}

// Leftovers returns the bubble's goroutines that are not its own, by id, which on one
// processor is the order in which they were started.
func (h *Home) Leftovers() []stacks.Goroutine {
	return h.list(func(g stacks.Goroutine) bool { return !h.owns(g) })
}

// LeftoversAtWork is leftovers for a bubble that has not come to rest. The runtime takes
// a goroutine out of its bubble while that starts or helps the collector, and a dump that is made
// meanwhile does not have it. So it is made again as long as a goroutine works outside
// of every bubble, a hundred times at most. To wait for the bubble to come to rest would
// not do: a goroutine in IO may end by a later cleanup only.
func (h *Home) LeftoversAtWork() []stacks.Goroutine {
	here := h.Bubble()
	for again := 100; ; again-- {
		all := stacks.Where(stacks.Dump(), func(g *stacks.Header) bool { return g.Bubble == here || g.Bubble == 0 })
		outside := func(g stacks.Goroutine) bool { return g.Bubble != here }
		// The one that starts a collection may wait for a semaphore.
		works := func(g stacks.Goroutine) bool { return g.Runs() || g.State == "semacquire" }
		if again == 0 || !slices.ContainsFunc(all, func(g stacks.Goroutine) bool { return outside(g) && works(g) }) {
			return slices.DeleteFunc(all, func(g stacks.Goroutine) bool { return outside(g) || h.owns(g) })
		}
		runtime.Gosched()
	}
}

// Stuck returns the bubble's goroutines with the one that runs the body.
func (h *Home) Stuck() []stacks.Goroutine {
	return h.list(func(g stacks.Goroutine) bool { return !h.owns(g) || g.Outermost == testRunner })
}

func (h *Home) owns(g stacks.Goroutine) bool {
	if h.own != nil {
		return slices.Contains(h.own, g.ID)
	}
	return RunsTests(g.Outermost)
}

func (h *Home) list(wanted func(g stacks.Goroutine) bool) []stacks.Goroutine {
	left := slices.DeleteFunc(stacks.OfBubble(h.Bubble()), func(g stacks.Goroutine) bool { return !wanted(g) })
	slices.SortFunc(left, func(a, b stacks.Goroutine) int { return int(a.ID) - int(b.ID) })
	return left
}

// The functions in which the goroutines around the body of Run begin.
var (
	testRunner = "testing.tRunner"
	RunHost    = stacks.GroundFloor + "(*bubbleRun).host"
)

// RunsTests reports whether a goroutine with that outermost function is the
// testing package's or the one around a bubble.
func RunsTests(outermost string) bool {
	for _, begin := range []string{"testing.", "testing/synctest.", RunHost} {
		if len(outermost) >= len(begin) && outermost[:len(begin)] == begin {
			return true
		}
	}
	return false
}

// NumberOf returns the number of the bubble whose end the runtime panicked about,
// or 0 where a version of Go does not say it in this way.
func NumberOf(fault any) uint64 {
	v := reflect.ValueOf(fault)
	if v.Kind() != reflect.Struct {
		return 0
	}
	if v = v.FieldByName("bubble"); v.Kind() != reflect.Pointer || v.IsNil() {
		return 0
	}
	if v = v.Elem(); v.Kind() != reflect.Struct {
		return 0
	}
	if v = v.FieldByName("id"); !v.IsValid() || !v.CanUint() {
		return 0
	}
	return v.Uint()
}
