package qtests

import (
	"fmt"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/internal/trace"
)

// maxTurns bounds how many turns and choices a verified run remembers, at 16 bytes each.
const maxTurns = 1 << 20

// runSeed runs the body once, or twice to compare.
func runSeed(t *testing.T, config bubbleConfig, body func(*T)) outcome {
	if !settings.Verify.Get() {
		return runBubble(t, config, body)
	}
	first := trace.New()
	config.trace, config.turns = first, newTurns()
	o := runBubble(t, config, body)
	if o.failed || o.skipped {
		return o
	}
	before := config.turns
	config.trace, config.turns = first.Follow(), newTurns()
	o = runBubble(t, config, body)
	if o.failed || before == nil {
		return o
	}
	if at := ordered.Part(before, config.turns); at >= 0 {
		return compareAgain(t, config, body, before, at)
	}
	return o
}

// newTurns returns memory for the turns of a run, or nil on the stock runtime.
func newTurns() *ordered.Events {
	if !ordered.Available() {
		return nil
	}
	return ordered.NewEvents(maxTurns)
}

// compareAgain runs the body a third time. The first run of a process may do what is
// done once per process, a sync.Once for example; the ones that follow must agree.
func compareAgain(t *testing.T, config bubbleConfig, body func(*T), first *ordered.Events, at int) outcome {
	second := config.turns
	config.trace, config.turns = nil, newTurns()
	o := runBubble(t, config, body)
	if o.failed {
		return o
	}
	again := ordered.Part(second, config.turns)
	if again < 0 {
		o.notes = append(o.notes, fmt.Sprintf("qtests: the first run differs from those that follow, which are alike, %s. Something is done once per process.",
			describePart(first, second, at)))
		return o
	}
	o.failed = true
	o.problems = append(o.problems, fmt.Sprintf("qtests: two runs with one seed differ %s\n"+
		"Something in the test does not come from the seed: an address that orders or is printed, time outside the bubble, state left by the run before, or a disturbance (see T.Order).",
		describePart(second, config.turns, again)))
	return o
}

// describePart says where two runs part.
func describePart(a, b *ordered.Events, at int) string {
	return fmt.Sprintf("at turn or choice %d:\n\tone run went on at %s,\n\tthe other at %s", at+1, lineAt(a, at), lineAt(b, at))
}

func lineAt(e *ordered.Events, at int) string {
	if at >= e.Len() {
		return "no line: it had ended"
	}
	if line := e.Line(at); line != "" {
		return line
	}
	return "a line of the standard library"
}
