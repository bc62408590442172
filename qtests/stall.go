package qtests

import (
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/leftbehind"
	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
)

// DefaultStallLimit is how long, in real time, a bubble may stand still before
// the watchdog fails its test.
const DefaultStallLimit = settings.DefaultStall

// A standstill is judged from samples, this many in one limit. On a machine so
// busy that they come late it takes as many all the same: the bubble's goroutines
// come late, too.
const stallSamples = 20

// A look takes about lookTakes for each goroutine of the process, and all of them stop for a part of that. Looks are
// lookShare times as far apart as they take, so that they slow a bubble down by a tenth at most: beside 300,000
// goroutines, a look every quarter of a second, as for a limit of 5 s, took three times as long as the rest.
const (
	lookTakes = 12 * time.Microsecond
	lookShare = 10
)

// patience is how many limits the watchdog waits where the blockage may resolve
// by itself.
const patience = 6

// watchTickers are stopped tickers, all made outside of bubbles: to make one takes a
// tenth of the time that a bubble takes.
var watchTickers = sync.Pool{New: func() any { return time.NewTicker(time.Hour) }}

// watch returns when the bubble has ended, and tells it the real time until
// then. It returns what to report when the bubble stands still: its time has not
// moved for the limit, no goroutine of it runs, and one or more wait for something
// that does not let fake time pass.
func (b *bubbleRun) watch(t *testing.T) (stalledBy string) {
	limit := settings.Stall.Get()
	every := limit / stallSamples
	if limit == 0 {
		every = DefaultStallLimit / stallSamples
	}
	tick := watchTickers.Get().(*time.Ticker)
	tick.Reset(max(every, time.Millisecond))
	defer func() {
		tick.Stop()
		watchTickers.Put(tick)
	}()
	w := watchdog{limit: limit, every: every}
	for {
		select {
		case <-b.done:
			return ""
		case b.realTime <- time.Time{}: // somebody asks: the next value is the answer
			b.realTime <- time.Now()
			w.lives() // a sign of life
		case now := <-tick.C:
			bubble.Beat(now)
			if limit == 0 {
				continue
			}
			switch culprits := w.sample(b, now); w.verdict(now, culprits) {
			case stalled:
				return b.leaveBehind(t.Name(), w.still, culprits)
			case mayResolve:
				fmt.Fprintf(t.Output(), "qtests: %s stands still for %v in a call that may come back by itself; waiting up to %v:\n%s\n",
					t.Name(), now.Sub(w.still).Round(time.Millisecond), patience*limit, stacks.DescribeCulprits(culprits))
			case spins:
				b.tellOfSpin(t, &w)
			}
		}
	}
}

// leaveBehind gives the bubble up: its later reports are dropped, and the end of
// the test binary does not take its goroutines for new leaks.
func (b *bubbleRun) leaveBehind(test string, since time.Time, culprits []stacks.Goroutine) string {
	b.q.sealed.Store(true)
	leftbehind.Add(b.home.Bubble(), leftbehind.Bubble{Test: test})
	report := fmt.Sprintf("qtests: %s stands still: for %v of real time its fake time has not moved and no goroutine of it has run.\n%s%s\n\nThe bubble is left behind; the tests that follow run.",
		test, time.Since(since).Round(time.Millisecond), stacks.DescribeCulprits(culprits), b.describeHolders(culprits))
	if !testing.Verbose() {
		printAtOnce("%s\n%s", report, endsProcess)
	}
	return report
}

// tellOfSpin names a loop. Nothing can end it, and it may be a long computation:
// the test goes on. Standard error has it, too, because of a test that never ends
// go test shows no log.
func (b *bubbleRun) tellOfSpin(t *testing.T, w *watchdog) {
	text := fmt.Sprintf("qtests: %s: in each of %d looks, over %v of real time, this goroutine was running, and nothing waited on the bubble's clock. "+
		"No time passes while a goroutine runs: a loop that waits for something must wait on a channel, or Sleep. The test goes on, until the timeout of go test if the loop has no end.\n\n%s\n",
		t.Name(), w.busyLooks, w.busyFor.Round(time.Millisecond), stacks.DescribeAlike(w.busy, func(g stacks.Goroutine) string { return " at " + g.UserLine() }))
	_, _ = io.WriteString(t.Output(), text)
	if !testing.Verbose() {
		_, _ = io.WriteString(os.Stderr, text)
	}
}

// A watchdog decides from samples whether a bubble stands still.
type watchdog struct {
	limit  time.Duration
	every  time.Duration // between two looks, where few goroutines are
	last   time.Time     // when it looked, or saw that time moves
	moves  uint64        // the life of the clock, at the last sample
	print  uint64        // of all stacks, at the last sample
	still  time.Time     // when the present standstill was first seen
	seen   time.Duration // the rests since then
	warned bool
	seed   maphash.Seed

	// busy are the goroutines that ran in every sample since busySince.
	busy      []stacks.Goroutine
	busySince time.Time
	busyLooks int
	busyFor   time.Duration
	told      bool
}

// lives forgets what was seen of a standstill.
func (w *watchdog) lives() { w.print, w.busy, w.busyLooks, w.told = 0, nil, 0, false }

