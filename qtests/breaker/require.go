package breaker

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// An Expectation is a transition to a state, with or without its instant: a
// [State], [State.At] or [State.AtTime].
type Expectation interface {
	matches(t Transition, made time.Time) bool
	describe(made time.Time) string
}

func (s State) matches(t Transition, _ time.Time) bool { return t.To == s }

func (s State) describe(time.Time) string { return s.String() }

// A timedState expects a state at an instant.
type timedState struct {
	state    State
	at       time.Time
	offset   time.Duration
	byOffset bool
}

func (e timedState) instant(made time.Time) time.Time {
	if e.byOffset {
		return made.Add(e.offset)
	}
	return e.at
}

// Instants are compared, as everywhere, to the microsecond.
func (e timedState) matches(t Transition, made time.Time) bool {
	return t.To == e.state && qtests.Round(t.At.Sub(e.instant(made))) == 0
}

func (e timedState) describe(made time.Time) string {
	return fmt.Sprintf("%v at %v", e.state, e.instant(made).Sub(made))
}

// RequireState fails t unless the breaker is in the given state now.
func (b *Breaker) RequireState(t qtests.TB, want State) {
	t.Helper()
	if got := b.State(); got != want {
		b.fail(t, "state is %v, want %v", got, want)
	}
}

// RequireTransitions fails t unless the transition log is exactly this sequence
// of states entered, each at its instant if one is given. With no argument it
// wants that nothing ever happened. A log that has lost entries fails.
func (b *Breaker) RequireTransitions(t qtests.TB, want ...Expectation) {
	t.Helper()
	got, dropped := b.Transitions(), b.Stats().TransitionsDropped
	if dropped > 0 {
		b.fail(t, "the log has lost its first %d transitions (Config.LogSize is %d), so it cannot be compared", dropped, b.cfg.LogSize)
		return
	}
	if len(got) != len(want) {
		b.fail(t, "%d transitions, want %d: %s", len(got), len(want), b.describe(want))
		return
	}
	for i, w := range want {
		if !w.matches(got[i], b.wall()) {
			b.fail(t, "transition %d is to %v at %v, want %s\nwant all: %s",
				i, got[i].To, got[i].At.Sub(b.wall()), w.describe(b.wall()), b.describe(want))
			return
		}
	}
}

// RequireTransitionsInclude fails t unless the log has these entries in this
// order, others before, between and after them allowed.
func (b *Breaker) RequireTransitionsInclude(t qtests.TB, want ...Expectation) {
	t.Helper()
	rest := want
	for _, got := range b.Transitions() {
		if len(rest) > 0 && rest[0].matches(got, b.wall()) {
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		b.fail(t, "no %s after the first %d of: %s", rest[0].describe(b.wall()), len(want)-len(rest), b.describe(want))
	}
}

// RequireRejected fails t unless exactly n calls have been rejected since the
// breaker was made.
func (b *Breaker) RequireRejected(t qtests.TB, n int) {
	t.Helper()
	if got := b.Stats().Rejected; n < 0 || got != uint64(n) {
		b.fail(t, "%d calls rejected, want %d", got, n)
	}
}

// wall is the instant the breaker was made, as it is compared with the log.
func (b *Breaker) wall() time.Time { return b.made.Round(0) }

func (b *Breaker) describe(want []Expectation) string {
	if len(want) == 0 {
		return "none"
	}
	texts := make([]string, len(want))
	for i, w := range want {
		texts[i] = w.describe(b.wall())
	}
	return strings.Join(texts, ", ")
}

func (b *Breaker) fail(t qtests.TB, format string, args ...any) {
	t.Helper()
	qtests.Fatalf(t, "breaker %s: %s\n%s", b.cfg.Name, fmt.Sprintf(format, args...), b.table())
}

// tableRows bounds what a failure prints: the end of a long log says most.
const tableRows = 50

// table draws the log, instants counted from the making of the breaker.
func (b *Breaker) table() string {
	ts, s := b.Transitions(), b.Stats()
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "at\tfrom\tto\tcause\tsuccesses\tfailures")
	if hidden := s.TransitionsDropped + uint64(max(0, len(ts)-tableRows)); hidden > 0 {
		fmt.Fprintf(w, "…\t\t\t%d earlier transitions\n", hidden)
	}
	for _, t := range ts[max(0, len(ts)-tableRows):] {
		cause := t.Detail
		if t.Observed {
			cause += " (observed)"
		}
		fmt.Fprintf(w, "%v\t%v\t%v\t%s\t%d\t%d\n", t.At.Sub(b.wall()), t.From, t.To, cause, t.Counts.Successes, t.Counts.Failures)
	}
	fmt.Fprintf(w, "now\t%v\t\t%d rejected, %d stale, %d in flight\t%d\t%d\n",
		s.State, s.Rejected, s.Stale, s.InFlight, s.Counts.Successes, s.Counts.Failures)
	_ = w.Flush() // a strings.Builder takes everything
	return out.String()
}
