package patch

var (
	proc     = []string{"runtime/proc.go"}
	gc       = []string{"runtime/mgc.go"}
	gcMark   = []string{"runtime/mgcmark.go"}
	poll     = []string{"runtime/netpoll.go"}
	coro     = []string{"runtime/coro.go"}
	choice   = []string{"runtime/select.go"}
	timer    = []string{"runtime/time.go"}
	random   = []string{"runtime/rand.go"}
	dying    = []string{"runtime/panic.go"}
	hashKeys = []string{"internal/runtime/maps/runtime_alg.go", "runtime/alg.go"} // since 1.27, and before
	mapSeeds = []string{"internal/runtime/maps/map.go"}
	sema     = []string{"runtime/sema.go"}
	structs  = []string{"runtime/runtime2.go"}
	bubble   = []string{"runtime/synctest.go"}
	channel  = []string{"runtime/chan.go"}
	mutex    = []string{"internal/sync/mutex.go"}
	trie     = []string{"internal/sync/hashtriemap.go"}
	rwmutex  = []string{"sync/rwmutex.go"}
	pool     = []string{"sync/pool.go"}
	rand1    = []string{"math/rand/rand.go"}
	rand2    = []string{"math/rand/v2/rand.go"}
	system   = []string{"crypto/internal/sysrand/rand.go"}
)

