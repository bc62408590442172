package trace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

const second = int64(time.Second)

// here is a line of this file.
var here = stacks.UserCaller()

// A run is what a trace is told of one.
type run []func(*Trace)

func waits(at, until int64) func(*Trace) {
	return func(t *Trace) { t.add(event{at: at, until: until, where: here}) }
}

func marks(text string) func(*Trace) {
	return func(t *Trace) { t.Mark(time.Unix(1, 0), "pool", text) }
}

func fires(due int64) func(*Trace) {
	return func(t *Trace) { t.Late(here, due) }
}

func (r run) tell(t *Trace) *Trace {
	for _, tell := range r {
		tell(t)
	}
	return t
}

func TestTheFirstDifferenceIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		first, second run
		want          string // empty for nothing
	}{
		"alike":         {run{waits(0, second), marks("full")}, run{waits(0, second), marks("full")}, ""},
		"nothing":       {nil, nil, ""},
		"another wait":  {run{marks("full"), waits(0, second)}, run{marks("full"), waits(0, 2*second)}, "at event 2: the first run at 1970-01-01 00:00:00 waited for 1s, at "},
		"another mark":  {run{marks("full")}, run{marks("empty")}, `at event 1: the first run at 1970-01-01 00:00:01 wrote "pool: full",` + "\n\t" + `the second at 1970-01-01 00:00:01 wrote "pool: empty"`},
		"the first one": {run{marks("a"), marks("b")}, run{marks("c"), marks("d")}, "at event 1: "},
		"a late timer":  {run{fires(second)}, run{fires(2 * second)}, "at event 1: the first run at 1970-01-01 00:00:01 waited for 0s, at "},
		"longer":        {run{marks("a")}, run{marks("a"), marks("b")}, "at event 2: the first run had ended, the second at 1970-01-01 00:00:01 wrote"},
		"shorter":       {run{marks("a"), marks("b"), marks("c")}, run{marks("a")}, "at event 2: the second run had ended, the first went on for 2 more"},
	} {
		first := c.first.tell(New())
		require.Empty(t, first.End(), "%s: a first run has nothing to repeat", name)
		got := c.second.tell(first.Follow()).End()
		if c.want == "" {
			require.Empty(t, got, name)
			continue
		}
		require.Contains(t, got, "qtests: two runs with one seed differ "+c.want, name)
	}
}

func TestAWaitNamesTheUsersLine(t *testing.T) {
	first := New()
	first.Wait(0, second)
	second := first.Follow()
	second.Wait(0, 2)
	require.Contains(t, second.End(), "trace_test.go:")
	require.Contains(t, second.Caller().String(), "trace_test.go:")
}

func TestNoTrace(t *testing.T) {
	var none *Trace
	none.Wait(0, 1)
	none.Late(none.Caller(), 1)
	none.Mark(time.Unix(1, 0), "pool", "full")
	require.Empty(t, none.End())
	require.Zero(t, none.Caller())
}
