package breaker

import "time"

// A callWindow holds the last len(ring) results.
type callWindow struct {
	ring []mark
	next int
	sum  Window
}

// A mark is one result in a window.
type mark struct{ failed, slow bool }

func newCallWindow(n int) callWindow { return callWindow{ring: make([]mark, n)} }

func (w *callWindow) reset() { w.next, w.sum = 0, Window{} }

func (w *callWindow) add(m mark) {
	if len(w.ring) == 0 {
		return
	}
	if w.sum.Calls == len(w.ring) {
		w.sum.count(w.ring[w.next], -1)
	}
	w.ring[w.next] = m
	w.sum.count(m, 1)
	if w.next++; w.next == len(w.ring) {
		w.next = 0
	}
}

func (s *Window) count(m mark, by int) {
	s.Calls += by
	if m.failed {
		s.Failures += by
	}
	if m.slow {
		s.Slow += by
	}
}

// A timeWindow sums results over buckets of equal width: at an instant it
// covers the bucket of that instant and the len(buckets)-1 before it. Buckets
// begin at multiples of width, counted from the instant the breaker was made.
type timeWindow struct {
	width   time.Duration
	buckets []Window
	current int64         // number of the present bucket
	end     time.Duration // where the present bucket ends
	sum     Window
}

func newTimeWindow(window time.Duration, buckets int) timeWindow {
	if window == 0 {
		return timeWindow{}
	}
	width := window / time.Duration(buckets)
	return timeWindow{width: width, buckets: make([]Window, buckets), end: width}
}

func (w *timeWindow) reset() {
	if w.sum.Calls > 0 {
		clear(w.buckets)
		w.sum = Window{}
	}
}

func (w *timeWindow) add(now time.Duration, m mark) {
	if w.width == 0 {
		return
	}
	w.advance(now)
	w.buckets[w.current%int64(len(w.buckets))].count(m, 1)
	w.sum.count(m, 1)
}

// advance forgets the buckets that now has left behind.
func (w *timeWindow) advance(now time.Duration) {
	// The division is kept off the path of the calls within one bucket.
	if w.width == 0 || now < w.end {
		return
	}
	n := int64(len(w.buckets))
	latest := int64(now / w.width)
	for i := max(w.current+1, latest-n+1); i <= latest; i++ {
		b := &w.buckets[i%n]
		w.sum.Calls -= b.Calls
		w.sum.Failures -= b.Failures
		w.sum.Slow -= b.Slow
		*b = Window{}
	}
	w.current = latest
	w.end = saturatingAdd(time.Duration(latest)*w.width, w.width)
}
