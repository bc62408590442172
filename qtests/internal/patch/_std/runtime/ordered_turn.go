package runtime

// A turn makes the goroutines of one bubble run one at a time. The goroutine that has
// the turn is its holder; the others that could run wait in the queue. The turn passes
// on when its holder blocks, ends or yields, not when it is preempted, and not while it
// waits for the collector. So the order of a bubble does not depend on processors,
// threads, preemption or the collector.
//
// Either holder is nil and the queue is empty, or holder runs, may run, is in a system
// call, or waits for the collector.
//
// The mutex of the bubble guards the turn, so that one locking moves the turn and counts
// the goroutines that run. What only the holder changes it changes without: who it is,
// while it runs; its leaving; the timers; and the states.
//
// A turn is used again by the next bubble, with the memory of its queue and its states.
type turn struct {
	turnNow
	queue  turnQueue
	states turnStates

	// In a list.
	behind *turn
	opener uint64         // goid of the goroutine that will open the bubble
	events *orderedEvents // of the bubble; the library keeps them until it has begun
}

// turnNow is what a turn is to one bubble.
type turnNow struct {
	bubble *synctestBubble
	tag    int32 // of the bubble, in the state of a mutex that it holds
	random bool  // the next holder is drawn, not the first in the queue

	holder  guintptr
	leaving bool // the holder is on its way into a wait; it may already be woken
	owes    bool // and the wait is durable: the holder is still counted as one that runs
	revoked bool // the holder has run too long: its next preemption passes the turn on

	alone  bool   // the timer that is set next fires alone
	lone   bool   // the timer that has fired last did
	place  uint32 // of the timer that is set next, 0: behind the others
	timers uint32 // timers set, which orders those of one instant

	record turnRecord

	// For sysmon.
	seen  uint64 // turns at its last look
	since int64  // when it first saw this number
}

// orderedKeeps reports whether a wait for this reason is the runtime's own affair, for
// which the turn is not given up.
func orderedKeeps(r waitReason) bool {
	switch r {
	case waitReasonGCAssistMarking, waitReasonGCAssistWait, waitReasonGCSweepWait, waitReasonWaitForGCCycle,
		waitReasonGarbageCollection, waitReasonGarbageCollectionScan, waitReasonGCMarkTermination, waitReasonGCWeakToStrongWait,
		waitReasonDumpingHeap, waitReasonPanicWait, waitReasonPreempted, waitReasonDebugCall, waitReasonStoppingTheWorld,
		waitReasonFlushProcCaches, waitReasonTraceGoroutineStatus, waitReasonTraceProcStatus, waitReasonPageTraceFlush,
		waitReasonOrderedRuntime:
		return true
	}
	return false
}

// orderedWaking leaves it to orderedHold to count gp, which is woken.
func orderedWaking(gp *g) {
	if gp.bubble.turn != nil && gp.waitreason.isIdleInSynctest() {
		gp.orderedCount()
	}
}

// orderedHold queues gp, which has become runnable, and reports true, unless gp may run.
// The caller makes it run then.
func orderedHold(gp *g) bool {
	b := gp.bubble
	t := b.turn
	if t == nil {
		return false
	}
	lock(&b.mu)
	if gp.waitreason.isIdleInSynctest() {
		b.running++
	}
	if t.holder.ptr() == gp && !t.leaving {
		unlock(&b.mu) // it waited for the collector
		return false
	}
	if orderedFromOutside(gp) {
		t.record.disturb(disturbedOutside, gp)
	}
	if b.plan != nil {
		b.plan.noteWake(t, gp)
	}
	held := t.enter(gp)
	unlock(&b.mu)
	if held && sched.sysmonwait.Load() {
		orderedWakeSysmon() // the holder may be in a system call, all else asleep
	}
	return held
}

// enter gives gp the turn when it is free and reports false, or queues gp and reports true.
func (t *turn) enter(gp *g) bool {
	if t.holder == 0 {
		t.give(gp)
		return false
	}
	t.queue.push(gp)
	return true
}

// give makes gp, which may be nil, the holder.
func (t *turn) give(gp *g) {
	t.holder.set(gp)
	if gp != nil {
		t.record.turns++
		t.note(recordedTurn, t.states.of(gp).id, gp)
	}
}

// next makes the next goroutine of the queue the holder and returns it, or nil.
func (t *turn) next() *g {
	t.leaving, t.revoked = false, false
	if p := t.bubble.plan; p != nil {
		p.pass(t)
	} else if t.random && t.queue.size > 1 {
		t.queue.toFront(uint32(t.pick(chooseTurn) % uint64(t.queue.size)))
	}
	gp := t.queue.pop()
	t.give(gp)
	return gp
}

// orderedLeave begins the wait of gp. It reports whether gp has the turn and is to pass
// it on, with pass, when the wait has begun, or to keep it, with stay, when there is none.
// Until then gp counts as one that runs, so that the bubble does not come to rest.
func orderedLeave(b *synctestBubble, gp *g) bool {
	if b == nil || b.turn == nil || b.turn.holder.ptr() != gp || orderedKeeps(gp.waitreason) {
		return false
	}
	t := b.turn
	if b.plan != nil {
		lock(&b.mu)
		b.plan.note(t, stepWaits, gp, 0, 0, 0)
		unlock(&b.mu)
	}
	t.leaving = true
	if gp.waitreason.isIdleInSynctest() {
		t.owes = true
		gp.orderedCount()
		if raceenabled {
			racereleasemergeg(gp, b.raceaddr()) // it waits before what follows synctest.Wait
		}
	}
	return true
}

