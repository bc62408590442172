package qtests

import (
	"reflect"
	"runtime"
	"slices"
	"sync/atomic"
)

// A bubbleHome tells the goroutines that a bubble consists of before its body
// starts, the runtime's and the testing package's, from those that come later.
type bubbleHome struct {
	// number is the runtime's of the bubble, 0 until somebody asks: to learn it
	// takes as long as to open the bubble.
	number atomic.Uint64
	// own are those that were there when the bubble was looked at first. In a
	// bubble of Run nobody looks: all that run tests are its own.
	own []uint64
}

// thisBubble describes the calling goroutine's bubble as it is now: what comes
// later is not its own.
func thisBubble() *bubbleHome {
	h := &bubbleHome{own: []uint64{}}
	for _, g := range bubbleGoroutines(h.bubble()) {
		h.own = append(h.own, g.id)
	}
	return h
}

// bubble returns the number of the bubble. As long as it is not known, only a
// goroutine of the bubble may ask.
func (h *bubbleHome) bubble() uint64 {
	n := h.number.Load()
	if n == 0 {
		n = thisGoroutine().bubble
		h.number.Store(n)
	}
	return n
}

// leftovers returns the bubble's goroutines that are not its own, by id, the
// order in which they were started.
func (h *bubbleHome) leftovers() []goroutine {
	return h.list(func(g goroutine) bool { return !h.owns(g) })
}

// leftoversAtWork is leftovers for a bubble that has not come to rest. The runtime takes
// a goroutine out of its bubble while that starts or helps the collector, and a dump that is made
// meanwhile does not have it. So it is made again as long as a goroutine works outside
// of every bubble, a hundred times at most. To wait for the bubble to come to rest would
// not do: a goroutine in IO may end by a later cleanup only.
func (h *bubbleHome) leftoversAtWork() []goroutine {
	here := h.bubble()
	for again := 100; ; again-- {
		all := goroutinesWhere(stackDump(), func(g *stackHeader) bool { return g.bubble == here || g.bubble == 0 })
		outside := func(g goroutine) bool { return g.bubble != here }
		// The one that starts a collection may wait for a semaphore.
		works := func(g goroutine) bool { return g.runs() || g.state == "semacquire" }
		if again == 0 || !slices.ContainsFunc(all, func(g goroutine) bool { return outside(g) && works(g) }) {
			return slices.DeleteFunc(all, func(g goroutine) bool { return outside(g) || h.owns(g) })
		}
		runtime.Gosched()
	}
}

// stuck returns the bubble's goroutines with the one that runs the body.
func (h *bubbleHome) stuck() []goroutine {
	return h.list(func(g goroutine) bool { return !h.owns(g) || g.outermost == testRunner })
}

func (h *bubbleHome) owns(g goroutine) bool {
	if h.own != nil {
		return slices.Contains(h.own, g.id)
	}
	return runsTests(g.outermost)
}

func (h *bubbleHome) list(wanted func(g goroutine) bool) []goroutine {
	left := slices.DeleteFunc(bubbleGoroutines(h.bubble()), func(g goroutine) bool { return !wanted(g) })
	slices.SortFunc(left, func(a, b goroutine) int { return int(a.id) - int(b.id) })
	return left
}

// The functions in which the goroutines around the body of Run begin.
var (
	testRunner = "testing.tRunner"
	runHost    = groundFloor + "(*bubbleRun).host"
)

// runsTests reports whether a goroutine with that outermost function is the
// testing package's or the one around a bubble.
func runsTests(outermost string) bool {
	for _, begin := range []string{"testing.", "testing/synctest.", runHost} {
		if len(outermost) >= len(begin) && outermost[:len(begin)] == begin {
			return true
		}
	}
	return false
}

// bubbleOf returns the number of the bubble whose end the runtime panicked about,
// or 0 where a version of Go does not say it in this way.
func bubbleOf(fault any) uint64 {
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
