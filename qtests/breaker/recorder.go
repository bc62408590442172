package breaker

import (
	"sync"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Recorder gives the log, the assertions and the metrics of this package to a
// circuit breaker of another library, so that the one in production is tested
// and not a replacement. Call Record from the hook in which that breaker reports
// its changes of state:
//
//	rec := breaker.NewRecorder(q, "payments")
//	settings.OnStateChange = func(_ string, _, to gobreaker.State) { rec.Record(states[to]) }
//
// Libraries that notice the end of a timeout only when a call comes report
// half-open at that call. All methods are safe for concurrent use.
type Recorder struct {
	name  string
	clock clock.Clock
	made  time.Time
	marks *event.Log

	mu struct {
		sync.Mutex
		state   State
		log     transitionLog
		entered [3]uint64
	}
}

var _ prometheus.Collector = (*Recorder)(nil)

// NewRecorder returns a recorder for a breaker that is closed. It has the clock
// and the event log of t and keeps the latest 1000 transitions.
func NewRecorder(t tb.TB, name string) *Recorder {
	r := &Recorder{name: name, clock: tb.ClockOf(t), marks: tb.EventLogOf(t)}
	r.made = r.clock.Now().Round(0)
	r.mu.log.limit = DefaultLogSize
	return r
}

// Record logs that the breaker has changed its state just now. The state that it
// has already is no change.
func (r *Recorder) Record(to State) {
	at := r.clock.Now().Round(0)
	r.mu.Lock()
	defer r.mu.Unlock()
	if to == r.mu.state || int(to) >= len(r.mu.entered) {
		return
	}
	t := Transition{From: r.mu.state, To: to, At: at, Cause: CauseRecorded, Detail: "recorded"}
	r.mu.log.add(t)
	r.mu.state = to
	r.mu.entered[to]++
	r.marks.Add(at, "breaker "+r.name, t.String())
}

// Transitions returns a copy of the log, oldest entry first.
func (r *Recorder) Transitions() []Transition { return r.history().log }

// RequireState is [Breaker.RequireState] for the state recorded last.
func (r *Recorder) RequireState(t tb.TB, want State) {
	t.Helper()
	r.history().requireState(t, want)
}

// RequireTransitions is [Breaker.RequireTransitions].
func (r *Recorder) RequireTransitions(t tb.TB, want ...Expectation) {
	t.Helper()
	r.history().requireTransitions(t, want)
}

// RequireTransitionsInclude is [Breaker.RequireTransitionsInclude].
func (r *Recorder) RequireTransitionsInclude(t tb.TB, want ...Expectation) {
	t.Helper()
	r.history().requireTransitionsInclude(t, want)
}

func (r *Recorder) history() history {
	r.mu.Lock()
	defer r.mu.Unlock()
	return history{name: r.name, made: r.made, state: r.mu.state, log: r.mu.log.all(), dropped: r.mu.log.dropped}
}

// Describe implements prometheus.Collector.
func (r *Recorder) Describe(ch chan<- *prometheus.Desc) {
	d := newMetrics(r.name)
	ch <- d.state
	ch <- d.transitions
}

// Collect implements prometheus.Collector with breaker_state{breaker,state} and
// breaker_transitions_total{breaker,to}. It does not know about calls.
func (r *Recorder) Collect(ch chan<- prometheus.Metric) {
	r.mu.Lock()
	state, entered := r.mu.state, r.mu.entered
	r.mu.Unlock()
	newMetrics(r.name).collectStates(ch, state, entered)
}
