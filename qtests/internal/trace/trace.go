// Package trace has what a run did on its clock, to hold a second run against it.
package trace

import (
	"fmt"
	"sync"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// maxEvents bounds how many events a verified run remembers, at 56 bytes each.
// Later ones are only counted.
const maxEvents = 1 << 20

// A Trace is the list of a run's events, in order, as far as somebody tells it of
// them: every wait on the clock and every mark of the event log. What can see more
// of a run adds it here. A second run that follows it keeps the first event that
// differs. A nil *Trace does nothing. Its methods are safe for concurrent use.
type Trace struct {
	mu struct {
		sync.Mutex
		events []event
		total  int
		differ string
	}
	first *Trace // the run that this one must repeat
}

// An event is a wait (when it began and ends, nominally, and where the
// program asked for it) or, with text, a mark.
type event struct {
	at, until int64
	where     stacks.Position
	text      string
}

// New returns the trace of a run that a later one may have to repeat.
func New() *Trace { return &Trace{} }

// Follow returns the trace of a run that must repeat t.
func (t *Trace) Follow() *Trace { return &Trace{first: t} }

// Wait records a wait on the clock.
func (t *Trace) Wait(at, until int64) {
	if t == nil {
		return
	}
	t.add(event{at: at, until: until, where: stacks.UserCaller()})
}

// Caller returns the user's line, for a wait that begins later, when it is not on
// the stack any more.
func (t *Trace) Caller() (where stacks.Position) {
	if t != nil {
		where = stacks.UserCaller()
	}
	return where
}

// Late records the end of a wait whose beginning nobody saw, for a timer made at where.
func (t *Trace) Late(where stacks.Position, due int64) {
	if t == nil {
		return
	}
	t.add(event{at: due, until: due, where: where})
}

// Mark records an entry of the event log.
func (t *Trace) Mark(at time.Time, source, text string) {
	if t == nil {
		return
	}
	t.add(event{at: at.UnixNano(), text: source + ": " + text})
}

func (t *Trace) add(e event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.mu.total
	t.mu.total++
	if t.first == nil {
		if i < maxEvents {
			t.mu.events = append(t.mu.events, e)
		}
		return
	}
	switch before := t.first.mu.events; {
	case t.mu.differ != "" || i < len(before) && before[i] == e || i >= maxEvents:
	case i >= len(before):
		t.mu.differ = fmt.Sprintf("event %d: the first run had ended, the second %s", i+1, e)
	default:
		t.mu.differ = fmt.Sprintf("event %d: the first run %s,\n\tthe second %s", i+1, before[i], e)
	}
}

// End returns what differed, or nothing.
func (t *Trace) End() string {
	if t == nil || t.first == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.first.mu.total; t.mu.differ == "" && t.mu.total < n {
		t.mu.differ = fmt.Sprintf("event %d: the second run had ended, the first went on for %d more", t.mu.total+1, n-t.mu.total)
	}
	if t.mu.differ == "" {
		return ""
	}
	return "qtests: two runs with one seed differ at " + t.mu.differ +
		"\nSomething in the test does not come from the seed and the clock: a map's order, a select among ready channels, goroutines woken together, package time or rand, state left by the first run."
}

func (e event) String() string {
	at := time.Unix(0, e.at).UTC().Format("2006-01-02 15:04:05.999999999")
	if e.text != "" {
		return fmt.Sprintf("at %s wrote %q", at, e.text)
	}
	return fmt.Sprintf("at %s waited for %v, at %v", at, time.Duration(e.until-e.at), e.where)
}
