package qtests

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"testing"
	"time"
)

// A standstill is judged from samples, this many in one limit. On a machine so
// busy that they come late it takes as many all the same: the bubble's goroutines
// come late, too.
const stallSamples = 20

// patience is how many limits the watchdog waits where the blockage may resolve
// by itself.
const patience = 6

// watch returns when the bubble has ended, and tells it the real time until
// then. It reports true, and the failure to t, when the bubble stands still: its
// time has not moved for the limit, no goroutine of it runs, and one or more wait
// for something that does not let fake time pass.
func (b *bubbleRun) watch(t *testing.T) (abandoned bool) {
	t.Helper()
	limit := stallSetting.get()
	every := limit / stallSamples
	if limit == 0 {
		every = time.Hour
	}
	tick := time.NewTicker(max(every, time.Millisecond))
	defer tick.Stop()
	w := watchdog{limit: limit, seed: maphash.MakeSeed()}
	for {
		select {
		case <-b.done:
			return false
		case b.realTime <- time.Time{}: // somebody asks: the next value is the answer
			b.realTime <- time.Now()
			w.print = 0 // a sign of life
		case now := <-tick.C:
			if limit == 0 {
				continue
			}
			switch culprits := w.sample(b, now); w.verdict(now, culprits) {
			case stalled:
				b.leaveBehind(t, w.still, culprits)
				return true
			case mayResolve:
				t.Logf("qtests: %s stands still for %v in a call that may come back by itself; waiting up to %v:\n%s",
					t.Name(), now.Sub(w.still).Round(time.Millisecond), patience*limit, describeCulprits(culprits))
			}
		}
	}
}

// leaveBehind gives the bubble up: its later reports are dropped, and the end of
// the test binary does not take its goroutines for new leaks.
func (b *bubbleRun) leaveBehind(t *testing.T, since time.Time, culprits []goroutine) {
	t.Helper()
	b.q.sealed.Store(true)
	abandonBubble(b.q.home.bubble, t.Name())
	report := fmt.Sprintf("qtests: %s stands still: for %v of real time its fake time has not moved and no goroutine of it has run.\n%s%s\n\nThe bubble is left behind; the tests that follow run.",
		t.Name(), time.Since(since).Round(time.Millisecond), describeCulprits(culprits), b.describeHolders(culprits))
	if !testing.Verbose() {
		printAtOnce("%s\n%s", report, endsProcess)
	}
	t.Errorf("%s", report)
}

// describeHolders prints the goroutines that may hold a mutex for which others
// wait: those that wait for fake time, or for each other.
func (b *bubbleRun) describeHolders(culprits []goroutine) string {
	if !slices.ContainsFunc(culprits, func(g goroutine) bool { return g.cause() == causeMutex }) {
		return ""
	}
	holders := slices.DeleteFunc(b.q.home.stuck(), func(g goroutine) bool { return !g.durable })
	if len(holders) == 0 {
		return ""
	}
	return "\n\nThe mutex is held by one of these, or by nobody any more:\n\n" + formatGoroutines(holders)
}

// A watchdog decides from samples whether a bubble stands still.
type watchdog struct {
	limit  time.Duration
	seed   maphash.Seed
	moves  uint64    // of the clock, at the last sample
	print  uint64    // of all stacks, at the last sample
	still  time.Time // when the present standstill was first seen
	same   int       // samples since then
	warned bool
}

// sample looks at the bubble and returns the goroutines that hold it up, none
// while it moves.
func (w *watchdog) sample(b *bubbleRun, now time.Time) []goroutine {
	select {
	case <-b.started:
	default:
		return nil
	}
	// The clock's own count is free; the stacks stop the world.
	if moves := b.q.clock.moves.Load(); moves != w.moves {
		w.moves, w.print = moves, 0
		return nil
	}
	var culprits []goroutine
	var h maphash.Hash
	h.SetSeed(w.seed)
	for _, g := range bubbleGoroutines(b.q.home.bubble) {
		if g.runs() || strings.Contains(g.stack, askRealTime) {
			w.print = 0
			return nil
		}
		if !g.durable && !isHost(g) {
			culprits = append(culprits, g)
		}
		fmt.Fprint(&h, g.id, g.state, g.stack)
	}
	if print := h.Sum64() | 1; print != w.print {
		w.print, w.still, w.same, w.warned = print, now, 0, false
		return nil
	}
	w.same++
	return culprits
}

