// Package qtests runs a test under fake time, deterministically, and holds it to
// bounds of goroutines, heap and allocations. The packages breaker, pool, monitor
// and load stand on it.
//
//	func TestSession(t *testing.T) {
//		qtests.Run(t, func(q *qtests.T) {
//			s := NewSession(q.Clock(), 30*time.Minute)
//			q.Sleep(30 * time.Minute) // takes no time
//			if !s.Expired() {
//				q.Error("still there after 30 minutes")
//			}
//		})
//	}
//
// # Terms
//
// A bubble is what testing/synctest calls a bubble: the goroutine that runs a body and every
// goroutine started from it. Its time is fake. A goroutine is durably blocked
// when only another goroutine of its bubble, or time, can wake it: on a channel
// or select of the bubble, in a sleep, on a sync.Cond, or a sync.WaitGroup of the
// bubble. Waiting for a mutex, a socket, a system call or a channel made outside
// is not durable. So on the stock runtime code cannot be tested as it is that holds a
// mutex, or a sync.Once, while it waits for a clock or for IO, and has others wait for
// the mutex: time stands still, and the test fails with what helps. When every goroutine of a bubble is durably blocked it is at
// rest, and its time moves to the next instant at which something is due.
//
// # The clock
//
// The runtime fires timers that are due at one instant in a random order, so a
// plain bubble is not repeatable. [T.Clock] is a clock.Clock for which no two
// waits end at one instant of the runtime: the bubble fires one, runs what it sets
// going until it is at rest, and fires the next. The order is that in which the
// waits began; only where waits for the same instant were cancelled may a later
// one have a place given back before it.
//
// To the nanosecond: a wait has a nominal instant, which is what was asked for,
// and a raw instant, at which the runtime fires it. The raw instant is the first
// one at or after the nominal that no other pending wait has taken, that is not a
// whole number of microseconds away from the raw instant at which the wait began,
// and that is not on the nanosecond (modulo a microsecond) of a ticker. It is
// therefore displaced by at least one nanosecond where the wait is for whole
// microseconds, and by at most as many nanoseconds as there are waits for that
// instant, plus a few. [T.ClockStats] counts.
//
// What never moves: the nominal instant. [clock.Clock.Now], Since and Until return
// nominal time to the code that a wait has woken, so that a wait for a second from
// 12:00:00 ends at exactly 12:00:01, a thousand waits later as well. Nominal time
// never goes back: an event displaced past a later one sees the later one's time.
//
// An event of package time counts from the raw instant at which it was asked for. It
// belongs to the nominal instant before it when it is no farther behind that than the
// clock has displaced anything. [T.Sleep] and [T.Wait] return behind all of them: at
// the raw instant that is behind the nominal one by as much as anything that ran so
// far was, and not behind an event of the clock with a later nominal instant. At a
// nominal instant that is no whole number of microseconds they return as soon as what
// counts from the caller's own raw instant has happened, so that a test can look at
// the last nanosecond before a timeout of package time.
//
// What moves: package time. time.Now shows the raw instant, and so do the values
// received from the channels of Timer, After, Ticker and Tick and a context's
// Deadline. Durations that were measured across both kinds of code are rounded to
// the microsecond ([tb.Round]) before anything of qtests records or compares them.
//
// By method:
//
//   - Sleep, After, AfterFunc, Timer, WithDeadline and WithTimeout: as above. A
//     wait of no time for Sleep is none; for the others it is the end of the
//     queue of the present instant.
//   - Timer.Stop works as ever; the instant of a stopped timer stays taken until
//     it has passed. The cancel function of a context gives its instant back.
//   - Timer.Reset is not seen. The Reset of an AfterFunc is found out when it fires:
//     all those that fire at one raw instant run after it, in the order in which
//     they were made, each when the one before has come to rest. Its nominal instant
//     is exact where the function resets its own timer, and where whole microseconds
//     are asked for. A function that resets its own timer again and again gets, like
//     a ticker, a nanosecond of its own, as long as half of them are free; after that
//     each run is displaced by two more. The Reset of a Timer fires at the raw instant of
//     the runtime.
//   - Ticker and Tick: the runtime fires them at start + k·period, with start
//     raw. All waits keep off the instants of a ticker whose period is whole
//     microseconds. Two tickers may meet each other, and a ticker that was Reset
//     may meet anything.
//
// Memory is proportional to the waits that are pending, and those stopped
// whose instant has not passed.
//
// # What is repeatable
//
// With one seed, one version of Go and one program, two runs are the same byte for
// byte as far as the clock and the seed order them. What is still unordered:
//
//   - code that calls package time itself, among itself: two of its timers may be
//     due at one instant. Against the clock's waits it is ordered, where it waits
//     for whole microseconds;
//   - goroutines that one event wakes together: a channel that is closed, a
//     sync.Cond broadcast, two go statements in a row, or a sender and the
//     receiver it wakes, which both go on. They run at once, and what they do to
//     each other at that instant, the order of their next waits included, depends
//     on the scheduler. [InTurn] wakes them one at a time and never beside the
//     waker, as everything of qtests does, and [T.Go] starts goroutines so;
//   - a select among several ready channels, the order of a map, math/rand's own
//     source, addresses, and whatever comes from outside the bubble.
//
// On the stock runtime -qtests.verify runs every body twice on one seed and fails at the first wait on the
// clock, or mark of the event log, that differs, and names the line of yours that asked
// for the wait. That is all it sees. Two runs may differ in what neither the clock nor
// the log is told of: the order in which goroutines that were woken together get a mutex,
// a value taken from a map or from math/rand that changes no wait, waits on package time
// itself. Two runs that agree may also have agreed by chance: what happens once in a
// hundred runs needs about a hundred, with -count.
//
// # The ordered runtime
//
// What the section before leaves unordered is ordered by
//
//	go tool qtests test ./...
//
// which is go test with a few places of the standard library changed, by -overlay, for the
// test binary alone. One goroutine of a bubble has the turn; the others that could run wait
// in a queue. The turn passes on when its holder blocks, ends or calls runtime.Gosched, and
// not when it is preempted or waits for the collector. With the default seed the turn goes to
// the goroutine that waits longest; any other seed draws, so that a seed is an interleaving.
//
//   - A number from math/rand, math/rand/v2, hash/maphash or crypto/rand, the case of a
//     select, and where a range over a map begins come from the seed, the goroutine, the
//     instant, and how many the goroutine has drawn at it. So what one goroutine draws does
//     not depend on others, and what is done once per process (a sync.Once) shifts nothing
//     that comes at a later instant. Maps and sync.Map have one order in every process.
//   - Waiting for a Mutex or a RWMutex is durable when a goroutine of the bubble holds it.
//     When one outside holds it, it is not, and time stands.
//   - [T.Clock] is package time, and nothing is displaced. Of the timers of one instant the
//     clock's fire alone, in the order in which they were set, each when what the one before
//     set going has come to rest; those of package time fire together, in their order.
//     [InTurn], [T.Go] and [Reserve] take no detour.
//   - A sync.Pool is the bubble's own: nothing comes out of it that another bubble put in, and
//     the collector takes nothing out. A channel, a timer or a WaitGroup that a package made
//     once, in a bubble that has ended, belongs to the next bubble that uses it.
//   - The clock takes no locks that would hide a race from -race.
//   - -qtests.verify compares the whole sequence of turns and choices, and names both lines
//     at which two runs part. If only the first run of the process differs, it says so in the
//     log, and does not fail.
//
// What cannot be ordered is counted as a disturbance, with the line of the first one:
// [T.Order], the result of a load run and its report have it, and -qtests.strict fails the
// test. It is one of these:
//
//   - a wake from outside the bubble: a channel, a mutex or a context made outside;
//   - the network poller: a real socket. q.Serve and [Listen] have none;
//   - a system call, or a call of C, of more than 100 ms of real time while others wait: it
//     gives up the turn. Shorter ones keep it;
//   - a goroutine that runs for more than 2 s of real time while others wait, as one that
//     waits in a loop for another: it gives up the turn at its next preemption;
//   - a finalizer or a cleanup that uses a channel of a bubble that has not ended.
//
// What is not counted and may differ all the same: addresses (a map with pointers as keys,
// %p, a sort by address); when the collector runs finalizers and cleanups, and clears weak
// pointers; what a variable of a package holds from a test before, or from outside, such as
// time.Now or a random generator made by an init function of a package; the contents of files and the environment;
// the number of goroutines, processors and bytes that runtime reports; what a coroutine
// (iter.Pull) made outside the bubble does. A goroutine that a package started outside stays
// outside. A mutex that goroutines inside and outside share, or those of two bubbles at once,
// is taken for the bubble's when the bubble held it as the wait began; when another did, time
// stands until the wait ends, also where the mutex comes to the bubble meanwhile.
//
// Nothing of it acts in a binary that go test did not build, or that does not have this
// package in it: such a program keeps Go's own randomness and scheduler.
//
// # Searching for an interleaving
//
// On the ordered runtime a seed is an interleaving, so that the one under which a test fails
// can be searched for:
//
//	go tool qtests find -run TestTransfer ./...
//
// runs a test under many seeds, in several processes, and lets the turn move at points of the
// module's own code, not only where a goroutine blocks; its documentation says where. Under
// QTESTS_SEEDS plain go tool qtests test does the same in one process, and with -points as its
// first argument at the same points.
//
// How choices are made is -qtests.explore:
//
//   - fifo, the default for seed 1: the turn goes to the goroutine that waits longest;
//   - pct, the default for other seeds: every goroutine has a priority, drawn when it starts,
//     and the one that runs gets the lowest at d - 1 steps, drawn from the first k. One run
//     finds a bug that needs d - 1 such changes, among n goroutines, with a chance of at least
//     1/(n·k^(d-1)) (Burckhardt and others, "A Randomized Scheduler with Probabilistic
//     Guarantees of Finding Bugs", ASPLOS 2010). pct:d/k says both; d is 3, and k the number of
//     steps of the first of several runs, or drawn from the seed, from 8 to 1,024. A goroutine
//     that starts late is one with a low priority;
//   - pos: every operation has a priority, drawn anew when another one uses the same object
//     (Yuan, Yang and Gu, "Partial Order Aware Concurrency Sampling", CAV 2018);
//   - random: every choice is drawn.
//
// A failure on the ordered runtime, with another order than fifo, comes with its account: the
// choices of the run that differ from first come, first served are removed while it still
// fails, by delta debugging, and what is left is told as text, and written to the artifacts of
// the test as a page and as a file of choices. -qtests.replay=FILE makes exactly these choices.
// Files called *.choices in testdata/qtests of a package are tried first in every run on the
// ordered runtime, so that a bug that was found stays a test. They name goroutines by who
// started them, and choices by how many the goroutine made before: a change of the code may
// leave some of them without effect, which is logged.
//
// Faults that package chaos draws from the seed, and the load of package load, are part of what is
// cut down, and of the file: see docs/search.md.
//
// [T.Always] holds a run to an invariant, [T.Eventually] waits for something, and
// [T.Sometimes] tells a search what must have happened in some run.
//
// # Seeds
//
// The seed is 1 unless -qtests.seed or QTESTS_SEED says otherwise; "random" draws
// one. A failure prints the command that repeats it. [T.Rand] and [T.Stream] give
// random streams by name, which do not depend on each other. -qtests.seeds=N, or
// QTESTS_SEEDS, runs every body under N seeds, each in a fresh bubble, and reports
// which of them fail.
//
// The variables reach all packages of a repository; the flags only those whose
// tests import qtests, because the others refuse a flag they do not know:
//
//	QTESTS_SEEDS=20 go test ./...
//
// # Data races
//
// The race detector reports two accesses that no lock or channel orders. Under the
// clock of a bubble one event comes after another, and all of them pass the locks of the
// clock and of the fakes: that orders what a real server would do at once, so that
// -race finds fewer races than there are. Keep a test that goes through the same
// handlers in real time, from several goroutines and without fakes, for -race to look at.
//
// # Dates
//
// A bubble begins on 1 January 2000. What was made before it, outside, has today's
// date: the start of a process in a variable of a package, a certificate, a token. Make
// it inside, or let the test begin after it:
//
//	q.JumpTo(StartedAt.Add(time.Second))
//
// A breaker, a pool or a monitor belongs inside, too: made with q, it has the clock, the
// seed and the log of the test.
//
// # Standing still
//
// A bubble in which a goroutine waits, not durably, for something that will never
// come would hang until the timeout of go test. A watchdog on the real clock fails
// the test when, for ten seconds (-qtests.stall, QTESTS_STALL; 0 turns it off),
// no goroutine of the bubble has run and its time has not moved. It names the
// goroutines that hold it up, by cause. To look at very many goroutines takes long: it then
// looks so seldom that it takes a tenth of the time, and a standstill beside 100,000 is
// found after some 25 seconds. Where the wait may end by itself (a socket,
// a system call) it gives six times as long, and says so. The bubble is left
// behind, with its goroutines, and the tests that follow run; what it reports
// later is dropped.
//
// Goroutines that wait for mutexes of each other are named with both lines, as far
// as the stacks show who wants which. A goroutine that spins is no standstill, for it may be a
// long computation: when it was running at every look for as long as the limit,
// the log and standard error name it, once, and the test goes on.
//
// # What ends the process
//
// A channel, timer or context made in a bubble belongs to it: code outside, or in the
// next bubble, that sends to it, closes it or stops it is a fatal error of the runtime,
// which takes all tests of the package along. Before the first bubble [Run] lets the
// standard library make outside what it makes on first use and keeps: the resolver's
// semaphores and the goroutine of os/signal. A sync.Pool that got a timer or a channel in
// a bubble (go-redis, HTTP/2) is emptied before the next one, by two collections. That
// costs about a millisecond, and more with a large heap, so that it is done only behind a
// body that has been seen to leave something in a pool, and behind each that runs for 20 ms
// of real time or more. To find out takes one collection for each body, within 20 ms and a
// tenth of the time that the tests take. It does not see a channel whose elements have no
// pointers (chan struct{}, chan int), nor what a short body does in a later run and not in
// its first: call runtime.GC twice between such bubbles, or run on the ordered runtime.
//
// What cannot be prevented is said before it happens, on standard error at once, because
// the fatal error hides the log of a test that runs without -v:
//
//   - a channel or a context made once, on first use inside, that a variable of a package
//     keeps: make it outside, before the first bubble;
//   - an httptest.Server, or another thing with connections, made outside and closed
//     there: the report of the goroutines that the bubble left, or stands still by, says
//     so. q.Serve is the server inside;
//   - a cache whose finalizer stops a goroutine of the bubble that was left behind: the
//     report of the leak;
//   - a context with a deadline made outside, where it is used with the clock, with
//     [T.Direct] or to dial a [Listener]. Derive it from q.Context().
//
// # Leaks
//
// A goroutine of the bubble that is left when the body and its cleanups have
// ended fails the test, with its stack, the place that started it, and how long it
// has been waiting in fake time, as far as [T.Sleep] and [T.Wait] could see. Those
// that wait at one place and came there in one way are shown once, with their
// number. The standard library starts goroutines for its own ends, an open sql.DB
// for example; their stack has no line of the user: the failure names the
// goroutine that made it do so, and with GODEBUG=tracebackancestors=10 the line.
// [Allow] lets goroutines stay that a library gives no way to end. Outside a
// bubble, [VerifyTestMain] and [CheckLeaks] use goleak.
//
// All this reads what the runtime prints of goroutines, whose form differs between
// versions of Go. It is tested with go1.26 and go1.27, and tries itself out at its first use in a
// process, on a goroutine made for it: where that cannot be read, tests fail and say so.
//
// # Cost
//
// To open and close a bubble takes at most three times as long as synctest.Test,
// some ten microseconds, whatever else is in the process. Goroutines are looked
// at only when the runtime says that some are left, while others than the body are
// there and it pauses in [T.Sleep] or [T.Wait], and when a bubble seems to stand
// still.
//
// # Settings
//
//	flag             variable         default  meaning
//	-qtests.seed     QTESTS_SEED      1        seed of every stream: a number, or random
//	-qtests.seeds    QTESTS_SEEDS     1        run every bubble under this many seeds
//	-qtests.verify   QTESTS_VERIFY    false    run every bubble twice, and compare
//	-qtests.explore  QTESTS_EXPLORE            how choices are made: fifo, pct, pct:d/k, pos, random
//	-qtests.replay   QTESTS_REPLAY             file of choices to make, on the ordered runtime
//	-qtests.strict   QTESTS_STRICT    false    fail a run whose order was disturbed, or is the stock runtime's
//	-qtests.stall    QTESTS_STALL     10s      real time without progress that fails a test
//	-qtests.scale    QTESTS_SCALE     1        of package load: how much load, times this
//
// What is one part of several processes has variables only: QTESTS_SHARE=i/n, QTESTS_RESULTS, the
// directory of the parts, QTESTS_START, the common start of a load, and QTESTS_METRICS, where its
// metrics are served. docs/distributed.md tells of them. Of several seeds a part runs its own.
//
// A flag wins over its variable. Flags exist in test binaries only. The scale is 0.1
// under -short, unless its flag or variable says otherwise; under a fake clock it
// multiplies arrivals and users, and in real time the length of the scenarios that
// allow it.
package qtests
