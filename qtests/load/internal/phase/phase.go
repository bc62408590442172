// Package phase says where a load run stands.
package phase

// A Phase is where a run stands. A run only goes forward:
//
//	arriving ──exhaust──▶ exhausted ──spend──▶ spent
//	   │                      │                  │
//	   └─────────stop─────────┴──────────────────┘
//	                          ▼
//	                      draining ──hurry──▶ hurried
//	                          │                  │
//	                          └───────rest───────┴──▶ idle ──close──▶ closed
//
// What the arrows do not show: the last request of a shared budget goes from arriving to
// spent at once, and close ends every phase from draining on.
type Phase uint8

const (
	// Arriving: requests come.
	Arriving Phase = iota
	// Exhausted: all requests have come. Some may wait for a place.
	Exhausted
	// Spent: the budget of requests is used up, and none waits for a place.
	Spent
	// Draining: nothing arrives any more. What is under way has its grace, and with ServeQueue what
	// waits for a place, too.
	Draining
	// Hurried: the grace has ended before its time.
	Hurried
	// Idle: nothing is under way.
	Idle
	// Closed: the result is made. What ends now is no part of it.
	Closed

	phases = int(Closed) + 1
)

// A Turn is what moves a run to its next phase.
type Turn uint8

const (
	Exhaust Turn = iota
	Spend
	Stop
	Hurry
	Rest
	Finish

	turns = int(Finish) + 1
)

// transitions is where each turn leads. Nothing leads back to Arriving, so that zero means:
// the turn has no effect in this phase.
var transitions = [phases][turns]Phase{
	Arriving:  {Exhaust: Exhausted, Spend: Spent, Stop: Draining},
	Exhausted: {Spend: Spent, Stop: Draining},
	Spent:     {Stop: Draining},
	Draining:  {Hurry: Hurried, Rest: Idle, Finish: Closed},
	Hurried:   {Rest: Idle, Finish: Closed},
	Idle:      {Finish: Closed},
}

// A Machine is the phase of a run. The run locks it; who waits for a phase waits for its
// channel, without the lock.
type Machine struct {
	now Phase
	// reached is closed, for each phase, when the run gets into it.
	reached [phases]chan struct{}
}

// New returns the machine of a run that begins.
func New() (m Machine) {
	for i := range m.reached {
		m.reached[i] = make(chan struct{})
	}
	return m
}

// Turn makes a turn, and reports whether it had an effect.
func (m *Machine) Turn(t Turn) bool {
	to := transitions[m.now][t]
	if to == 0 {
		return false
	}
	m.now = to
	close(m.reached[to])
	return true
}

// Now is the present phase.
func (m *Machine) Now() Phase { return m.now }

// Stopped reports whether nothing arrives any more.
func (m *Machine) Stopped() bool { return m.now >= Draining }

// Reached returns the channel that is closed when the run gets into a phase.
func (m *Machine) Reached(p Phase) <-chan struct{} { return m.reached[p] }
