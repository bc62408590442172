package qtests

import (
	"fmt"
	"hash/maphash"
	"runtime"
	"strings"
	"time"
)

// checkLeaks fails the test for every goroutine that its body and cleanups left
// in the bubble. The nominal time does not move.
func (q *T) checkLeaks() {
	q.Helper()
	q.Wait()
	left := q.home.leftovers()
	if len(left) == 0 {
		return
	}
	what := "1 goroutine is"
	if len(left) > 1 {
		what = fmt.Sprintf("%d goroutines are", len(left))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "qtests: %s left behind in the bubble of %s, at %v of fake time. End what the test starts before it returns, or in a Cleanup.\n",
		what, q.Name(), Round(q.Elapsed()))
	for i, g := range left {
		if i == wholeStacks {
			fmt.Fprintf(&b, "\n… and %d more", len(left)-i)
			break
		}
		fmt.Fprintf(&b, "\ngoroutine %d [%s], started at %s, %s\n%s\n", g.id, g.state, g.startedAt(), q.witness.waited(q, g), g.stack)
	}
	q.Errorf("%s", strings.TrimRight(b.String(), "\n"))
}

// A witness remembers since when goroutines have stood where they stand, so that
// a leak can be dated: the runtime knows neither when a goroutine was started nor
// since when it waits in fake time. It looks whenever the test pauses in Sleep or
// Wait, when everything is at rest anyway.
type witness struct {
	seed   maphash.Seed
	seen   map[uint64]sighting
	pauses int // since the last look
	stride int // how many pauses make a look; doubles, for a look stops the world
	looks  int
}

type sighting struct {
	stack uint64
	since time.Duration
}

// Bounds of a witness: beyond this many goroutines in the process it does not
// look at all, and after so many looks it looks half as often.
const (
	witnessGoroutines = 2000
	witnessLooks      = 32
)

// look takes note of where the bubble's goroutines are. Only the goroutine in
// Wait calls it.
func (w *witness) look(q *T) {
	if w.seen == nil {
		w.seed, w.seen, w.stride = maphash.MakeSeed(), map[uint64]sighting{}, 1
	}
	w.pauses++
	if w.pauses < w.stride || runtime.NumGoroutine() > witnessGoroutines {
		return
	}
	w.pauses = 0
	if w.looks++; w.looks%witnessLooks == 0 {
		w.stride *= 2
	}
	now := q.Elapsed()
	seen := make(map[uint64]sighting)
	for _, g := range q.home.leftovers() {
		s := sighting{maphash.String(w.seed, g.stack), now}
		if before, ok := w.seen[g.id]; ok && before.stack == s.stack {
			s = before
		}
		seen[g.id] = s
	}
	w.seen = seen
}

// waited says how long g has been waiting, as far as that is known.
func (w *witness) waited(q *T, g goroutine) string {
	now := q.Elapsed()
	if s, ok := w.seen[g.id]; ok && s.since < now && s.stack == maphash.String(w.seed, g.stack) {
		return fmt.Sprintf("waiting there for %v or longer (fake time)", Round(now-s.since))
	}
	return "waiting there since the end of the body, or not long before"
}
