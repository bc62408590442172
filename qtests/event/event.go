// Package event is what happens to the system under test, and the log of what happened.
//
// An [Event] is an outage, a slow upstream, a deployment: fakes make them, and a timeline
// begins and ends them: the timeline of a scenario of package load, or [Schedule]. A [Log] keeps
// what events, breakers, pools and alerts did, in the order of their instants.
package event

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
)

// An Event is something that happens to the system under test at an offset from
// the start of a scenario: an outage, a slow upstream, a deployment. Fakes make
// them ("pay.Outage()"), At and For place them, and load.Scenario or [Schedule]
// runs them. It is a value; At and For return a changed copy.
type Event struct {
	// Name is what the event log and the report show, for example "upstream: outage".
	Name string
	// Offset is when Begin runs, counted from the start of the scenario. Not negative.
	Offset time.Duration
	// Duration is how long after Begin End runs. Zero means that the event is never undone.
	Duration time.Duration
	// Begin and End change the system. Either may be nil. They run on the
	// timeline's goroutine, in the order of their instants, and must not block. A
	// panic ends neither the process nor the timeline; see Schedule.
	Begin, End func()
}

// New returns an event that runs begin, and end if the event ends.
func New(name string, begin, end func()) Event {
	return Event{Name: name, Begin: begin, End: end}
}

// At returns the event placed at offset.
func (e Event) At(offset time.Duration) Event { e.Offset = offset; return e }

// For returns the event made to last d.
func (e Event) For(d time.Duration) Event { e.Duration = d; return e }

// Validate reports the first field that has no meaning, with its value.
func (e Event) Validate() error {
	switch {
	case e.Offset < 0:
		return fmt.Errorf("event: Event %q: Offset: %v is negative", e.Name, e.Offset)
	case e.Duration < 0:
		return fmt.Errorf("event: Event %q: Duration: %v is negative", e.Name, e.Duration)
	case e.Offset > math.MaxInt64-e.Duration:
		return fmt.Errorf("event: Event %q: Duration: %v after %v is past the end of time", e.Name, e.Duration, e.Offset)
	case e.Begin == nil && e.End == nil:
		return fmt.Errorf("event: Event %q: Begin and End are both nil", e.Name)
	}
	return nil
}

// action is one end of the event with the given index.
type action struct {
	at    time.Duration
	event int
	end   bool
	text  string
	run   func()
}

// actions returns what the events do in the order in which it happens; of two
// at one instant, ends come first, then the order of the arguments.
func actions(events []Event) []action {
	var begins, ends []action
	for i, e := range events {
		if e.Begin != nil {
			begins = append(begins, action{e.Offset, i, false, e.Name + ": begins", e.Begin})
		}
		if e.End != nil && e.Duration > 0 {
			ends = append(ends, action{e.Offset + e.Duration, i, true, e.Name + ": ends", e.End})
		}
	}
	all := append(ends, begins...)
	slices.SortStableFunc(all, func(a, b action) int { return cmp.Compare(a.at, b.at) })
	return all
}

// Schedule runs the events on clk, offsets counted from now, and writes each
// begin and end to log, which may be nil. It returns at once, with the first of
// them due. When ctx ends, or stop is called, nothing that is due later begins, and
// what has begun and not yet ended is ended; stop returns after that. stop may be called
// more than once, but not by an event.
//
// A bubble's clock waits for each event. Another clock does not, so on a busy machine an
// event may run late: clock.Mock can go on for an hour before the goroutine of its timer
// runs. Events that are late run in their order, at the latest in stop, and stand in log
// at the instants at which they were due.
//
// An event that panics is written to log, and the others go on. stop returns the first
// panic as an error, a [*PanicError], for the test to fail with.
func Schedule(ctx context.Context, clk clock.Clock, log *Log, events ...Event) (stop func() error, err error) {
	for _, e := range events {
		if err := e.Validate(); err != nil {
			return nil, err
		}
	}
	s := &schedule{clk: clk, log: log, start: clk.Now(), ended: make(chan struct{})}
	s.mu.todo, s.mu.begun = actions(events), map[int]bool{}
	s.mu.Lock()
	s.armLocked()
	s.mu.Unlock()
	detach := context.AfterFunc(ctx, func() { _ = s.stop() })
	return func() error { detach(); return s.stop() }, nil
}

