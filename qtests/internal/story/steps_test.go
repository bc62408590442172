package story

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/site"
)

// with is a step about another goroutine.
func with(s ordered.Step, other uint64) ordered.Step {
	s.Other = other
	return s
}

// noCode is a step in which no code of the user's runs.
func noCode(s ordered.Step, functions ...string) ordered.Step {
	s.Stack = nil
	for _, f := range functions {
		s.Stack = append(s.Stack, ordered.Frame{Function: f, File: "/usr/go/src/runtime/x.go", Line: 1})
	}
	return s
}

func tellSteps(kind string, steps ...ordered.Step) *Story {
	return Tell("T", &explore.Failure{Kind: kind, Text: "x"}, steps, nil, source)
}

// A goroutine that does nothing at a point has no lane, and is not named.
func TestWhoHasALane(t *testing.T) {
	s := tellSteps("assertion",
		does(ordered.StepWaits, 50, site.Other, 0, 0, 3, ""), with(does(ordered.StepStarts, 9, site.Other, 0, 0, 5, "go"), 60), does(ordered.StepEnds, 50, site.Other, 0, 0, 3, ""),
		does(ordered.StepPoint, 9, site.Write, 0x10, 1, 2, "c.total"), with(does(ordered.StepAhead, 9, site.Other, 0, 0, 2, ""), 60), with(does(ordered.StepAhead, 9, site.Other, 0, 0, 2, ""), 8),
		does(ordered.StepHeld, 8, site.Write, 0x10, 0, 2, "c.total"),
	)
	require.Equal(t, []Lane{{"G1", "the test"}, {"G2", "started before"}}, s.Lanes)
	require.Equal(t, []string{"writes c.total = 1", "runs ahead of G2, which has waited longer", "is held before it writes c.total"}, textsOf(s))
	require.Equal(t, []bool{false, true, true}, []bool{s.Lines[0].Surprise, s.Lines[1].Surprise, s.Lines[2].Surprise})
}

// A goroutine that the user's code did not start is called by its function.
func TestWhoStartedIt(t *testing.T) {
	server := noCode(with(does(ordered.StepStarts, 9, site.Other, 0, 0, 0, ""), 8), "net/http.(*Server).Serve")
	server.Starts = "net/http.(*conn).serve.gowrap1"
	unknown := noCode(with(does(ordered.StepStarts, 9, site.Other, 0, 0, 0, ""), 7), "net/http.(*Server).Serve")
	s := tellSteps("assertion", does(ordered.StepPoint, 9, site.Write, 0x10, 1, 2, "c.total"), server, unknown,
		with(does(ordered.StepStarts, 50, site.Other, 0, 0, 5, "go"), 6),
		does(ordered.StepPoint, 8, site.Write, 0x10, 1, 2, "c.total"), does(ordered.StepPoint, 7, site.Write, 0x10, 1, 2, "c.total"), does(ordered.StepPoint, 6, site.Write, 0x10, 1, 2, "c.total"))
	require.Equal(t, []Lane{{"G1", "the test"}, {"G2", "runs http.(*conn).serve"}, {"G3", "started by G1"}, {"G4", "started at shop.go:5"}}, s.Lanes)
}

// A goroutine may wait some steps after its point; it did not where no step says so.
func TestWaitsOfPoints(t *testing.T) {
	waits := func(g uint64, line int) ordered.Step { return does(ordered.StepWaits, g, site.Other, 0, 0, line, "") }
	s := tellSteps("assertion",
		does(ordered.StepHeld, 8, site.Lock, 0x1, 0, 3, "mu"), does(ordered.StepPoint, 8, site.Lock, 0x1, 0, 3, "mu"),
		does(ordered.StepPoint, 7, site.Receive, 0x3, 0, 5, "work"), does(ordered.StepPoint, 8, site.Write, 0x10, 1, 2, "c.total"), with(does(ordered.StepAhead, 7, site.Other, 0, 0, 5, ""), 50), waits(7, 5),
		does(ordered.StepPoint, 8, site.Lock, 0x2, 0, 4, "other"))
	require.Equal(t, []string{"is held before it locks mu", "goes on: locks mu", "waits to receive from work", "writes c.total = 1", "locks other"}, textsOf(s))
}

