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
// A bubble is that of testing/synctest: the goroutine that runs a body and every
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
// the microsecond ([Round]) before anything of qtests records or compares them.
//
// By method:
//
//   - Sleep, After, AfterFunc, Timer, WithDeadline and WithTimeout: as above. A
//     wait of no time for Sleep is none; for the others it is the end of the
//     queue of the present instant.
//   - Timer.Stop works as ever; the instant of a stopped timer stays taken until
//     it has passed. The cancel function of a context gives its instant back.
//   - Timer.Reset is not seen. That of an AfterFunc is found out when it fires:
//     all those that fire at one raw instant run after it, in the order in which
//     they were made, each when the one before has come to rest. Its nominal instant
//     is exact where the function resets its own timer, and where whole microseconds
//     are asked for. A function that resets its own timer again and again gets, like
//     a ticker, a nanosecond of its own, as long as half of them are free; after that
//     each run is displaced by two more. That of a Timer fires at the raw instant of
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
// -qtests.verify runs every body twice on one seed and fails at the first wait on the
// clock, or mark of the event log, that differs, and names the line of yours that asked
// for the wait. That is all it sees. Two runs may differ in what neither the clock nor
// the log is told of: the order in which goroutines that were woken together get a mutex,
// a value taken from a map or from math/rand that changes no wait, waits on package time
// itself. Two runs that agree may also have agreed by chance: what happens once in a
// hundred runs needs about a hundred, with -count.
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
//	q.JumpTo(startedAt.Add(time.Second))
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
// goroutines that hold it up, by cause. Where the wait may end by itself (a socket,
// a system call) it gives six times as long, and says so. The bubble is left
// behind, with its goroutines, and the tests that follow run; what it reports
// later is dropped. A goroutine that spins is no standstill.
//
// # What ends the process
//
// A channel, timer or context made in a bubble belongs to it: code outside, or in the
// next bubble, that sends to it, closes it or stops it is a fatal error of the runtime,
// which takes all tests of the package along. Before the first bubble [Run] lets the
// standard library make outside what it makes on first use and keeps: the resolver's
// semaphores and the goroutine of os/signal. A sync.Pool that got a timer or a channel in
// a bubble (go-redis, HTTP/2) is emptied before the next one, by two collections. That
// costs about half a millisecond, and more with a large heap, so that it is done only
// behind a body that has been seen to leave something in a pool. To find out takes one
// collection for each body, within 50 ms and a tenth of the time that the tests take. It
// does not see a channel whose elements have no pointers (chan struct{}, chan int), nor
// what a body does in a later run and not in its first: call runtime.GC twice between
// such bubbles.
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
// has been waiting in fake time, as far as [T.Sleep] and [T.Wait] could see.
// Outside a bubble, [VerifyTestMain] and [CheckLeaks] use goleak.
//
// # Settings
//
//	flag             variable         default  meaning
//	-qtests.seed     QTESTS_SEED      1        seed of every stream: a number, or random
//	-qtests.seeds    QTESTS_SEEDS     1        run every bubble under this many seeds
//	-qtests.verify   QTESTS_VERIFY    false    run every bubble twice, and compare
//	-qtests.stall    QTESTS_STALL     10s      real time without progress that fails a test
//	-qtests.scale    QTESTS_SCALE     1        of package load: how much load, times this
//
// A flag wins over its variable. Flags exist in test binaries only. The scale is 0.1
// under -short, unless its flag or variable says otherwise; under a fake clock it
// multiplies arrivals and users, and in real time the length of the scenarios that
// allow it.
package qtests
