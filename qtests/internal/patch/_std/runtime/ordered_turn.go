package runtime

import (
	"unsafe"
)

// A turn makes the goroutines of one bubble run one at a time. The goroutine that has
// the turn is its holder; the others that could run wait in the queue. The turn passes
// on when its holder blocks, ends or yields, not when it is preempted, and not while it
// waits for the collector. So the order of a bubble does not depend on processors,
// threads, preemption or the collector.
//
// Either holder is nil and the queue is empty, or holder runs, may run, is in a system
// call, or waits for the collector.
type turn struct {
	mu      mutex
	holder  guintptr
	leaving bool // the holder is on its way into a wait; it may already be woken
	revoked bool // the holder has run too long: its next preemption passes the turn on
	random  bool // the next holder is drawn, not the first in the queue
	queue   turnQueue

	seed   uint64
	bubble *synctestBubble
	timers uint32 // timers set, which orders those of one instant
	place  uint32 // the place of the timer that is set next, 0: behind the others
	alone  bool   // it fires alone
	lone   bool   // the timer that has fired last did
	tag    int32  // of this bubble, in the state of a mutex that it holds

	states turnStates
	record turnRecord
	plan   *orderedPlan // nil unless the choices are explored
	check  func()       // called at every point, nil for none; not while it runs

	// For sysmon.
	seen  uint64 // turns at its last look
	since int64  // when it first saw this number
}

const (
	orderedSyscallNS = 100e6 // a system call of this length gives up the turn
	orderedSpinNS    = 2e9   // and so does a goroutine that runs this long while others wait
)

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

// orderedHold queues gp, which has become runnable, and reports true, unless gp may run.
// The caller makes it run then.
func orderedHold(gp *g) bool {
	t := gp.bubble.turn
	if t == nil {
		return false
	}
	lock(&t.mu)
	if t.holder.ptr() == gp && !t.leaving {
		unlock(&t.mu) // it waited for the collector
		return false
	}
	if orderedFromOutside(gp) {
		t.record.disturb(disturbedOutside, gp)
	}
	if t.plan != nil {
		t.plan.noteWake(t, gp)
	}
	held := t.enter(gp)
	unlock(&t.mu)
	if held && sched.sysmonwait.Load() {
		orderedWakeSysmon() // the holder may be in a system call, all else asleep
	}
	return held
}

func orderedWakeSysmon() {
	lock(&sched.lock)
	if sched.sysmonwait.Load() {
		sched.sysmonwait.Store(false)
		notewakeup(&sched.sysmonnote)
	}
	unlock(&sched.lock)
}

// orderedFromOutside reports whether what runs here, and wakes gp, is not of gp's bubble.
// The bubble alone wakes its root and who waits for it to come to rest.
func orderedFromOutside(gp *g) bool {
	b := gp.bubble
	if gp == b.root || gp.waitreason == waitReasonSynctestWait || orderedKeeps(gp.waitreason) {
		return false
	}
	me := getg()
	if me.bubble == b {
		return false
	}
	curg := me.m.curg
	return curg == nil || curg.bubble != b
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
		t.record.note(recordedTurn, t.states.of(gp).id, gp)
	}
}

// next makes the next goroutine of the queue the holder and returns it, or nil.
func (t *turn) next() *g {
	t.leaving, t.revoked = false, false
	if t.plan != nil {
		t.plan.pass(t)
	} else if t.random && t.queue.size > 1 {
		t.queue.toFront(uint32(t.pick(chooseTurn) % uint64(t.queue.size)))
	}
	gp := t.queue.pop()
	t.give(gp)
	return gp
}

// orderedLeave begins the wait of gp. It reports whether gp has the turn and is to pass
// it on, with pass, when the wait has begun, or to keep it, with stay, when there is none.
func orderedLeave(b *synctestBubble, gp *g) bool {
	if b == nil || b.turn == nil || orderedKeeps(gp.waitreason) {
		return false
	}
	t := b.turn
	lock(&t.mu)
	had := t.holder.ptr() == gp
	if had {
		t.leaving = true
		if t.plan != nil {
			t.plan.note(t, stepWaits, gp, 0, 0, 0, false)
		}
	}
	unlock(&t.mu)
	return had
}

func (t *turn) stay() {
	lock(&t.mu)
	t.leaving = false
	unlock(&t.mu)
}

