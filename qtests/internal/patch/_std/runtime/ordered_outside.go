package runtime

import "internal/runtime/atomic"

// What comes from outside a bubble, or keeps its holder there.

const (
	orderedSyscallNS = 100e6 // a system call of this length gives up the turn
	orderedSpinNS    = 2e9   // and so does a goroutine that runs this long while others wait
)

func orderedWakeSysmon() {
	lock(&sched.lock)
	if sched.sysmonwait.Load() {
		sched.sysmonwait.Store(false)
		notewakeup(&sched.sysmonnote)
	}
	unlock(&sched.lock)
}

// orderedQuiet makes what the caller, outside a bubble, starts or wakes run on this thread,
// when the caller waits or ends: no other thread is woken for it. One that looks for work
// by itself may take it all the same, and sysmon sees to it where the caller goes on.
// To wake a thread takes longer than an empty bubble, and mostly it finds nothing.
func orderedQuiet(on bool) {
	gp := getg()
	if gp.bubble != nil {
		return
	}
	gp.orderedSetIndex(0)
	if on {
		gp.ordered[2] = orderedQuietBit
	}
}

// orderedWakep is wakep, but for a quiet goroutine. Where others wait for this thread, too, they are work for another one.
func orderedWakep() {
	mp := getg().m
	if gp := mp.curg; gp != nil && gp.bubble == nil && gp.ordered[2]&orderedQuietBit != 0 {
		if pp := mp.p.ptr(); atomic.Load(&pp.runqhead) == atomic.Load(&pp.runqtail) {
			return
		}
	}
	wakep()
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

// orderedBack makes gp, which comes back from a system call, wait for the turn if it
// has lost it meanwhile.
func orderedBack(gp *g) {
	b := gp.bubble
	t := b.turn
	if t == nil {
		return
	}
	lock(&b.mu)
	if t.holder.ptr() != gp {
		t.record.place(disturbedSyscall)
	}
	if t.holder == 0 {
		t.give(gp)
	}
	had := t.holder.ptr() == gp
	unlock(&b.mu)
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
	b := gp.bubble
	lock(&b.mu)
	held := b.turn.enter(gp)
	unlock(&b.mu)
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
	lock(&b.mu)
	t.record.disturb(disturbedPoller, gp)
	if t.holder == 0 {
		t.give(gp)
		unlock(&b.mu)
		return false
	}
	unlock(&b.mu)
	// Not under the lock: a change of status locks the bubble.
	trace := traceAcquire()
	casgstatus(gp, _Gwaiting, _Grunnable)
	if trace.ok() {
		trace.GoUnpark(gp, 0)
		traceRelease(trace)
	}
	lock(&b.mu)
	held := t.enter(gp)
	unlock(&b.mu)
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
	b := t.bubble
	if t.seen != t.record.turns {
		t.seen, t.since = t.record.turns, now
		return
	}
	var next *g
	lock(&b.mu)
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
	unlock(&b.mu)
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
