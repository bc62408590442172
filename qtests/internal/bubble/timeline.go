package bubble

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/turns"
)

// A timeline is what a tieFree clock knows: which instants are taken, and which one is now. It owns the lock of the
// clock. Each method takes the lock once, but for those called Locked, which the holder of the lock calls. Nothing
// waits under it, and no code of the user runs.
//
// Terms: the raw instant is the bubble's own time, the nominal instant is what
// was asked for. A claim is the pair of the two for one pending wait; no two
// claims have the same raw instant, so the runtime, which orders timers of one
// instant at random, never has two to order.
type timeline struct {
	// Watch has the trace. It is told under the lock, so that it has the claims in their order.
	Watch
	moves atomic.Uint64 // counts what passed through the clock

	mu struct {
		sync.Mutex
		claims  claims
		current claim // the claim whose instant is now, once it has fired
		latest  int64 // the latest nominal instant that Now has returned
		// reach is the farthest behind its nominal instant that anything has run: what
		// such code set going on package time counts from there.
		reach    int64
		sleepers map[int64][]turns.Turn // of T.Sleep, by the nominal instant they wait for; nil before the first
		timers   uint64                 // how many AfterFuncs there were
		late     []lateCall
	}
}

// claim takes a raw instant for a wait of d from now, and returns it with the
// duration to wait on package time. With lapse the claim is forgotten by itself
// once its instant has passed; otherwise it stays until settled.
func (l *timeline) claim(d time.Duration, lapse bool) (taken claim, wait time.Duration) {
	l.Rests.call()
	now := time.Now().UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	nominal := saturatingAdd(l.nominalLocked(now), max(d, 0))
	raw := l.takeLocked(now, nominal)
	l.Trace.Wait(l.mu.latest, nominal)
	if lapse {
		l.mu.claims.lapse(raw)
	}
	return claim{raw, nominal}, time.Duration(raw - now)
}

func (l *timeline) takeLocked(now, nominal int64) (raw int64) {
	l.moves.Add(1)
	return l.mu.claims.take(now, nominal)
}

// fired makes the claim, whose instant is now, the current one: until time moves
// on, Now returns its nominal instant, as fired does.
func (l *timeline) fired(taken claim) int64 {
	l.mu.Lock()
	l.mu.claims.settle(taken.raw)
	now := l.enterLocked(taken)
	l.mu.Unlock()
	l.Rests.call()
	return now
}

// abandon gives the instant of a cancelled wait back.
func (l *timeline) abandon(taken claim) {
	now := time.Now().UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nominalLocked(now) // it may be the claim by which this instant is known
	l.mu.claims.settle(taken.raw)
}

// pass gives the instant of a wait back, which is now or has passed, and returns the nominal instant that is now.
func (l *timeline) pass(taken claim) (nominal int64) {
	now := time.Now().UnixNano()
	l.mu.Lock()
	nominal = l.passLocked(now, taken)
	l.mu.Unlock()
	l.Rests.call()
	return nominal
}

func (l *timeline) passLocked(now int64, taken claim) (nominal int64) {
	if now == taken.raw {
		nominal = l.enterLocked(taken)
	} else {
		nominal = l.nominalLocked(now)
	}
	l.mu.claims.settle(taken.raw)
	return nominal
}

// trade is pass, and then claims an instant for a wait until another nominal one.
func (l *timeline) trade(taken claim, until int64) (nominal int64, next claim) {
	now := time.Now().UnixNano()
	l.mu.Lock()
	nominal = l.passLocked(now, taken)
	next.nominal = max(until, nominal)
	next.raw = l.takeLocked(now, next.nominal)
	l.Trace.Wait(nominal, next.nominal)
	l.mu.Unlock()
	l.Rests.call()
	return nominal, next
}

// nominalLocked translates the raw instant now. It never goes back: an event
// that was displaced past a later one sees the time of the later one.
func (l *timeline) nominalLocked(now int64) int64 {
	here := l.mu.current
	if here.raw != now {
		here = claim{raw: now, nominal: now}
		if nominal, ok := l.mu.claims.nominal(now); ok {
			here.nominal = nominal
		} else if now-l.mu.latest <= l.mu.claims.stretch {
			// An event of package time, no farther behind the present instant than
			// those that the clock displaced: it counts from one of them.
			here.nominal = l.mu.latest
		}
	}
	return l.enterLocked(here)
}

// enterLocked makes here the present instant, and returns its nominal one.
func (l *timeline) enterLocked(here claim) int64 {
	l.mu.current = here
	l.mu.latest = max(l.mu.latest, here.nominal)
	l.mu.reach = max(l.mu.reach, here.raw-here.nominal)
	return l.mu.latest
}

// Now returns the nominal instant: inside an event that the clock displaced, the
// instant that was asked for.
func (l *timeline) Now() time.Time {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	raw := now.UnixNano()
	return now.Add(time.Duration(l.nominalLocked(raw) - raw))
}

// Since is Now().Sub(t), without the making of a Time where both, and so what is between
// them, fit into nanoseconds since 1970.
func (l *timeline) Since(t time.Time) time.Duration {
	const fits = math.MaxInt64 / int64(time.Second)
	if s := t.Unix(); s < 0 || s >= fits {
		return l.Now().Sub(t)
	}
	raw := time.Now().UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.nominalLocked(raw) - t.UnixNano())
}

