package breaker

import (
	"time"

	"github.com/go-qtests/qtests/qtests/breaker/cause"
)

// A machine is the whole breaker as a plain value: no lock, no clock, no
// goroutine and no user code. Instants are offsets from the moment the breaker
// was made. Every verb takes the present instant and first does what time alone
// has caused since the last one (see advance), in the order of its instants.
type machine struct {
	cfg     *Config
	made    time.Time // without a monotonic reading, so that instants compare with ==
	backoff backoff

	now        time.Duration // the latest instant seen; it never goes back
	state      State
	mode       Mode
	generation uint64        // changes with every state and mode; modulo generations
	since      time.Duration // when the state was entered
	until      time.Duration // when an open breaker becomes half-open
	reopened   int           // times it went back from half-open to open since the last close
	reason     string        // detail of the transition that opened it

	probes  probes
	counts  Counts
	calls   callWindow
	recent  timeWindow
	totals  totals
	script  script
	log     transitionLog
	fresh   []Transition   // transitions that the shell has not seen
	reject  *RejectedError // shared by the rejections of this generation
	running int            // calls in flight, less those that the word counts
}

// A ticket is what an admitted call carries until it finishes.
type ticket struct {
	generation uint64
	start      time.Duration // as the clock said it, which may go back; only with Config.SlowCall
	begun      time.Duration // of a probe: the machine's time, which never goes back
	script     error         // non-nil: the call fails with it
	part       uint8         // of the word, in which the call finishes
	shadow     bool          // it passed only because of the mode: it does not count for the state
}

// An outcome is what a finished call counts as.
type outcome uint8

const (
	success outcome = iota
	failure
	ignored
)

func newMachine(cfg *Config, made time.Time) *machine {
	return &machine{
		cfg:  cfg,
		made: made.Round(0),
		backoff: backoff{
			base: cfg.ResetTimeout, limit: cfg.MaxResetTimeout,
			factor: cfg.BackoffFactor, jitter: cfg.Jitter, stream: cfg.Stream,
		},
		calls:  newCallWindow(cfg.WindowCalls),
		recent: newTimeWindow(cfg.Window, cfg.WindowBuckets),
		log:    transitionLog{limit: cfg.LogSize},
	}
}

// advance does what time has caused up to now. A scripted opening goes first
// among events of one instant, so that it prolongs an open state that would end
// there.
func (m *machine) advance(now time.Duration) {
	m.now = max(m.now, now)
	for {
		scripted, probed := m.script.nextOpen(), m.probes.deadline(m.cfg.ProbeTimeout)
		switch {
		case scripted <= m.now && scripted <= min(m.dueHalfOpen(), probed):
			m.openScripted(m.script.takeOpen())
		case m.dueHalfOpen() <= m.now:
			m.transition(HalfOpen, m.until, cause.ResetTimeout, "open for "+(m.until-m.since).String())
		case probed <= m.now:
			m.open(probed, cause.ProbeTimeout, "a probe in flight for "+m.cfg.ProbeTimeout.String())
		default:
			return
		}
	}
}

// due is the next instant at which time alone changes the state.
func (m *machine) due() time.Duration {
	return min(m.script.nextOpen(), m.dueHalfOpen(), m.probes.deadline(m.cfg.ProbeTimeout))
}

// dueHalfOpen is when an open breaker becomes half-open by itself.
func (m *machine) dueHalfOpen() time.Duration {
	if m.state != Open || m.held() {
		return never
	}
	return m.until
}

// held reports whether neither time nor results change the state.
func (m *machine) held() bool {
	return m.mode == ForcedOpen || m.mode == ForcedClosed || m.mode == Recording
}

func (m *machine) openScripted(s Step) {
	if m.held() {
		return
	}
	end := saturatingAdd(s.at, orDefault(s.length, m.cfg.ResetTimeout))
	if m.state == Open {
		m.until = max(m.until, end)
		m.reject = nil
		return
	}
	m.transition(Open, s.at, cause.Script, "scripted for "+(end-s.at).String())
	m.until = end
}

// admit decides about one call. It fills in the ticket, which is new, or returns why the call is rejected.
func (m *machine) admit(now time.Duration, t *ticket) *RejectedError {
	m.advance(now)
	if m.script.takeReject() {
		m.totals.rejected++
		return &RejectedError{Breaker: m.cfg.Name, State: m.state, Scripted: true}
	}
	switch {
	case m.state == Closed:
	case m.mode == Recording:
		t.shadow = true
	case m.state == HalfOpen && m.probes.admit(m.now, m.cfg.Probes):
		t.begun = m.now
	case m.mode == Observing:
		m.totals.wouldReject++
		t.shadow = true
	default:
		m.totals.rejected++
		return m.rejection(now)
	}
	t.generation, t.start, t.script = m.generation, now, m.script.takeFail()
	m.running++
	return nil
}