func (t *turn) pass() {
	lock(&t.mu)
	gp := t.next()
	unlock(&t.mu)
	if gp != nil {
		runqput(getg().m.p.ptr(), gp, true)
	}
}

// orderedYield queues gp, which is runnable, passes the turn on, and reports true. It
// reports false where gp goes on: when it has been preempted, or nobody else waits.
func orderedYield(gp *g, preempted bool) bool {
	if gp.bubble == nil || gp.bubble.turn == nil {
		return false
	}
	t := gp.bubble.turn
	lock(&t.mu)
	if t.holder.ptr() != gp || t.queue.size == 0 || preempted && !t.revoked {
		unlock(&t.mu)
		return false
	}
	if preempted {
		t.record.disturb(disturbedSpin, gp)
	}
	t.queue.push(gp)
	next := t.next()
	unlock(&t.mu)
	runqput(getg().m.p.ptr(), next, true)
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
	newg.ordered = [3]uint8{}
	if b := newg.bubble; b != nil && b.turn != nil {
		b.turn.states.born(b, newg, parent)
	}
}

// orderedEnd ends gp. The turn is passed on here and not when gp is gone, because a
// goroutine that is locked to its thread ends with the thread and does not come back.
func orderedEnd(gp *g) {
	b := gp.bubble
	if b == nil || b.turn == nil {
		return
	}
	t := b.turn
	lock(&t.mu)
	had := t.holder.ptr() == gp
	if had && t.plan != nil {
		t.plan.noteEnd(t, gp)
	}
	t.states.end(gp)
	unlock(&t.mu)
	if had {
		t.pass()
	}
}

// orderedOut takes the turn from gp, which switches to another coroutine.
func orderedOut(gp *g) bool {
	b := gp.bubble
	if b == nil || b.turn == nil {
		return false
	}
	t := b.turn
	lock(&t.mu)
	had := t.holder.ptr() == gp
	if had {
		t.holder.set(gp.m.g0) // no goroutine of a bubble: all others wait
	}
	unlock(&t.mu)
	return had
}

// orderedIn gives the turn to gnext, to which gp has switched. A coroutine that was made
// outside runs for gp, which keeps the turn. gp is nil when it has ended.
func orderedIn(b *synctestBubble, gp, gnext *g) {
	t := b.turn
	lock(&t.mu)
	switch {
	case gnext.bubble == b:
		t.give(gnext)
	case gp != nil:
		t.holder.set(gp)
	default:
		gnext = t.next()
		if gnext != nil {
			runqput(getg().m.p.ptr(), gnext, true)
		}
	}
	unlock(&t.mu)
}

// orderedBack makes gp, which comes back from a system call, wait for the turn if it
// has lost it meanwhile.
func orderedBack(gp *g) {
	t := gp.bubble.turn
	if t == nil {
		return
	}
	lock(&t.mu)
	if t.holder.ptr() != gp {
		t.record.place(disturbedSyscall)
	}
	if t.holder == 0 {
		t.give(gp)
	}
	had := t.holder.ptr() == gp
	unlock(&t.mu)
	if !had {
		mcall(orderedWait_m)
	}
}

func orderedWait_m(gp *g) {
	trace := traceAcquire()
	if trace.ok() {
		trace.GoSched()
	}
	casgstatus(gp, _Grunning, _Grunnable)
	if trace.ok() {
		traceRelease(trace)
	}
	dropg()
	t := gp.bubble.turn
	lock(&t.mu)
	held := t.enter(gp)
	unlock(&t.mu)
	if !held {
		runqput(getg().m.p.ptr(), gp, true)
	}
	schedule()
}

// orderedPolled handles gp, which the poller found ready. It reports true if gp was
// queued, and false if gp has got the turn and is to run.
func orderedPolled(gp *g) bool {
	b := gp.bubble
	if b == nil || b.turn == nil {
		return false
	}
	t := b.turn
	lock(&t.mu)
	t.record.disturb(disturbedPoller, gp)
	if t.holder == 0 {
		t.give(gp)
		unlock(&t.mu)
		return false
	}
	unlock(&t.mu)
	// Not under the lock: a change of status locks the bubble.
	trace := traceAcquire()
	casgstatus(gp, _Gwaiting, _Grunnable)
	if trace.ok() {
		trace.GoUnpark(gp, 0)
		traceRelease(trace)
	}
	lock(&t.mu)
	held := t.enter(gp)
	unlock(&t.mu)
	if !held {
		orderedInject(gp)
	}
	return true
}