// changes are all of them. The text names variables of the functions it is put into;
// the type check finds out when they are not there.
var changes = []change{
	// Who runs.
	{files: proc, in: "ready", what: "the turn counts it",
		find: stmtCalling("casgstatus"), put: before, text: "if gp.bubble != nil { orderedWaking(gp) }"},
	{files: proc, in: "ready", what: "a goroutine that is woken waits for the turn",
		find: stmtCalling("runqput"), put: before, text: "if gp.bubble != nil && orderedHold(gp) { releasem(mp); return }"},
	{files: proc, in: "newproc", what: "a goroutine that is started waits for the turn",
		find: stmtCalling("runqput"), put: before, text: "if newg.bubble != nil && orderedHold(newg) { return }"},
	{files: proc, in: "ready", what: "no thread is woken for what runs here next", find: callOf("wakep"), put: callInstead, text: "orderedWakep"},
	{files: proc, in: "newproc", what: "no thread is woken for what runs here next", find: callOf("wakep"), put: callInstead, text: "orderedWakep"},
	{files: proc, in: "newproc1", what: "it gets an identity",
		find: stmtSetting("newg.bubble"), put: after, text: "orderedBorn(newg, callergp)"},
	{files: proc, in: "park_m", what: "a wait begins",
		find: stmtDefining("bubble"), put: after, text: "leaving := orderedLeave(bubble, gp)"},
	{files: proc, in: "park_m", what: "the turn keeps the bubble from coming to rest",
		find: doing("bubble.incActive", ifMentioning("bubble")), put: andAlso, text: "!leaving"},
	{files: proc, in: "park_m", what: "the turn keeps the bubble from coming to rest", n: 2,
		find: doing("bubble.decActive", ifMentioning("bubble")), put: andAlso, text: "!leaving"},
	{files: proc, in: "park_m", what: "a wait is none",
		find: nested(stmtCalling("casgstatus")), put: before, text: "if leaving { bubble.turn.stay(gp) }"},
	{files: proc, in: "park_m", what: "the turn passes on behind a wait",
		find: top(stmtCalling("schedule")), put: before, text: "if leaving { bubble.turn.pass() }"},
	{files: bubble, in: "synctestBubble.changegstatus", what: "what the turn counts",
		find: theFunc, put: onEntry, text: "if gp.orderedCounted() { return }"},
	{files: timer, in: "timer.unlockAndRun", what: "a timer has the turn of the goroutine that runs it", n: 2,
		find: callOf("bubble.changegstatus"), put: callInstead, text: "bubble.orderedTimer"},
	{files: proc, in: "goschedImpl", what: "the turn passes on at a yield",
		find: top(stmtCalling("dropg")), put: after, text: "if orderedYield(gp, preempted) { schedule() }"},
	{files: proc, in: "gdestroy", what: "the turn passes on at the end",
		find: stmtSetting("gp.bubble"), put: before, text: "orderedEnd(gp)"},
	{files: coro, in: "coroswitch_m", what: "a coroutine gives its turn",
		find: stmtDefining("canCAS"), put: before, text: "turnOut := orderedOut(gp)"},
	{files: coro, in: "coroswitch_m", what: "to the other one",
		find: stmtCalling("bubble.decActive"), put: before, text: "if turnOut { orderedIn(bubble, gp, gnext) }"},

	// What comes from outside.
	{files: proc, in: "exitsyscall", what: "behind a system call", n: 2,
		find: stmtSetting("gp.throwsplit"), put: after, text: "if gp.bubble != nil { orderedBack(gp) }"},
	{files: proc, in: "sysmon", what: "long system calls and loops",
		find: ifMentioning("retake"), put: before, text: "orderedSysmon(now)"},
	{files: proc, in: "sysmon", what: "no deep sleep meanwhile",
		find: ifMentioning("npidle", "schedtrace"), put: andAlso, text: "!orderedBusy()"},
	{files: poll, in: "netpollready", what: "what the poller wakes", n: 2,
		find: doing("toRun.push", ifMentioning("nil")), put: andAlso, text: "!orderedPolled($x)"},

	// What is explored outlives the process.
	{files: dying, in: "dopanic_m", what: "the end of the process", find: theFunc, put: onEntry, text: "if orderedOn { orderedDump(gp) }"},

	// What the collector does must not move the turn.
	{files: gc, what: "the collector's yields", n: 4, find: callOf("Gosched"), put: callInstead, text: "orderedGosched"},
	{files: gcMark, what: "the collector's yields", find: callOf("Gosched"), put: callInstead, text: "orderedGosched"},
	{files: proc, in: "exitsyscall", what: "the collector's yields", find: callOf("Gosched"), put: callInstead, text: "orderedGosched"},
	{files: proc, in: "goschedguarded_m", what: "the allocator's yields", find: callOf("goschedImpl"), put: lastArgInstead, text: "true"},
	{files: sema, in: "semacquire", what: "the runtime's own semaphores",
		find: identIn("waitReasonSemacquire", "semacquire1"), put: insteadOf, text: "waitReasonOrderedRuntime"},

	// Choices.
	{files: choice, in: "selectgo", what: "which ready case", find: callOf("cheaprandn"), put: callInstead, text: "orderedCaseRand"},
	{files: timer, in: "timer.modify", what: "which timer of one instant", find: stmtSetting("t.when"), put: before,
		text: "if t.isFake && t.state&timerHeaped == 0 { t.rand = orderedTimerRand() }"},
	{files: timer, in: "timer.modify", what: "a timer that fires alone does not fire at once", find: ifMentioning("timerHeaped", "bubble"), put: andAlso,
		text: "!bubble.firesAlone(t)"},
	{files: timer, in: "timers.check", what: "a timer that fires alone", find: ifCalling("ts.run"), put: before,
		text: "if bubble != nil && bubble.turn != nil && bubble.turn.apart(ts, ran) { break }"},
	{files: timer, in: "timer.maybeAdd", what: "which timer of one instant", find: callOf("cheaprand"), put: insteadOf, text: "orderedTimerKeep(t)"},
	{files: random, in: "rand", what: "random numbers", find: theFunc, put: onEntry, text: "if x, ok := orderedRand(); ok { return x }"},
	{files: random, in: "maps_rand", what: "where a range over a map begins", find: callOf("rand"), put: callInstead, text: "orderedMapRand"},
	{files: hashKeys, what: "the keys of hash functions", n: 2, find: callOf("bootstrapRand"), put: callInstead, text: "orderedHashKey"},
	{files: mapSeeds, what: "the seeds of maps", n: 4, find: callOf("rand"), put: callInstead, text: "orderedSeed"},
	{files: trie, what: "the seeds of sync.Map", find: callOf("runtime_rand"), put: callInstead, text: "runtime_orderedSeed"},
	{files: rand1, what: "math/rand", find: linknameOf("runtime_rand"), put: insteadOf, text: "//go:linkname runtime_rand runtime.orderedUserRand"},
	{files: rand2, what: "math/rand/v2", find: linknameOf("runtime_rand"), put: insteadOf, text: "//go:linkname runtime_rand runtime.orderedUserRand"},
	{files: system, in: "Read", what: "crypto/rand", find: theFunc, put: onEntry, text: "if runtime_orderedCrypto(b) { return }"},

	// Mutexes.
	{files: mutex, in: "mutexWaiterShift", what: "room for the holder's bubble", find: constValue("mutexWaiterShift"), put: insteadOf, text: "iota + mutexTagBits"},
	{files: mutex, in: "Mutex.Lock", what: "who holds it", find: callOf("atomic.CompareAndSwapInt32"), put: lastArg, text: "|runtime_orderedTag()"},
	{files: mutex, in: "Mutex.TryLock", what: "who holds it", find: callOf("atomic.CompareAndSwapInt32"), put: lastArg, text: "|runtime_orderedTag()"},
	{files: mutex, in: "Mutex.lockSlow", what: "on its way to another",
		find: ifMentioning("runtime_canSpin"), put: before, text: "if old&(mutexLocked|mutexStarving) == mutexStarving && runtime_orderedHandOff() { old = m.state; continue }"},
	{files: mutex, in: "Mutex.lockSlow", what: "who holds it",
		find: settingTo("new", "mutexLocked"), put: after, text: "if old&mutexLocked == 0 { new |= runtime_orderedTag() }"},
	{files: mutex, in: "Mutex.lockSlow", what: "who holds it", find: stmtDefining("delta"), put: after, text: "delta += runtime_orderedTag()"},
	{files: mutex, in: "Mutex.lockSlow", what: "the wait is durable", find: callOf("runtime_SemacquireMutex"), put: callInstead, text: "orderedAcquire"},
	{files: mutex, in: "Mutex.lockSlow", what: "the wait is durable", find: callOf("runtime_SemacquireMutex"), put: lastArg, text: ", old"},
	{files: mutex, in: "Mutex.Unlock", what: "nobody holds it", find: callOf("atomic.AddInt32"), put: lastArgInstead, text: "-(mutexLocked | m.state&mutexTagMask)"},
	{files: rwmutex, in: "RWMutex", what: "its readers", find: structBody, put: lastField, text: "ordered orderedReaders; "},
	{files: rwmutex, in: "RWMutex.RLock", what: "a reader more", find: ifMentioning("readerCount"), put: before, text: "rw.ordered.add(1)"},
	{files: rwmutex, in: "RWMutex.RLock", what: "the wait is durable", find: callOf("runtime_SemacquireRWMutexR"), put: insteadOf, text: "rw.orderedAcquireR()"},
	{files: rwmutex, in: "RWMutex.TryRLock", what: "a reader more", find: ifMentioning("readerCount", "CompareAndSwap"), put: onEntry, text: "rw.ordered.add(1)"},
	{files: rwmutex, in: "RWMutex.RUnlock", what: "a reader less", find: ifMentioning("readerCount"), put: before, text: "rw.ordered.add(-1)"},
	{files: rwmutex, in: "RWMutex.Lock", what: "the wait is durable", find: callOf("runtime_SemacquireRWMutex"), put: insteadOf, text: "rw.orderedAcquireW(r)"},
	{files: sema, in: "internal_sync_nanotime", what: "its fairness goes by fake time", find: theFunc, put: onEntry, text: "if now, on := orderedNanotime(); on { return now }"},
	{files: proc, in: "internal_sync_runtime_canSpin", what: "nobody spins", find: theFunc, put: onEntry, text: "if _, on := orderedNanotime(); on { return false }"},

	// One bubble and the next.
	{files: pool, in: "Pool.Put", what: "pools of the bubble", find: top(ifMentioning("x", "nil")), put: after, text: "if p.orderedPut(x) { return }"},
	{files: pool, in: "Pool.Get", what: "pools of the bubble", find: theFunc, put: onEntry, text: "if x, ok := p.orderedGet(); ok { return x }"},
	{files: bubble, in: "synctestBubble", what: "what is ordered of it", find: structBody, put: lastField,
		text: "turn *turn; events *orderedEvents; plan *orderedPlan; check func(); pools unsafe.Pointer; nextLive, prevLive *synctestBubble; "},
	{files: bubble, in: "synctestRun", what: "a bubble begins", find: top(stmtSetting("gp.bubble")), put: before, text: "orderedBegin(bubble)"},
	{files: bubble, in: "synctestRun", what: "its first goroutine waits for the turn", find: stmtCalling("runqput"), put: before, text: "if orderedHold(bubble.main) { return }"},
	{files: bubble, in: "synctestRun", what: "a bubble ends", find: nested(stmtSetting("gp.bubble")), put: before, text: "orderedOver(bubble)"},
	{files: bubble, in: "getOrSetBubbleSpecial", what: "objects of a bubble that has ended", find: settingTo("assoc", "bubbleAssocOtherBubble"), put: after,
		text: "if orderedOn && !orderedIsLive(s.bubbleid) { s.bubbleid = bubbleid; assoc = bubbleAssocCurrentBubble }"},
	{files: channel, what: "channels of a bubble that has ended", n: 5, find: doing("fatal", ifMentioning("bubble")), put: andAlso, text: "!orderedAdopt(c)"},
	{files: choice, in: "selectgo", what: "channels of a bubble that has ended", find: doing("fatal", ifMentioning("bubble")), put: andAlso, text: "!orderedAdopt(cas.c)"},
	{files: timer, in: "resetTimer", what: "timers of a bubble that has ended", find: theFunc, put: onEntry, text: "if t.isFake { orderedRescue(&t.timer) }"},
	{files: timer, in: "stopTimer", what: "timers of a bubble that has ended", find: theFunc, put: onEntry, text: "if t.isFake { orderedRescue(&t.timer) }"},

	// Where it is kept.
	{files: structs, in: "g", what: "its state, and whether the turn counts it", find: fieldCalled("runningCleanups"), put: after, text: "ordered [3]uint8"},
	{files: structs, in: "waitReasonZero", what: "reasons to wait", find: constBlock, put: lastConst,
		text: "waitReasonOrderedMutex; waitReasonOrderedRLock; waitReasonOrderedLock; waitReasonOrderedRuntime"},
	{files: structs, in: "waitReasonStrings", what: "reasons to wait", find: theLiteral, put: lastElement,
		text: `waitReasonOrderedMutex: "sync.Mutex.Lock", waitReasonOrderedRLock: "sync.RWMutex.RLock", waitReasonOrderedLock: "sync.RWMutex.Lock", waitReasonOrderedRuntime: "semacquire", `},
	{files: structs, in: "isIdleInSynctest", what: "those that are durable", find: theLiteral, put: lastElement,
		text: "waitReasonOrderedMutex: true, waitReasonOrderedRLock: true, waitReasonOrderedLock: true, "},
	{files: structs, in: "waitReason.isMutexWait", what: "those of mutexes", find: theReturn, put: orElse,
		text: "w == waitReasonOrderedMutex || w == waitReasonOrderedRLock || w == waitReasonOrderedLock"},
}
