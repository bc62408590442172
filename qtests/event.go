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
// begin and end to log, which may be nil. It returns at once. When ctx ends, or
// stop is called, what has begun and not yet ended is ended, nothing more
// begins, and stop returns after that. stop may be called more than once.
func Schedule(ctx context.Context, clk clock.Clock, log *EventLog, events ...Event) (stop func(), err error) {
	for _, e := range events {
		if err := e.Validate(); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	start := clk.Now()
	go func() {
		defer close(done)
		for _, e := range timeline(ctx, clk, log, start, actions(events)) {
			e.run()
			log.Add(clk.Now(), "event", e.text+" early")
		}
	}()
	return func() { cancel(); <-done }, nil
}

// timeline runs the actions and returns the ends that are still owed when ctx
// ends before them.
func timeline(ctx context.Context, clk clock.Clock, log *EventLog, start time.Time, todo []action) (owed []action) {
	begun := map[int]bool{}
	for i, a := range todo {
		at := start.Add(a.at)
		if !sleepUntil(ctx, clk, at) {
			for _, rest := range todo[i:] {
				if rest.end && begun[rest.event] {
					owed = append(owed, rest)
				}
			}
			return owed
		}
		begun[a.event] = true
		a.run()
		log.Add(at, "event", a.text)
	}
	return nil
}

// sleepUntil waits for an instant and reports false when ctx ended first.
func sleepUntil(ctx context.Context, clk clock.Clock, at time.Time) bool {
	d := clk.Until(at)
	if d <= 0 {
		return ctx.Err() == nil
	}
	reached := make(chan struct{})
	stop := afterFunc(clk, d, func() { close(reached) })
	defer stop()
	select {
	case <-reached:
		return true
	case <-ctx.Done():
		return false
	}
}

// DefaultEventLogSize is how many marks an [EventLog] keeps.
const DefaultEventLogSize = 10_000

// A Mark is one entry of an [EventLog].
type Mark struct {
	At     time.Time `json:"at"`
	Source string    `json:"source"` // "event", "breaker payments", "alert ErrorRate", …
	Text   string    `json:"text"`
}

// An EventLog is the bounded list of what happened to the system under test:
// events of the timeline, transitions of breakers, alerts. Components made with
// their NewT constructor write to the log of their test, and the report of a
// run draws it. All methods are safe for concurrent use, and a nil *EventLog
// drops everything.
type EventLog struct {
	trace *trace

	mu struct {
		sync.Mutex
		marks   []Mark
		dropped int
	}
}

// Add appends a mark; beyond [DefaultEventLogSize] it counts it as dropped, so
// that the beginning of a story is kept.
func (l *EventLog) Add(at time.Time, source, text string) {
	if l == nil {
		return
	}
	m := Mark{At: at.Round(time.Microsecond), Source: source, Text: text}
	l.trace.mark(m)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.mu.marks) >= DefaultEventLogSize {
		l.mu.dropped++
		return
	}
	l.mu.marks = append(l.mu.marks, m)
}

// Marks returns a copy of the log, ordered by instant, and how many marks were
// dropped.
func (l *EventLog) Marks() (marks []Mark, dropped int) {
	if l == nil {
		return nil, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	marks = slices.Clone(l.mu.marks)
	slices.SortStableFunc(marks, func(a, b Mark) int { return a.At.Compare(b.At) })
	return marks, l.mu.dropped
}