func (t *turn) stay(gp *g) {
	t.leaving = false
	if t.owes {
		t.owes = false
		gp.orderedCount()
	}
}

// pass passes the turn on behind the wait of its holder. It returns only where the next
// goroutine has to be found by the scheduler.
func (t *turn) pass() {
	lock(&t.bubble.mu)
	if t.owes {
		t.owes = false
		t.bubble.running--
	}
	if gp := t.onward(); gp != nil {
		orderedSwitch(gp)
	}
}

// onward unlocks the bubble and returns the next goroutine, which is to be made run, or
// nil. Where nobody else can run, it is the one that lets time pass or waits for rest.
func (t *turn) onward() *g {
	b := t.bubble
	if gp := t.next(); gp != nil {
		unlock(&b.mu)
		return gp
	}
	gp := b.maybeWakeLocked()
	if gp == nil {
		unlock(&b.mu)
		return nil
	}
	b.running++
	t.give(gp)
	unlock(&b.mu)
	// Not by ready, which would also wake a thread to look for more work.
	trace := traceAcquire()
	gp.orderedCount()
	casgstatus(gp, _Gwaiting, _Grunnable)
	if trace.ok() {
		trace.GoUnpark(gp, 0)
		traceRelease(trace)
	}
	return gp
}

// orderedSwitch makes gp run on this thread at once, as a coroutine does, unless the
// scheduler has something to look after. That is at least every 10 ms, when sysmon wants
// the processor back.
func orderedSwitch(gp *g) {
	mp := getg().m
	pp := mp.p.ptr()
	if pp.preempt || sched.gcwaiting.Load() || gcBlackenEnabled != 0 || pp.runSafePointFn != 0 || sched.disable.user ||
		mp.lockedg != 0 || gp.lockedm != 0 {
		runqput(pp, gp, true)
		return
	}
	execute(gp, true)
}

// orderedTimer is changegstatus for a timer that fires. In an ordered bubble the goroutine that
// fires it has the turn, and counts as one that runs.
func (b *synctestBubble) orderedTimer(gp *g, oldval, newval uint32) {
	if b.turn == nil {
		b.changegstatus(gp, oldval, newval)
	}
}

// orderedYield queues gp, which is runnable, passes the turn on, and reports true. It
// reports false where gp goes on: when it has been preempted, or nobody else waits.
func orderedYield(gp *g, preempted bool) bool {
	if gp.bubble == nil || gp.bubble.turn == nil {
		return false
	}
	b := gp.bubble
	t := b.turn
	lock(&b.mu)
	if t.holder.ptr() != gp || t.queue.size == 0 || preempted && !t.revoked {
		unlock(&b.mu)
		return false
	}
	if preempted {
		t.record.disturb(disturbedSpin, gp)
	}
	t.queue.push(gp)
	runqput(getg().m.p.ptr(), t.onward(), true)
	return true
}

// orderedGosched is Gosched for the runtime's own use: the collector's pauses differ
// from run to run and must not move the turn.
func orderedGosched() {
	checkTimeouts()
	mcall(orderedGosched_m)
}

func orderedGosched_m(gp *g) {
	goschedImpl(gp, true)
}

// orderedBorn gives newg, a goroutine of an ordered bubble, its identity.
func orderedBorn(newg, parent *g) {
	newg.orderedSetIndex(0)
	if b := newg.bubble; b != nil && b.turn != nil && b.main != nil {
		b.turn.states.born(b.now, newg, parent)
		if b.plan != nil {
			lock(&b.mu)
			b.plan.noteOf(b.turn, stepStarts, parent, b.turn.states.of(newg).id, 0, uint64(newg.startpc), 0)
			unlock(&b.mu)
		}
	}
}

// orderedEnd ends gp. The turn is passed on here and not when gp is gone, because a
// goroutine that is locked to its thread ends with the thread and does not come back.
func orderedEnd(gp *g) {
	b := gp.bubble
	if b == nil || b.turn == nil {
		gp.orderedSetIndex(0) // it may be quiet; what uses its g again is not
		return
	}
	t := b.turn
	if b.plan != nil && t.holder.ptr() == gp {
		lock(&b.mu)
		b.plan.noteEnd(t, gp)
		unlock(&b.mu)
	}
	t.states.end(gp)
	if t.holder.ptr() == gp {
		lock(&b.mu)
		if gp = t.onward(); gp != nil {
			runqput(getg().m.p.ptr(), gp, true)
		}
	}
}

// orderedOut takes the turn from gp, which switches to another coroutine.
func orderedOut(gp *g) bool {
	b := gp.bubble
	if b == nil || b.turn == nil {
		return false
	}
	t := b.turn
	had := t.holder.ptr() == gp
	if had {
		t.holder.set(gp.m.g0) // no goroutine of a bubble: all others wait
	}
	return had
}

// orderedIn gives the turn to gnext, to which gp has switched. A coroutine that was made
// outside runs for gp, which keeps the turn. gp is nil when it has ended.
func orderedIn(b *synctestBubble, gp, gnext *g) {
	t := b.turn
	lock(&b.mu)
	switch {
	case gnext.bubble == b:
		t.give(gnext)
	case gp != nil:
		t.holder.set(gp)
	default:
		if gnext = t.onward(); gnext != nil {
			runqput(getg().m.p.ptr(), gnext, true)
		}
		return
	}
	unlock(&b.mu)
}
