package breaker

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/breaker/internal/outbox"
)

// A Breaker is a circuit breaker. Make one with [New] or [NewT]. All methods
// are safe for concurrent use.
type Breaker struct {
	cfg   Config
	label string // the name as metrics and logs can show it
	clock clock.Clock
	made  time.Time
	timed bool // every call is timed, for Config.SlowCall

	tenancy tenancy.Tenancy
	hooks   *outbox.Queue[delivery]
	queued  atomic.Int64 // deliveries of this breaker in hooks

	// word passes calls while the machine is closed. See its type.
	word word
	// mu guards the machine. Nothing waits and no user code runs while it is held;
	// the clock is read before it is taken.
	mu struct {
		sync.Mutex
		machine      *machine
		hooksDropped uint64
		alarm        alarm
	}
}

// New returns a breaker, or an error that names every field of cfg that
// has no meaning, with its value.
func New(cfg Config) (*Breaker, error) {
	cfg, err := cfg.normalize()
	if err != nil {
		return nil, err
	}
	b := &Breaker{cfg: cfg, label: text.Label(cfg.Name), clock: cfg.Clock, timed: cfg.SlowCall > 0, hooks: cfg.Hooks.queue()}
	b.word.init(runtime.GOMAXPROCS(0))
	b.made = b.clock.Now()
	b.mu.machine, b.mu.alarm.at = newMachine(&b.cfg, b.made), never
	b.lock()
	b.mu.machine.setMode(cfg.Mode)
	if b.unlock() {
		b.settle()
	}
	return b, nil
}

// NewT returns a breaker for a test. What cfg leaves open it takes from t: the
// clock, the seed and the event log. A cfg without meaning fails t.
func NewT(t tb.TB, cfg Config) *Breaker {
	t.Helper()
	b, err := New(cfg.of(t))
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	if cfg.Punctual {
		t.Cleanup(b.silence)
	}
	return b
}

// now is the present instant as an offset from the breaker's making. Since is
// half the price of Now on the real clock: it reads the monotonic time only. Since of a
// clock that was set centuries ahead is never, which must not come.
func (b *Breaker) now() time.Duration { return min(b.clock.Since(b.made), never-1) }

// lock takes the lock and everything the word holds.
func (b *Breaker) lock() {
	b.mu.Lock()
	b.collect()
}

func (b *Breaker) collect() {
	running, n := b.word.collect()
	m := b.mu.machine
	m.running += running
	m.totals.successes += n
	m.counts.Successes += n
	m.counts.ConsecutiveSuccesses += n
}

// unlock queues and writes out what has happened, publishes the word again and
// releases the lock. If it reports true the caller must call settle.
func (b *Breaker) unlock() (settle bool) {
	m := b.mu.machine
	if len(m.fresh) > 0 {
		b.tell(m.fresh)
		m.fresh = m.fresh[:0]
	}
	want := m.flags()
	have, published := b.word.published()
	if published && want != have {
		b.collect()
		want, published = m.flags(), false
	}
	if !published && want != 0 && b.word.holds(m.running) {
		b.word.publish(want, m.running)
		m.running = 0
	}
	settle = b.cfg.OnTransition != nil && b.hooks.Due() || b.cfg.Punctual && b.mu.alarm.at != m.due()
	b.mu.Unlock()
	return settle
}

// tell writes transitions to the event log, and queues them for the hooks.
func (b *Breaker) tell(ts []Transition) {
	for _, t := range ts {
		b.cfg.EventLog.Add(t.At, "breaker "+b.label, t.String())
		if b.cfg.OnTransition != nil {
			b.enqueue(t)
		}
	}
}

// settle does what unlock left for after the lock: it sets the alarm and calls the hooks.
func (b *Breaker) settle() {
	if b.cfg.Punctual {
		b.setAlarm()
	}
	b.hooks.Deliver(delivery.run)
}

// admit asks for one call, and fills in its ticket.
func (b *Breaker) admit(t *ticket) (settle bool, err error) {
	if err := b.tenancy.Use(b.clock, "breaker", b.cfg.Name); err != nil {
		return false, err
	}
	if b.timed {
		t.start = b.now()
	}
	t.part = b.word.partHere()
	var ok bool
	if t.generation, ok = b.word.admit(t.part); ok {
		return false, nil
	}
	now := b.now()
	b.lock()
	rejected := b.mu.machine.admit(now, t)
	settle = b.unlock()
	if rejected != nil {
		return settle, rejected
	}
	return settle, nil
}

