package qtests

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
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
	// timeline's goroutine, in the order of their instants, and must not block.
	Begin, End func()
}

// NewEvent returns an event that runs begin, and end if the event ends.
func NewEvent(name string, begin, end func()) Event {
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
		return fmt.Errorf("qtests: Event %q: Offset: %v is negative", e.Name, e.Offset)
	case e.Duration < 0:
		return fmt.Errorf("qtests: Event %q: Duration: %v is negative", e.Name, e.Duration)
	case e.Begin == nil && e.End == nil:
		return fmt.Errorf("qtests: Event %q: Begin and End are both nil", e.Name)
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
// them due. When ctx ends, or stop is called, nothing more begins, and what has
// begun and not yet ended is ended; stop returns after that. stop may be called
// more than once, but not by an event.
func Schedule(ctx context.Context, clk clock.Clock, log *EventLog, events ...Event) (stop func(), err error) {
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
	detach := context.AfterFunc(ctx, s.stop)
	return func() { detach(); s.stop() }, nil
}

// schedule is a timeline that runs. Each action arms the next one: a goroutine
// that sleeps from one to the other would arm the first only when it gets to run,
// before or behind whatever the caller arms next.
type schedule struct {
	clk   clock.Clock
	log   *EventLog
	start time.Time
	ended chan struct{} // closed when stop has ended what had begun

	mu struct {
		sync.Mutex
		todo    []action
		begun   map[int]bool // events, by index
		disarm  func()
		running bool // an action
		stopped bool
	}
}

func (s *schedule) armLocked() {
	if len(s.mu.todo) > 0 {
		s.mu.disarm = afterFunc(s.clk, s.clk.Until(s.start.Add(s.mu.todo[0].at)), s.fire)
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
	defer func() { // also when the action calls Goexit
		s.mu.Lock()
		s.mu.running = false
		stopped := s.mu.stopped
		if !stopped {
			s.armLocked()
		}
		s.mu.Unlock()
		if stopped {
			s.finish()
		}
	}()
	s.log.Add(s.start.Add(a.at), "event", a.text)
	a.run()
}

func (s *schedule) stop() {
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
}

// finish ends what has begun. Nothing else runs any more.
func (s *schedule) finish() {
	defer close(s.ended)
	for _, a := range s.mu.todo {
		if a.end && s.mu.begun[a.event] {
			a.run()
			s.log.Add(s.clk.Now(), "event", a.text+" early")
		}
	}
}