// Where no code of the user's waits, the end says in what, and names no line.
func TestWaitsOutside(t *testing.T) {
	wait := does(ordered.StepWaits, 8, site.Other, 0, 0, 0, "")
	s := tellSteps("deadlock",
		does(ordered.StepPoint, 8, site.Write, 0x10, 1, 2, "c.total"), noCode(wait, "runtime.gopark", "sync.(*WaitGroup).Wait"),
		does(ordered.StepPoint, 7, site.Write, 0x10, 1, 2, "c.total"), does(ordered.StepWaits, 7, site.Other, 0, 0, 5, ""))
	require.Equal(t, []string{"G1 waits in sync.(*WaitGroup).Wait", "G2 waits in runtime.gopark at shop.go:5"}, s.Ends)
	require.Equal(t, []string{"writes c.total = 1", "writes c.total = 1", "waits in runtime.gopark"}, textsOf(s))
}

func TestWaitsIn(t *testing.T) {
	for _, c := range []struct {
		want      string
		functions []string
	}{
		{"the runtime", nil},
		{"a receive", []string{"runtime.gopark", "runtime.chanrecv", "runtime.chanrecv1"}},
		{"a receive", []string{"runtime.chanrecv2"}},
		{"a send", []string{"runtime.chansend", "runtime.chansend1"}},
		{"a select", []string{"runtime.selectgo"}},
		{"sync.(*WaitGroup).Wait", []string{"runtime.gopark", "sync.(*WaitGroup).Wait", ""}},
		{"http.(*persistConn).roundTrip", []string{"runtime.selectgo", "net/http.(*persistConn).roundTrip"}},
	} {
		stack := noCode(ordered.Step{}, c.functions...).Stack
		require.Equal(t, c.want, waitsIn(stack))
		user := []ordered.Frame{{Function: "shop.qtestsD", File: "/home/me/" + site.HelperFile + ".go", Line: 3}, {Function: "shop.work", File: "/home/me/shop.go", Line: 7}, {Function: "sort.Slice", File: "/usr/go/src/sort/sort.go", Line: 1}}
		require.Equal(t, c.want, waitsIn(append(stack, user...)), "of what calls the user's code it says nothing")
	}
}

// Who is woken is said of the last thing that the goroutine did, where that is not long ago.
func TestWhatWakes(t *testing.T) {
	for others, want := range map[int]bool{0: true, 3: true, 4: false} {
		steps := []ordered.Step{
			does(ordered.StepPoint, 7, site.Receive, 0x3, 0, 5, "work"), does(ordered.StepWaits, 7, site.Other, 0, 0, 5, ""), does(ordered.StepPoint, 8, site.Write, 0x10, 1, 2, "c.total"),
		}
		steps = append(steps, many(9, others)...)
		s := tellSteps("assertion", append(steps, with(does(ordered.StepWakes, 8, site.Other, 0, 0, 2, ""), 7))...)
		text := "writes c.total = 1"
		if want {
			text += ", which wakes G1"
			require.Equal(t, 1, s.Lines[1].Wakes)
		}
		require.Equal(t, text, s.Lines[1].Text, others)
	}
	s := tellSteps("assertion", does(ordered.StepPoint, 8, site.Write, 0x10, 1, 2, "c.total"), with(does(ordered.StepWakes, 8, site.Other, 0, 0, 2, ""), 7))
	require.Equal(t, []string{"writes c.total = 1"}, textsOf(s), "somebody who waited for nothing that is known")
}

// A reader that is woken holds the lock beside others, and a writer waits for the one that is not itself.
func TestReadersThatHold(t *testing.T) {
	waits := func(g uint64, line int) ordered.Step { return does(ordered.StepWaits, g, site.Other, 0, 0, line, "") }
	steps := []ordered.Step{
		does(ordered.StepPoint, 9, site.Lock, 0x1, 0, 3, "mu"),
		does(ordered.StepPoint, 8, site.RLock, 0x1, 0, 3, "mu"), waits(8, 3), does(ordered.StepPoint, 7, site.RLock, 0x1, 0, 3, "mu"), waits(7, 3),
		does(ordered.StepPoint, 9, site.Unlock, 0x1, 0, 6, "mu"),
		with(does(ordered.StepWakes, 9, site.Other, 0, 0, 6, ""), 8), with(does(ordered.StepWakes, 9, site.Other, 0, 0, 6, ""), 7),
	}
	s := tellSteps("deadlock", append(steps, does(ordered.StepPoint, 8, site.Lock, 0x1, 0, 3, "mu"), waits(8, 3))...)
	require.Equal(t, "waits to lock mu, which G3 holds since shop.go:3", s.Lines[len(s.Lines)-1].Text)
	s = tellSteps("deadlock", append(steps, does(ordered.StepPoint, 9, site.Lock, 0x1, 0, 3, "mu"), waits(9, 3))...)
	require.Equal(t, "waits to lock mu, which G2 holds since shop.go:3", s.Lines[len(s.Lines)-1].Text)
}