// orderedInject makes gp run, where there may be no P.
func orderedInject(gp *g) {
	mp := acquirem()
	lock(&sched.lock)
	globrunqput(gp)
	pp, _ := pidlegetSpinning(0)
	if pp != nil {
		startm(pp, false, true)
	}
	unlock(&sched.lock)
	releasem(mp)
}

// orderedSysmon takes the turn from holders that stay in a system call, or run, for too
// long while others wait.
func orderedSysmon(now int64) {
	if !orderedOn {
		return
	}
	lock(&orderedLive.lock)
	for b := orderedLive.head; b != nil; b = b.nextLive {
		if t := b.turn; t != nil && t.queue.size > 0 {
			t.watch(now)
		}
	}
	unlock(&orderedLive.lock)
}

func (t *turn) watch(now int64) {
	if t.seen != t.record.turns {
		t.seen, t.since = t.record.turns, now
		return
	}
	var next *g
	lock(&t.mu)
	// The holder is a g0 for the moment in which one coroutine switches to another.
	if gp := t.holder.ptr(); gp != nil && gp.bubble != nil && !t.leaving && t.seen == t.record.turns {
		switch readgstatus(gp) &^ _Gscan {
		case _Gsyscall:
			if t.queue.size > 0 && now-t.since > orderedSyscallNS {
				t.record.count(disturbedSyscall)
				next = t.next()
			}
		case _Grunning:
			t.revoked = now-t.since > orderedSpinNS
		}
	}
	unlock(&t.mu)
	if next != nil {
		incidlelocked(-1)
		orderedInject(next)
		incidlelocked(1)
	}
}

// orderedBusy reports whether sysmon must not go into its deep sleep, because a holder
// may be in a system call for which others wait.
func orderedBusy() bool {
	if !orderedOn {
		return false
	}
	busy := false
	lock(&orderedLive.lock)
	for b := orderedLive.head; b != nil && !busy; b = b.nextLive {
		busy = b.turn != nil && b.turn.queue.size > 0
	}
	unlock(&orderedLive.lock)
	return busy
}

// A turnQueue is a ring of goroutines. It lies outside the heap, where the scheduler may
// grow it; allgs keeps the goroutines alive.
type turnQueue struct {
	ring  uintptr // *[mask+1]guintptr, 0 while first serves
	mask  uint32
	head  uint32
	size  uint32
	first [turnQueueFirst]guintptr
}

const turnQueueFirst = 16

func (q *turnQueue) at(i uint32) *guintptr {
	if q.ring == 0 {
		return &q.first[(q.head+i)%turnQueueFirst]
	}
	return (*guintptr)(unsafe.Pointer(q.ring + uintptr((q.head+i)&q.mask)*unsafe.Sizeof(guintptr(0))))
}

func (q *turnQueue) len() uint32 {
	if q.ring == 0 {
		return turnQueueFirst
	}
	return q.mask + 1
}

func (q *turnQueue) push(gp *g) {
	if q.size == q.len() {
		q.grow()
	}
	q.at(q.size).set(gp)
	q.size++
}

func (q *turnQueue) pop() *g {
	if q.size == 0 {
		return nil
	}
	gp := q.at(0).ptr()
	*q.at(0) = 0
	q.head = (q.head + 1) % q.len()
	q.size--
	return gp
}

// toFront swaps the goroutine at i with the first one.
func (q *turnQueue) toFront(i uint32) {
	a, b := q.at(0), q.at(i)
	*a, *b = *b, *a
}

func (q *turnQueue) grow() {
	const word = unsafe.Sizeof(guintptr(0))
	n := q.len()
	ring := sysAlloc(uintptr(2*n)*word, &memstats.other_sys, "ordered queue")
	if ring == nil {
		throw("ordered runtime: out of memory")
	}
	for i := range n {
		*(*guintptr)(add(ring, uintptr(i)*word)) = *q.at(i)
	}
	q.free()
	q.ring, q.mask, q.head = uintptr(ring), 2*n-1, 0
}

func (q *turnQueue) free() {
	if q.ring != 0 {
		sysFree(unsafe.Pointer(q.ring), uintptr(q.mask+1)*unsafe.Sizeof(guintptr(0)), &memstats.other_sys)
		q.ring = 0
	}
}
