package load

// A phase is where a run stands. A run only goes forward:
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
type phase uint8

const (
	// arriving: requests come.
	arriving phase = iota
	// exhausted: all requests have come. Some may wait for a place.
	exhausted
	// spent: the budget of requests is used up, and none waits for a place.
	spent
	// draining: nothing arrives any more. What is under way has its grace, and with ServeQueue what
	// waits for a place, too.
	draining
	// hurried: the grace has ended before its time.
	hurried
	// idle: nothing is under way.
	idle
	// closed: the result is made. What ends now is no part of it.
	closed

	phases = int(closed) + 1
)

// A turn is what moves a run to its next phase.
type turn uint8

const (
	exhaust turn = iota
	spend
	stop
	hurry
	rest
	finish

	turns = int(finish) + 1
)

// transitions is where each turn leads. Nothing leads back to arriving, so that zero means:
// the turn has no effect in this phase.
var transitions = [phases][turns]phase{
	arriving:  {exhaust: exhausted, spend: spent, stop: draining},
	exhausted: {spend: spent, stop: draining},
	spent:     {stop: draining},
	draining:  {hurry: hurried, rest: idle, finish: closed},
	hurried:   {rest: idle, finish: closed},
	idle:      {finish: closed},
}

// A machine is the state of a run. The run locks it; who waits for a phase waits for its
// channel, without the lock.
type machine struct {
	now phase
	// reached is closed, for each phase, when the run gets into it.
	reached [phases]chan struct{}
}

func newMachine() (m machine) {
	for i := range m.reached {
		m.reached[i] = make(chan struct{})
	}
	return m
}

// turn makes a turn, and reports whether it had an effect.
func (m *machine) turn(t turn) bool {
	to := transitions[m.now][t]
	if to == 0 {
		return false
	}
	m.now = to
	close(m.reached[to])
	return true
}

// stopped reports whether nothing arrives any more.
func (m *machine) stopped() bool { return m.now >= draining }