// sample looks at the bubble and returns the goroutines that hold it up, none
// while it moves.
func (w *watchdog) sample(b *bubbleRun, now time.Time) []stacks.Goroutine {
	if !b.started.Load() {
		return nil
	}
	// The clock's own count is free; the stacks stop the world.
	if moves := b.q.clock.Life(); moves != w.moves {
		w.moves = moves
		w.lives()
		w.last = now
		return nil
	}
	rest := w.rest(runtime.NumGoroutine())
	if now.Before(w.last.Add(rest - w.every)) {
		return nil
	}
	w.last = now
	if w.print == 0 && w.busyLooks == 0 {
		w.seed = maphash.MakeSeed()
	}
	var culprits, running []stacks.Goroutine
	var h maphash.Hash
	h.SetSeed(w.seed)
	for _, g := range b.goroutines() {
		if strings.Contains(g.Stack, askRealTime) {
			w.lives()
			return nil
		}
		if g.Runs() {
			running = append(running, g)
		}
		if !g.Durable && g.Outermost != tenancy.RunHost {
			culprits = append(culprits, g)
		}
		fmt.Fprint(&h, g.ID, g.State, g.Stack)
	}
	w.watchBusy(running, now)
	if len(running) > 0 {
		w.print = 0
		return nil
	}
	if print := h.Sum64() | 1; print != w.print {
		w.print, w.still, w.seen, w.warned = print, now, 0, false
		return nil
	}
	w.seen += rest
	return culprits
}

// rest is how long the watchdog waits with a look beside so many goroutines, which are those of now: while a million come
// at one instant, they were few a moment ago. It looks at the next tick, where they are few.
func (w *watchdog) rest(goroutines int) time.Duration {
	return max(w.every, time.Duration(goroutines)*lookTakes*lookShare)
}

// watchBusy keeps those of the goroutines that ran at the last sample as well.
func (w *watchdog) watchBusy(running []stacks.Goroutine, now time.Time) {
	if w.busyLooks == 0 {
		w.busySince = now
	} else {
		before := make(map[uint64]bool, len(w.busy)) // on the ordered runtime thousands may wait for their turn
		for _, g := range w.busy {
			before[g.ID] = true
		}
		running = slices.DeleteFunc(running, func(g stacks.Goroutine) bool { return !before[g.ID] })
	}
	w.busy, w.busyFor = running, now.Sub(w.busySince)
	w.busyLooks++
	if len(running) == 0 {
		w.busyLooks, w.told = 0, false
	}
}

// askRealTime is in the stack of a goroutine that waits for the one that samples.
var askRealTime = stacks.GroundFloor + "(*bubbleRun).askRealTime("

// A verdict is what the watchdog makes of a sample.
type verdict int

const (
	moves verdict = iota
	mayResolve
	stalled
	spins
)

// verdict judges the culprits of the sample taken at now.
func (w *watchdog) verdict(now time.Time, culprits []stacks.Goroutine) verdict {
	if w.busyLooks > stallSamples && w.busyFor >= w.limit && !w.told {
		w.told = true
		return spins
	}
	still := min(now.Sub(w.still), w.seen)
	if len(culprits) == 0 || still < w.limit {
		return moves
	}
	waits := false
	for _, g := range culprits {
		waits = waits || g.Cause().MayResolve
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

// goroutines returns those of the bubble, none before it has begun. It is for
// the goroutine that called runBubble, by which it finds the bubble from outside.
func (b *bubbleRun) goroutines() []stacks.Goroutine {
	if n := b.home.Number.Load(); n != 0 {
		return stacks.OfBubble(n)
	}
	watcher := stacks.This().ID
	all := stacks.Where(stacks.Dump(), func(h *stacks.Header) bool { return h.Bubble != 0 })
	i := slices.IndexFunc(all, func(g stacks.Goroutine) bool { return g.Parent == watcher && g.Outermost == tenancy.RunHost })
	if i < 0 {
		return nil
	}
	n := all[i].Bubble
	b.home.Number.Store(n)
	return slices.DeleteFunc(all, func(g stacks.Goroutine) bool { return g.Bubble != n })
}

// describeHolders says of those who wait for a mutex who may hold it: each other,
// where they wait for several, or those of the bubble that wait for something else.
func (b *bubbleRun) describeHolders(culprits []stacks.Goroutine) string {
	waiters := slices.DeleteFunc(slices.Clone(culprits), func(g stacks.Goroutine) bool { return g.Cause() != stacks.CauseMutex })
	if len(waiters) == 0 {
		return ""
	}
	others := slices.DeleteFunc(b.home.Stuck(), func(g stacks.Goroutine) bool { return !g.Durable })
	holders := slices.DeleteFunc(slices.Clone(others), stacks.Goroutine.Joins)
	cycle := stacks.DescribeCycle(waiters, len(holders) == 0)
	switch {
	case cycle != "" && len(holders) == 0, len(others) == 0:
		return cycle
	}
	return cycle + "\n\nThe mutex is held by one of these, or by nobody any more:\n\n" + stacks.Format(others)
}