// An PanicError is the error of an [Event] whose Begin or End panicked.
type PanicError struct {
	Event string // and which end of it: "upstream: outage: begins"
	Value any
	Stack []byte
}

// Error names the event and the value; the stack is left to who reports it.
func (p *PanicError) Error() string {
	return fmt.Sprintf("event: Event %q panicked: %v", p.Event, p.Value)
}

// Unwrap returns the value if it is an error.
func (p *PanicError) Unwrap() error { err, _ := p.Value.(error); return err }

// schedule is a timeline that runs. Each action arms the next one: a goroutine
// that sleeps from one to the other would arm the first only when it gets to run,
// before or behind whatever the caller arms next.
type schedule struct {
	clk   clock.Clock
	log   *Log
	start time.Time
	ended chan struct{} // closed when stop has ended what had begun

	mu struct {
		sync.Mutex
		todo    []action
		begun   map[int]bool // events, by index
		disarm  func()
		running bool // an action
		stopped bool
		fault   error // the first panic
	}
}

func (s *schedule) armLocked() {
	if len(s.mu.todo) > 0 {
		s.mu.disarm = bubble.AfterFunc(s.clk, s.clk.Until(s.start.Add(s.mu.todo[0].at)), s.fire)
	}
}

// fire runs the next action.
func (s *schedule) fire() {
	s.mu.Lock()
	if s.mu.stopped {
		s.mu.Unlock()
		return
	}
	a := s.mu.todo[0]
	s.mu.todo = s.mu.todo[1:]
	s.mu.begun[a.event] = true
	s.mu.running = true
	s.mu.Unlock()
	defer s.next() // also when the action calls Goexit
	s.run(a)
}

// next goes on after an action.
func (s *schedule) next() {
	s.mu.Lock()
	s.mu.running = false
	stopped, late := s.mu.stopped, s.lateLocked()
	if !stopped && late == 0 {
		s.armLocked()
	}
	s.mu.Unlock()
	switch {
	case stopped:
		s.finish()
	case late > 0: // clock.Mock would fire a timer for the past when it is next moved
		s.fire()
	}
}

// lateLocked returns how many of the actions that are left are due by now. On a bubble's
// clock none is late: two actions of one instant have two turns there.
func (s *schedule) lateLocked() (n int) {
	if bubble.TieFree(s.clk) {
		return 0
	}
	now := s.clk.Now()
	for n < len(s.mu.todo) && !s.start.Add(s.mu.todo[n].at).After(now) {
		n++
	}
	return n
}

func (s *schedule) run(a action) {
	s.log.Add(s.start.Add(a.at), "event", a.text)
	s.guard(a)
}

// guard runs an action and keeps its panic.
func (s *schedule) guard(a action) {
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		s.log.Add(s.clk.Now(), "event", fmt.Sprintf("%s: panicked: %v", a.text, value))
		fault := &PanicError{Event: a.text, Value: value, Stack: debug.Stack()}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.mu.fault == nil {
			s.mu.fault = fault
		}
	}()
	a.run()
}

func (s *schedule) stop() error {
	s.mu.Lock()
	first := !s.mu.stopped
	s.mu.stopped = true
	if s.mu.disarm != nil {
		s.mu.disarm()
	}
	running := s.mu.running
	s.mu.Unlock()
	if first && !running {
		s.finish()
	}
	<-s.ended
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.fault
}

// finish runs what is late, and ends what has begun. Nothing else runs any more.
func (s *schedule) finish() {
	s.mu.Lock()
	late := s.lateLocked()
	for _, a := range s.mu.todo[:late] {
		s.mu.begun[a.event] = true
	}
	last := slices.DeleteFunc(s.mu.todo, func(a action) bool { return !s.mu.begun[a.event] })
	s.mu.Unlock()
	s.settle(last, late)
}

// settle runs the first actions, which are late, and then the ends of the others, which come
// early. It runs the rest also when one calls Goexit.
func (s *schedule) settle(last []action, late int) {
	if len(last) == 0 {
		close(s.ended)
		return
	}
	defer s.settle(last[1:], max(0, late-1))
	if late > 0 {
		s.run(last[0])
		return
	}
	s.guard(last[0])
	s.log.Add(s.clk.Now(), "event", last[0].text+" early")
}