// rejection returns the error for a call at now. now is negative where the breaker was
// made outside a bubble and is called inside one, whose time is decades before.
func (m *machine) rejection(now time.Duration) *RejectedError {
	if m.reject == nil || now < 0 && m.reject.Hint == "" && m.waits() {
		m.reject = &RejectedError{Breaker: m.cfg.Name, State: m.state}
		if m.state == Open {
			m.reject.Reason = m.reason
		}
		if m.waits() {
			m.reject.RetryAt = m.instant(m.until)
			if now < 0 {
				m.reject.Hint = madeOutside
			}
		}
	}
	return m.reject
}

// waits reports whether the breaker is open until its time has passed.
func (m *machine) waits() bool { return m.state == Open && m.mode != ForcedOpen }

// finish records how an admitted call ended. openFor is what Config.OpenFor says, or 0.
func (m *machine) finish(now time.Duration, t ticket, o outcome, openFor time.Duration) {
	m.advance(now)
	m.running--
	if t.script != nil {
		o, openFor = failure, 0
	}
	if t.generation != m.generation && !t.shadow {
		m.totals.stale++
		return
	}
	switch o {
	case success:
		m.totals.successes++
	case failure:
		m.totals.failures++
	case ignored:
		m.totals.ignored++
	}
	if t.shadow {
		return
	}
	slow := o != ignored && m.cfg.slow(elapsed(t.start, now))
	m.counts.record(o, slow)
	switch {
	case m.state == HalfOpen:
		m.judgeProbe(t.begun, o, slow && m.cfg.SlowCallRate > 0)
	case o != ignored:
		m.judge(mark{failed: o == failure, slow: slow})
	}
	m.stayOpen(openFor)
}

// undecided reports whether the breaker has just counted the result of a call in the closed
// state, and stays closed, so that Config.TripWhen is to be asked.
func (m *machine) undecided(t *ticket, o outcome) bool {
	return m.state == Closed && m.generation == t.generation && !t.shadow && (o != ignored || t.script != nil) && !m.held()
}

// stayOpen makes a breaker that has just opened stay open as long as Config.OpenFor says.
func (m *machine) stayOpen(asked time.Duration) {
	if m.state == Open && asked > 0 {
		m.until = saturatingAdd(m.now, m.backoff.asked(asked, m.totals.transitions[Open]))
	}
}

// record adds a result to the counts of the present generation.
func (c *Counts) record(o outcome, slow bool) {
	switch o {
	case success:
		c.Successes++
		c.ConsecutiveSuccesses++
		c.ConsecutiveFailures = 0
	case failure:
		c.Failures++
		c.ConsecutiveFailures++
		c.ConsecutiveSuccesses = 0
	case ignored:
		c.Ignored++
	}
	if slow {
		c.Slow++
	}
}

// transition changes the state at an instant and logs it.
func (m *machine) transition(to State, at time.Duration, why cause.Cause, detail string) {
	t := Transition{
		Breaker: m.cfg.Name, From: m.state, To: to, At: m.instant(at), Cause: why, Detail: detail,
		Counts: m.countsAt(at), Observed: m.mode == Observing,
	}
	m.log.add(t)
	m.fresh = append(m.fresh, t)
	m.totals.transitions[to]++
	if to == Open {
		m.reason = detail
		if m.state == HalfOpen {
			m.reopened++
		}
	}
	m.state, m.since = to, at
	m.restart()
}

// open changes the state to Open for as long as the back-off says.
func (m *machine) open(at time.Duration, why cause.Cause, detail string) {
	m.transition(Open, at, why, detail)
	m.until = saturatingAdd(at, m.backoff.wait(m.reopened, m.totals.transitions[Open]))
}

// close changes the state to Closed, in which it is not, and resets the back-off.
func (m *machine) close(at time.Duration, why cause.Cause, detail string) {
	m.reopened = 0
	m.transition(Closed, at, why, detail)
}

// restart begins a new generation: counts at zero, earlier calls stale.
func (m *machine) restart() {
	m.generation = (m.generation + 1) % generations
	m.counts = Counts{}
	m.calls.reset()
	m.recent.reset()
	m.probes = probes{}
	m.reject = nil
}

// countsAt returns the counts with both windows.
func (m *machine) countsAt(at time.Duration) Counts {
	c := m.counts
	m.recent.advance(at)
	c.ByCalls, c.ByTime = m.calls.sum, m.recent.sum
	return c
}

func (m *machine) instant(at time.Duration) time.Time { return m.made.Add(at) }
