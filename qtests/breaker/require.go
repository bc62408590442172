package breaker

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// An Expectation is a transition to a state, with or without its instant: a
// [State], a [State.At] or a [State.Near].
type Expectation interface {
	matches(t Transition, made time.Time) bool
	String() string
}

func (s State) matches(t Transition, _ time.Time) bool { return t.To == s }

// A timedState expects a state at an offset from the instant the breaker was made.
type timedState struct {
	state     State
	offset    time.Duration
	tolerance time.Duration
}

// At returns the expectation of a transition to s at an offset from the instant
// the breaker was made, for [Breaker.RequireTransitions].
func (s State) At(offset time.Duration) Expectation { return timedState{s, offset, 0} }

// Near is At with a tolerance: the transition may come that much sooner or later. It suits instants that depend on drawn latencies, and real time. A
// negative tolerance is none.
func (s State) Near(offset, tolerance time.Duration) Expectation {
	return timedState{s, offset, max(tolerance, 0)}
}

// Instants are compared, as everywhere, to the microsecond.
func (e timedState) matches(t Transition, made time.Time) bool {
	return t.To == e.state && tb.Round(t.At.Sub(made.Add(e.offset)).Abs()) <= e.tolerance
}

func (e timedState) String() string {
	if e.tolerance > 0 {
		return fmt.Sprintf("%v at %v ± %v", e.state, e.offset, e.tolerance)
	}
	return fmt.Sprintf("%v at %v", e.state, e.offset)
}

// RequireState fails t unless the breaker is in the given state now.
func (b *Breaker) RequireState(t tb.TB, want State) {
	t.Helper()
	if h := b.history(); h.state != want {
		h.fail(t, "state is %v, want %v", h.state, want)
	}
}

// RequireTransitions fails t unless the transition log is exactly this sequence
// of states entered, each at its instant if one is given. With no argument it
// wants that nothing ever happened. A log that has lost entries fails.
func (b *Breaker) RequireTransitions(t tb.TB, want ...Expectation) {
	t.Helper()
	h := b.history()
	if h.dropped > 0 {
		h.fail(t, "the log has lost its first %s (it holds %d), so it cannot be compared", text.Plural(h.dropped, "transition"), len(h.log))
		return
	}
	if len(h.log) != len(want) {
		h.fail(t, "%d transitions, want %d: %s", len(h.log), len(want), list(want))
		return
	}
	for i, w := range want {
		if got := h.log[i]; !w.matches(got, h.made) {
			h.fail(t, "transition %d is to %v at %v, want %v\nwant all: %s", i, got.To, got.At.Sub(h.made), w, list(want))
			return
		}
	}
}

// RequireTransitionsInclude fails t unless the log has these entries in this
// order, others before, between and after them allowed.
func (b *Breaker) RequireTransitionsInclude(t tb.TB, want ...Expectation) {
	t.Helper()
	h, rest := b.history(), want
	for _, got := range h.log {
		if len(rest) > 0 && rest[0].matches(got, h.made) {
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		h.fail(t, "no %v after the first %d of: %s", rest[0], len(want)-len(rest), list(want))
	}
}

// RequireRejected fails t unless exactly n calls have been rejected since the
// breaker was made.
func (b *Breaker) RequireRejected(t tb.TB, n int) {
	t.Helper()
	if h := b.history(); n < 0 || h.rejected != uint64(n) {
		h.fail(t, "%s rejected, want %d", text.Plural(h.rejected, "call"), n)
	}
}

func list(want []Expectation) string {
	if len(want) == 0 {
		return "none"
	}
	texts := make([]string, len(want))
	for i, w := range want {
		texts[i] = w.String()
	}
	return strings.Join(texts, ", ")
}

// A history is one reading of a transition log.
type history struct {
	name     string
	made     time.Time // instants are shown as offsets from here
	state    State     // now
	log      []Transition
	dropped  uint64 // entries that log has lost
	now      string // the last row of the table
	rejected uint64
}

// history reads log and state in one step: a hook may change both in between.
func (b *Breaker) history() (h history) {
	b.control(func(m *machine) {
		s := m.stats()
		h = history{
			name: b.label, made: m.made, state: s.State, log: m.log.all(), dropped: s.TransitionsDropped, rejected: s.Rejected,
			now: fmt.Sprintf("\t%d\t%d\t%d rejected, %d stale, %d in flight",
				s.Counts.Successes, s.Counts.Failures, s.Rejected, s.Stale, s.InFlight),
		}
	})
	return h
}

func (h history) fail(t tb.TB, format string, args ...any) {
	t.Helper()
	tb.Fatalf(t, "breaker %s: %s\n%s", h.name, fmt.Sprintf(format, args...), h.table())
}

// tableRows bounds what a failure prints: the end of a long log says most.
const tableRows = 50

func (h history) table() string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "at\tfrom\tto\tsuccesses\tfailures\tcause")
	hidden := max(0, len(h.log)-tableRows)
	if n := h.dropped + uint64(hidden); n > 0 {
		fmt.Fprintf(w, "…\t\t\t\t\t%s\n", text.Plural(n, "earlier transition"))
	}
	for _, t := range h.log[hidden:] {
		cause := t.Detail
		if t.Observed {
			cause += " (observed)"
		}
		fmt.Fprintf(w, "%v\t%v\t%v\t%d\t%d\t%s\n", t.At.Sub(h.made), t.From, t.To, t.Counts.Successes, t.Counts.Failures, cause)
	}
	fmt.Fprintf(w, "now\t%v\t%s\n", h.state, h.now)
	_ = w.Flush() // a strings.Builder takes everything
	return out.String()
}