// askRealTime is in the stack of a goroutine that waits for the one that samples.
var askRealTime = groundFloor + "(*bubbleRun).askRealTime("

// A verdict is what the watchdog makes of a sample.
type verdict int

const (
	moves verdict = iota
	mayResolve
	stalled
)

// verdict judges the culprits of the sample taken at now.
func (w *watchdog) verdict(now time.Time, culprits []goroutine) verdict {
	still := min(now.Sub(w.still), w.limit*time.Duration(w.same)/stallSamples)
	if len(culprits) == 0 || still < w.limit {
		return moves
	}
	waits := false
	for _, g := range culprits {
		waits = waits || g.cause().mayResolve
	}
	switch {
	case !waits || still >= patience*w.limit:
		return stalled
	case !w.warned:
		w.warned = true
		return mayResolve
	}
	return moves
}

// A cause is a kind of wait that stops the time of a bubble.
type cause struct {
	name, advice string
	mayResolve   bool
}

var (
	causeMutex   = cause{"a mutex", "Time cannot pass while a goroutine waits for a mutex. Whoever holds it must not wait for fake time meanwhile: unlock before sleeping or calling out, or guard with a channel of capacity 1, which waits durably. Where the code is not yours (a token source, a cache that loads under its lock, a sync.Once): run the test on the ordered runtime, with go tool qtests test, where time passes; or give what is called under the lock a latency of zero; or wrap it, so that one goroutine calls it and the others wait for a channel.", false}
	causeNetwork = cause{"the network", "Time cannot pass while a goroutine waits for a socket. An idle connection of an http.Client waits, too: CloseIdleConnections. Serve in memory: q.Serve, or qtests.Listen with its Dial.", true}
	causeSyscall = cause{"a system call", "Time cannot pass during a system call. Run subprocesses, and whatever else waits for the world, outside qtests.Run.", true}
	causeChannel = cause{"a channel made outside the bubble", "Time cannot pass while a goroutine waits for a channel that others can reach. Make the channel inside qtests.Run.", false}
	causeTests   = cause{"other tests, in t.Parallel", "A bubble cannot wait for other tests. Turn it round: t.Run and t.Parallel outside, and qtests.Run in each subtest.", false}
	causeGroup   = cause{"a WaitGroup made outside the bubble", "Time cannot pass while a goroutine waits for a group that others can reach. Make the WaitGroup inside qtests.Run, not in a package variable.", false}
)

// cause classifies what a goroutine that is not durably blocked waits for.
func (g goroutine) cause() cause {
	switch state := g.state; {
	case strings.Contains(g.stack, "testing.(*T).Parallel("):
		return causeTests
	case strings.HasPrefix(state, "sync.Mutex"), strings.HasPrefix(state, "sync.RWMutex"), state == "semacquire":
		return causeMutex
	case state == "IO wait":
		return causeNetwork
	case state == "syscall":
		return causeSyscall
	case strings.HasPrefix(state, "chan "), strings.HasPrefix(state, "select"):
		return causeChannel
	case strings.HasPrefix(state, "sync.WaitGroup"):
		return causeGroup
	}
	return cause{name: g.state, advice: "Time cannot pass during this wait."}
}

// describeCulprits groups the goroutines by cause, in the order in which the
// causes first appear.
func describeCulprits(culprits []goroutine) string {
	var order []cause
	groups := map[cause][]goroutine{}
	for _, g := range culprits {
		c := g.cause()
		if groups[c] == nil {
			order = append(order, c)
		}
		groups[c] = append(groups[c], g)
	}
	var b strings.Builder
	for _, c := range order {
		fmt.Fprintf(&b, "\nWaiting for %s (%d): %s\n", c.name, len(groups[c]), c.advice)
		for i, g := range groups[c] {
			if i == wholeStacks {
				fmt.Fprintf(&b, "… and %d more\n", len(groups[c])-i)
				break
			}
			fmt.Fprintf(&b, "\ngoroutine %d [%s] at %s\n%s\n", g.id, g.state, g.userLine(), g.stack)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