// Last returns the latest instant that anybody saw, for callers outside the
// bubble, whose package time is real.
func (l *timeline) Last() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Unix(0, l.mu.latest)
}

// Life counts what passed through the clock.
func (l *timeline) Life() uint64 { return l.moves.Load() }

// Pending returns how many waits are pending.
func (l *timeline) Pending() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.claims.taken.n
}

// Stats returns the figures of the clock, all of one instant.
func (l *timeline) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{
		Waits:           l.moves.Load(),
		Pending:         uint64(l.mu.claims.taken.n),
		MaxDisplacement: time.Duration(l.mu.claims.stretch),
	}
}

// keepOff keeps claims off the instants of a ticker that is made now.
func (l *timeline) keepOff() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.claims.reserve(time.Now().UnixNano())
}

// newTimer makes the timer of an AfterFunc, whose first call is due at a claim, after a wait on package time.
func (l *timeline) newTimer(f func(), taken claim, wait time.Duration) *funcTimer {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.timers++
	return &funcTimer{order: l.mu.timers, where: l.Trace.Caller(), f: f, planned: taken, last: claim{taken.raw - int64(wait), l.mu.latest}, own: -1}
}

// fires reports whether a timer fires at an instant of its own, which is then the current one. If not, its call is
// queued. The first in the queue gets the raw instant next, at which to take them all with lateOnes, and how long
// package time has to wait for it: by then every timer of the present instant has queued its call. Which of them was
// the first is chance, so nobody may see its nominal instant.
func (l *timeline) fires(t *funcTimer) (inTime bool, next int64, wait time.Duration) {
	now := time.Now().UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !t.mayFire(now) {
		due := t.dueAt(now, l.mu.claims.stretch)
		l.mu.late = append(l.mu.late, lateCall{t, due})
		if len(l.mu.late) > 1 {
			return false, 0, 0
		}
		next = l.takeLocked(now, due)
		return false, next, time.Duration(next - now)
	}
	if t.last = t.planned; now != t.planned.raw {
		t.last = claim{now, t.dueAt(now, l.mu.claims.stretch)}
		l.Trace.Late(t.where, t.last.nominal)
	}
	t.ran = true
	l.mu.claims.settle(t.last.raw)
	l.enterLocked(t.last)
	return true, 0, 0
}

// lateOnes takes the queue of late calls, at the raw instant for which fires has asked.
func (l *timeline) lateOnes(now int64) []lateCall {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.claims.settle(now)
	late := l.mu.late
	l.mu.late = nil
	return late
}

// claimLate takes an instant for a late call, and returns how long package time has to wait for it. A timer that
// resets itself gets a nanosecond of its own.
func (l *timeline) claimLate(call lateCall) (taken claim, wait time.Duration) {
	t, now := call.timer, time.Now().UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	taken.nominal = max(call.due, l.mu.latest)
	l.Trace.Late(t.where, taken.nominal)
	own := false
	if t.ran && t.own < 0 && (call.due-t.last.nominal)%microsecond == 0 {
		taken.raw, own = l.mu.claims.takeOwn(now, taken.nominal)
	}
	if own {
		t.own = taken.raw % microsecond
		l.moves.Add(1)
	} else {
		taken.raw = l.takeLocked(now, taken.nominal)
	}
	t.last, t.ran = taken, true
	return taken, time.Duration(taken.raw - now)
}

// joinSleepers appends to those who sleep until d from now. The first of them takes
// an instant to wake them all at, in the order of the calls; for the others it is
// too late to wait for another one. behind is how far the caller is displaced: what
// it began on package time counts from there.
func (l *timeline) joinSleepers(d time.Duration, mine turns.Turn) (taken claim, behind int64, first bool) {
	l.Rests.call()
	now := time.Now().UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	nominal := saturatingAdd(l.nominalLocked(now), d)
	behind = now - l.mu.latest
	l.moves.Add(1)
	l.Trace.Wait(l.mu.latest, nominal)
	all, joined := l.mu.sleepers[nominal]
	if l.mu.sleepers == nil {
		l.mu.sleepers = map[int64][]turns.Turn{}
	}
	l.mu.sleepers[nominal] = append(all, mine)
	if joined {
		return claim{}, behind, false
	}
	return claim{l.mu.claims.takeAny(now, nominal), nominal}, behind, true
}

// wakeSleepers returns those who sleep until the claim's instant, which is now.
func (l *timeline) wakeSleepers(taken claim) []turns.Turn {
	l.fired(taken)
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.mu.sleepers[taken.nominal]
	delete(l.mu.sleepers, taken.nominal)
	return all
}

// instantLeft returns how long package time has to wait for the end of the present
// nominal instant, for somebody who was displaced by behind when he began to wait
// for it. An instant between two microseconds is one at which a test looks closely:
// it ends for him alone, and not for others who were displaced farther.
func (l *timeline) instantLeft(behind int64) time.Duration {
	now := time.Now().UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	nominal := l.nominalLocked(now)
	if nominal%microsecond == 0 {
		behind = max(behind, l.mu.reach)
	}
	return time.Duration(l.mu.claims.end(now, nominal, behind) - now)
}
