package qtests

import (
	"fmt"
	"hash/maphash"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

// leaks describes the goroutines that the body and the cleanups left in the
// bubble, which ended at now, or returns nothing. It is called from outside.
func (q *T) leaks(now time.Duration) string {
	left := q.home.leftovers()
	if len(left) == 0 {
		return ""
	}
	what := "1 goroutine is"
	if len(left) > 1 {
		what = fmt.Sprintf("%d goroutines are", len(left))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "qtests: %s left behind in the bubble of %s, at %v of fake time. "+
		"End what the test starts before it returns, or in a Cleanup; what ends by itself needs time to: q.Sleep.%s\n",
		what, q.Name(), now, leakHint(left))
	groups := alike(left)
	for i, group := range groups {
		if i == wholeStacks {
			fmt.Fprintf(&b, "\n… and %d more at %d other places", len(left), len(groups)-i)
			break
		}
		g := group[0]
		left = left[len(group):]
		start, waited := q.witness.date(now, g)
		fmt.Fprintf(&b, "\ngoroutine %d [%s], started at %s, %s\n%s\n", g.id, g.state, start, waited, g.stack)
		if n := len(group) - 1; n > 0 {
			fmt.Fprintf(&b, "… and %d more like it\n", n)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// leakHint says what to do about goroutines that no code of the test has started.
func leakHint(left []goroutine) string {
	for _, g := range left {
		if strings.Contains(g.stack, "net/http.(*persistConn).") {
			return " A persistConn of net/http is a connection that is still open: close the body of every response, and call CloseIdleConnections of a client of your own."
		}
	}
	return ""
}

// alike groups goroutines that stand at the same place and came there the same
// way, in the order of the first of each group.
func alike(list []goroutine) (groups [][]goroutine) {
	places := map[string]int{}
	for _, g := range list {
		place := g.state + "\n" + callArguments.ReplaceAllString(g.stack, "")
		i, known := places[place]
		if !known {
			i = len(groups)
			places[place] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], g)
	}
	return groups
}

// callArguments are what the stack of one goroutine has and that of another at the same
// place has not: "(0xc000012345, …)", "in goroutine 7" and " +0x1d".
var callArguments = regexp.MustCompile(`(?m)\([^()\n]*\)$| in goroutine \d+$| \+0x[0-9a-f]+$`)

// A witness remembers since when goroutines have stood where they stand, so that
// a leak can be dated: the runtime knows neither when a goroutine was started nor
// since when it waits in fake time. T.Go tells it of a start; and it looks
// whenever the test pauses in Sleep or Wait, when everything is at rest anyway.
// One that has been away and is back at the same place at every look, a worker
// between two jobs, counts as having stayed: the dates are those of the place.
type witness struct {
	mu     sync.Mutex // guards starts; the rest belongs to whoever is in synctest.Wait
	starts map[uint64]start

	seed   maphash.Seed
	seen   map[uint64]sighting
	pauses int // since the last look
	stride int // how many pauses make a look; doubles, for a look stops the world
	looks  int
}

// A start is where and when T.Go was called.
type start struct {
	where string
	at    time.Duration
}

type sighting struct {
	stack uint64
	since time.Duration
}

// Bounds of a witness: beyond this many goroutines in the process it does not
// look at all, it looks at no more than so many of them a pause, on average, and
// after so many looks it looks half as often.
const (
	witnessGoroutines = 2000
	witnessShare      = 64
	witnessLooks      = 32
)

// look takes note of where the bubble's goroutines are. Only the goroutine in
// Wait calls it.
func (w *witness) look(q *T) {
	total := runtime.NumGoroutine()
	if total <= q.alone {
		return // nobody is there but the body
	}
	if w.seen == nil {
		w.seed, w.seen, w.stride = maphash.MakeSeed(), map[uint64]sighting{}, 1
	}
	w.pauses++
	if w.pauses < w.stride*(1+total/witnessShare) || total > witnessGoroutines {
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

// begin takes note of a goroutine that T.Go has started, and end of its end.
func (w *witness) begin(id uint64, s start) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.starts == nil {
		w.starts = map[uint64]start{}
	}
	w.starts[id] = s
}

func (w *witness) end(id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.starts, id)
}

// date says where and when g was started, and how long it has been waiting where
// it is, as far as that is known.
func (w *witness) date(now time.Duration, g goroutine) (started, waited string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	started = g.startedAt()
	atMost := now
	if s, ok := w.starts[g.id]; ok {
		started = fmt.Sprintf("%s after %v", s.where, Round(s.at))
		atMost -= s.at
	}
	atLeast := time.Duration(0)
	if s, ok := w.seen[g.id]; ok && s.stack == maphash.String(w.seed, g.stack) {
		atLeast = now - s.since
	}
	atMost, atLeast = Round(atMost), Round(atLeast)
	if atMost == atLeast {
		return started, fmt.Sprintf("waiting there for %v of fake time", atLeast)
	}
	return started, fmt.Sprintf("waiting there for %v to %v of fake time", atLeast, atMost)
}
