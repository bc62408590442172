package breaker

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/breaker/cause"
)

// A State is one of the three states of a breaker. The zero value is Closed. As JSON and
// as any other text it is "closed", "open" or "half-open".
type State uint8

// The states.
const (
	Closed   State = iota // calls pass and are counted
	Open                  // calls are rejected
	HalfOpen              // a few calls, the probes, pass; the others are rejected
)

// states lists every state.
var states = [...]State{Closed, Open, HalfOpen}

var stateNames = []string{Closed: "closed", Open: "open", HalfOpen: "half-open"}

// String returns "closed", "open" or "half-open".
func (s State) String() string { return nameOf(stateNames, s, "State") }

// MarshalText returns String, or an error for a state that does not exist.
func (s State) MarshalText() ([]byte, error) { return marshal(stateNames, s) }

// UnmarshalText reads what MarshalText has written.
func (s *State) UnmarshalText(text []byte) error { return unmarshal(stateNames, s, text) }

// A Mode says who decides about the state. The zero value is Automatic. As JSON and as any
// other text it is what String returns.
type Mode uint8

// The modes.
const (
	// Automatic: the conditions of the Config decide.
	Automatic Mode = iota
	// ForcedOpen: the breaker is open until its mode is changed. Time, results, Trip, Reset
	// and scripted openings do not change its state.
	ForcedOpen
	// ForcedClosed: the breaker is closed until its mode is changed. Calls are counted, but
	// no condition is evaluated.
	ForcedClosed
	// Observing: every call passes, while the state goes on as the Config says. The log shows
	// when the breaker would have opened and closed, with transitions marked Observed, and
	// Stats.WouldReject how many calls it would have rejected. Those calls do not count for
	// the state, as they would not have been made.
	Observing
	// Recording: the breaker has the state that Record gave it last, and every call passes.
	Recording
)

var modeNames = []string{
	Automatic: "automatic", ForcedOpen: "forced-open", ForcedClosed: "forced-closed", Observing: "observing", Recording: "recording",
}

func (m Mode) exists() bool { return int(m) < len(modeNames) }

// String returns "automatic", "forced-open", "forced-closed", "observing" or "recording".
func (m Mode) String() string { return nameOf(modeNames, m, "Mode") }

// MarshalText returns String, or an error for a mode that does not exist.
func (m Mode) MarshalText() ([]byte, error) { return marshal(modeNames, m) }

// UnmarshalText reads what MarshalText has written.
func (m *Mode) UnmarshalText(text []byte) error { return unmarshal(modeNames, m, text) }

func nameOf[T ~uint8](names []string, v T, kind string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("%s(%d)", kind, uint8(v))
}

func marshal[T interface {
	~uint8
	fmt.Stringer
}](names []string, v T) ([]byte, error) {
	if int(v) >= len(names) {
		return nil, fmt.Errorf("breaker: %v does not exist", v)
	}
	return []byte(names[v]), nil
}

func unmarshal[T ~uint8](names []string, v *T, text []byte) error {
	i := slices.Index(names, string(text))
	if i < 0 {
		return fmt.Errorf("breaker: %q is none of %q", text, names)
	}
	*v = T(i)
	return nil
}

// A Transition is one entry of the transition log: a change of state.
type Transition struct {
	Breaker  string // its name
	From, To State
	// At is the nominal instant of the change: openedAt + ResetTimeout for a
	// breaker that becomes half-open, however late the first look came.
	At    time.Time
	Cause cause.Cause
	// Detail is the cause in numbers, such as "5 consecutive failures".
	Detail string
	// Counts is what the breaker counted in the state that it left.
	Counts Counts
	// Observed says that the mode was Observing: calls went on passing.
	Observed bool
}

// String returns "closed → open: 5 consecutive failures".
func (t Transition) String() string {
	s := fmt.Sprintf("%v → %v: %s", t.From, t.To, t.Detail)
	if t.Observed {
		s += " (observed)"
	}
	return s
}
