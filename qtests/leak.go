package qtests

import (
	"fmt"
	"hash/maphash"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/leftbehind"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tb"
)

// leaks describes the goroutines that the body and the cleanups left in the
// bubble, which ended at now, and must not stay. It is called from outside.
func (q *T) leaks(now time.Duration) (problem string, notes []string) {
	all := q.home.Leftovers()
	left, stay := q.permission.Part(all)
	if len(left) == 0 && len(stay) > 0 {
		leftbehind.Add(q.home.Bubble(), leftbehind.Bubble{Test: q.Name(), Allowed: true})
		q.sealed.Store(true)
		return "", leftbehind.DescribeStay(stay)
	}
	verb := "is"
	if len(left) != 1 {
		verb = "are"
	}
	problem = fmt.Sprintf("qtests: %s %s left behind in the bubble of %s, at %v of fake time. "+
		"End what the test starts before it returns, or in a Cleanup; what ends by itself needs time to: q.Sleep; q.Allow is for what a library gives no way to end.%s\n\n",
		stacks.Count(len(left)), verb, q.Name(), now, leakHint(left))
	return problem + stacks.DescribeAlike(left, func(g stacks.Goroutine) string {
		start, waited := q.witness.date(now, g)
		return fmt.Sprintf(", started at %s, %s%s", start, waited, stacks.BehindLibrary(g, all, q.body, q.Name()))
	}), nil
}

// leakHint says what to do about goroutines that no code of the test has started.
func leakHint(left []stacks.Goroutine) string {
	for _, g := range left {
		if strings.Contains(g.Stack, "net/http.(*persistConn).") {
			return " A persistConn of net/http is a connection that is still open: close the body of every response, and call CloseIdleConnections of a client of your own."
		}
	}
	return ""
}

// A witness remembers since when goroutines have stood where they stand, so that
// a leak can be dated: the runtime knows neither when a goroutine was started nor
// since when it waits in fake time. T.Go tells it of a start; and it looks
// whenever the test pauses in Sleep or Wait, when everything is at rest anyway.
// One that has been away and is back at the same place at every look, a worker
// between two jobs, counts as having stayed: the dates are those of the place.
type witness struct {
	mu     sync.Mutex // guards starts; the rest belongs to the goroutine in synctest.Wait
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
	for _, g := range q.home.Leftovers() {
		s := sighting{maphash.String(w.seed, g.Stack), now}
		if before, ok := w.seen[g.ID]; ok && before.stack == s.stack {
			s = before
		}
		seen[g.ID] = s
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
func (w *witness) date(now time.Duration, g stacks.Goroutine) (started, waited string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	started = g.StartedAt()
	atMost := now
	if s, ok := w.starts[g.ID]; ok {
		started = fmt.Sprintf("%s after %v", s.where, tb.Round(s.at))
		atMost -= s.at
	}
	atLeast := time.Duration(0)
	if s, ok := w.seen[g.ID]; ok && s.stack == maphash.String(w.seed, g.Stack) {
		atLeast = now - s.since
	}
	atMost, atLeast = tb.Round(atMost), tb.Round(atLeast)
	if atMost == atLeast {
		return started, fmt.Sprintf("waiting there for %v of fake time", atLeast)
	}
	return started, fmt.Sprintf("waiting there for %v to %v of fake time", atLeast, atMost)
}