// finish records the result of an admitted call. openFor is what Config.OpenFor says, or 0.
func (b *Breaker) finish(t *ticket, o outcome, openFor time.Duration) {
	var now time.Duration
	if b.timed {
		now = b.now()
	}
	if o == success && t.script == nil && !b.cfg.slow(elapsed(t.start, now)) && b.word.succeed(t.part, t.generation) {
		return
	}
	if !b.timed {
		now = b.now()
	}
	if b.cfg.TripWhen != nil {
		b.finishAsking(now, t, o, openFor)
		return
	}
	b.record(now, t, o, openFor)
	if b.unlock() {
		b.settle()
	}
}

// record takes the lock and records a result.
func (b *Breaker) record(now time.Duration, t *ticket, o outcome, openFor time.Duration) {
	b.mu.Lock()
	// A word without successes may stay published while the machine counts a
	// result: admissions do not depend on the counts of a closed breaker.
	if flags, _ := b.word.published(); flags&clean != 0 {
		b.collect()
	}
	b.mu.machine.finish(now, *t, o, openFor)
}

// finishAsking is finish for a breaker with a condition of the user. The condition sees the
// counts behind the result. If it holds the breaker opens, unless the generation of those
// counts has ended meanwhile.
func (b *Breaker) finishAsking(now time.Duration, t *ticket, o outcome, openFor time.Duration) {
	b.record(now, t, o, openFor)
	m := b.mu.machine
	ask, counts := m.undecided(t, o), m.countsAt(m.now)
	if b.unlock() {
		b.settle()
	}
	if !ask || !b.cfg.TripWhen(counts) {
		return
	}
	if t.script != nil {
		openFor = 0
	}
	generation := t.generation
	b.control(func(m *machine) { m.tripOf(generation, counts, openFor) })
}

// control runs one verb of the machine under the lock.
func (b *Breaker) control(verb func(*machine)) {
	_ = b.tenancy.Use(b.clock, "breaker", b.cfg.Name) // it fails the test
	now := b.now()
	b.lock()
	b.mu.machine.advance(now)
	verb(b.mu.machine)
	if b.unlock() {
		b.settle()
	}
}

// An alarm is the timer of Config.Punctual: it looks at the breaker when time changes the
// state next.
type alarm struct {
	at    time.Duration // what it is set to
	timer *clock.Timer
	off   bool // the test has ended
}

// setAlarm sets the alarm to the next instant at which time changes the state. Timers are
// made and stopped without the lock. So each instant has a timer of its own: one that
// rings too early or for nothing does no harm.
func (b *Breaker) setAlarm() {
	now := b.now()
	due, old := b.changeAlarm()
	if old != nil {
		old.Stop()
	}
	if due == never {
		return
	}
	timer := b.clock.AfterFunc(elapsed(now, due), b.ring)
	b.mu.Lock()
	keep := b.mu.alarm.at == due
	if keep {
		b.mu.alarm.timer = timer
	}
	b.mu.Unlock()
	if !keep {
		timer.Stop()
	}
}

// changeAlarm takes the old timer out and returns the instant for a new one, or never.
func (b *Breaker) changeAlarm() (due time.Duration, old *clock.Timer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, due := &b.mu.alarm, b.mu.machine.due()
	if a.at == due || a.off {
		return never, nil
	}
	old, a.at, a.timer = a.timer, due, nil
	return due, old
}

// ring is the alarm: it looks at the breaker, as any caller would.
func (b *Breaker) ring() {
	b.mu.Lock()
	b.mu.alarm.at, b.mu.alarm.timer = never, nil
	b.mu.Unlock()
	b.control(func(*machine) {})
}

// silence stops the alarm for good.
func (b *Breaker) silence() {
	b.mu.Lock()
	timer := b.mu.alarm.timer
	b.mu.alarm = alarm{at: never, off: true}
	b.mu.Unlock()
	if timer != nil {
		timer.Stop()
	}
}

// Format writes one line, such as `breaker payments: open, automatic`, for every verb, so
// that a breaker in use can be printed. The state is the one that the latest look found:
// printing reads no clock and changes nothing.
func (b *Breaker) Format(f fmt.State, _ rune) {
	b.mu.Lock()
	state, mode := b.mu.machine.state, b.mu.machine.mode
	b.mu.Unlock()
	fmt.Fprintf(f, "breaker %s: %v, %v", b.label, state, mode)
}
