// Package witness dates the goroutines that a test leaves behind.
package witness

import (
	"fmt"
	"hash/maphash"
	"runtime"
	"sync"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Witness remembers since when goroutines have stood where they stand, so that
// a leak can be dated: the runtime knows neither when a goroutine was started nor
// since when it waits in fake time. It is told of a start; and it looks
// whenever the test pauses in Sleep or Wait, when everything is at rest anyway.
// One that has been away and is back at the same place at every look, a worker
// between two jobs, counts as having stayed: the dates are those of the place.
type Witness struct {
	mu     sync.Mutex // guards starts; the rest belongs to the goroutine in Wait
	starts map[uint64]Start

	seed   maphash.Seed
	seen   map[uint64]sighting
	pauses int // since the last look
	stride int // how many pauses make a look; doubles, for a look stops the world
	looks  int
}

// A Start is where and when a goroutine was started.
type Start struct {
	Where string
	At    time.Duration
}

type sighting struct {
	stack uint64
	since time.Duration
}

// Bounds of a Witness: beyond this many goroutines in the process it does not
// look at all, it looks at no more than so many of them a pause, on average, and
// after so many looks it looks half as often.
const (
	witnessGoroutines = 2000
	witnessShare      = 64
	witnessLooks      = 32
)

// Look takes note of where the bubble's goroutines are, which list returns, at the present instant of fake time. alone
// is how many goroutines the process has without them. Only the goroutine in Wait calls it.
func (w *Witness) Look(alone int, elapsed func() time.Duration, list func() []stacks.Goroutine) {
	if total := runtime.NumGoroutine(); total > alone && w.due(total) {
		w.see(list(), elapsed())
	}
}

// due reports whether this pause is one to look at, in a process with so many goroutines.
func (w *Witness) due(total int) bool {
	if w.seen == nil {
		w.seed, w.seen, w.stride = maphash.MakeSeed(), map[uint64]sighting{}, 1
	}
	w.pauses++
	if w.pauses < w.stride*(1+total/witnessShare) || total > witnessGoroutines {
		return false
	}
	w.pauses = 0
	if w.looks++; w.looks%witnessLooks == 0 {
		w.stride *= 2
	}
	return true
}

func (w *Witness) see(all []stacks.Goroutine, now time.Duration) {
	seen := make(map[uint64]sighting)
	for _, g := range all {
		s := sighting{maphash.String(w.seed, g.Stack), now}
		if before, ok := w.seen[g.ID]; ok && before.stack == s.stack {
			s = before
		}
		seen[g.ID] = s
	}
	w.seen = seen
}

// Begin takes note of a goroutine that was started.
func (w *Witness) Begin(id uint64, s Start) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.starts == nil {
		w.starts = map[uint64]Start{}
	}
	w.starts[id] = s
}

// End takes note of the end of a goroutine.
func (w *Witness) End(id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.starts, id)
}

// Date says where and when g was started, and how long it has been waiting where
// it is, as far as that is known.
func (w *Witness) Date(now time.Duration, g stacks.Goroutine) (started, waited string) {
	started, atMost, atLeast := g.StartedAt(), now, time.Duration(0)
	if s, ok := w.startOf(g); ok {
		started = fmt.Sprintf("%s after %v", s.Where, tb.Round(s.At))
		atMost -= s.At
	}
	if s, ok := w.seen[g.ID]; ok && s.stack == maphash.String(w.seed, g.Stack) {
		atLeast = now - s.since
	}
	return started, spread(tb.Round(atLeast), tb.Round(atMost))
}

func (w *Witness) startOf(g stacks.Goroutine) (Start, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.starts[g.ID]
	return s, ok
}

func spread(atLeast, atMost time.Duration) string {
	if atMost == atLeast {
		return fmt.Sprintf("waiting there for %v of fake time", atLeast)
	}
	return fmt.Sprintf("waiting there for %v to %v of fake time", atLeast, atMost)
}
