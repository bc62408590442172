package story

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/site"
)

// textsOf are the texts of the lines that were kept.
func textsOf(s *Story) (all []string) {
	for _, l := range s.Lines {
		all = append(all, l.Text)
	}
	return all
}

// many are steps of a goroutine at an object that nobody else uses.
func many(g uint64, n int) (all []ordered.Step) {
	for i := range n {
		all = append(all, does(ordered.StepPoint, g, site.Write, 0x1000+g, uint64(i), 2, "c.total"))
	}
	return all
}

// What a goroutine does again and again is worth less, but for its last two times.
func TestRepeats(t *testing.T) {
	teller := &teller{lines: []Line{
		{Text: "a", score: 9}, {Text: "a", score: 9, Surprise: true}, {Text: "b", score: 9}, {Text: "a", score: 9, Lane: 1}, {Text: "a", score: 9, Where: "x.go:1"},
		{Text: "a", score: 9}, {Text: "b", score: 9}, {Text: "a", score: 9}, {Text: "a", score: 9},
	}}
	teller.repeats()
	var scores []int
	for _, l := range teller.lines {
		scores = append(scores, l.score)
	}
	require.Equal(t, []int{1, 9, 9, 9, 9, 1, 9, 9, 9}, scores)
}

// Where nothing says much, the last eight lines are told; what says more comes before what says less.
func TestDullLines(t *testing.T) {
	for n, want := range map[int]int{1: 1, 8: 8, 9: 8, 50: 8} {
		s := Tell("T", &explore.Failure{Kind: "assertion", Text: "x"}, many(9, n), nil, source)
		require.Len(t, s.Lines, want, n)
		require.Equal(t, n-want, s.Left)
		require.Equal(t, n-want, s.Lines[0].Left, "those before the first")
		require.Equal(t, fmt.Sprintf("writes c.total = %d", n-1), s.Lines[want-1].Text)
	}
	steps := append([]ordered.Step{does(ordered.StepPoint, 8, site.Read, 0x10, 0, 1, "c.total"), does(ordered.StepPoint, 7, site.Write, 0x10, 5, 2, "c.total")}, many(8, 50)...)
	s := Tell("T", &explore.Failure{Kind: "assertion", Text: "x"}, steps, nil, source)
	require.Equal(t, []string{"reads c.total = 0", "writes c.total = 5"}, textsOf(s)[:2], "what goroutines share")
	require.Len(t, s.Lines, 8)
	left := 0
	for _, l := range s.Lines {
		left += l.Left
	}
	require.Equal(t, s.Left, left, "the last line is told, and each that is not stands before one that is")
}

// However much happens later, the account has what the failure hangs on.
func TestKeyLinesStay(t *testing.T) {
	shared := func(n int) (all []ordered.Step) { // says more than what one goroutine has for itself
		for i := range n {
			all = append(all, does(ordered.StepPoint, uint64(20+i%2), site.Write, 0x500, uint64(i), 2, "c.total"))
		}
		return all
	}
	held := append([]ordered.Step{
		does(ordered.StepPoint, 8, site.Read, 0x10, 3, 1, "c.total"), does(ordered.StepPoint, 7, site.Read, 0x10, 4, 1, "c.total"),
		does(ordered.StepHeld, 8, site.Write, 0x10, 0, 2, "c.total"), does(ordered.StepPoint, 8, site.Write, 0x10, 5, 2, "c.total"),
	}, shared(90)...)
	s := Tell("T", &explore.Failure{Kind: "assertion", Text: "x"}, held, nil, source)
	require.Equal(t, []string{"reads c.total (1) = 3", "reads c.total (1) = 4", "is held before it writes c.total (1)", "goes on: writes c.total (1) = 5"}, textsOf(s)[:4])
	require.Len(t, s.Lines, MostLines-7)

	waits := func(g uint64, line int) ordered.Step { return does(ordered.StepWaits, g, site.Other, 0, 0, line, "") }
	blocked := append([]ordered.Step{
		does(ordered.StepPoint, 8, site.Lock, 0x1, 0, 3, "mu"), does(ordered.StepPoint, 8, site.Receive, 0x3, 0, 5, "work"), waits(8, 5),
		does(ordered.StepPoint, 7, site.Lock, 0x1, 0, 3, "mu"), waits(7, 3), does(ordered.StepPoint, 6, site.Write, 0x4, 0, 2, "c.total"), waits(6, 6),
	}, shared(90)...)
	s = Tell("T", &explore.Failure{Kind: "deadlock", Text: "x"}, blocked, nil, source)
	require.Equal(t, []string{"locks mu", "waits to receive from work", "waits to lock mu, which G1 holds since shop.go:3", "waits in runtime.gopark"}, textsOf(s)[:4])
	require.Len(t, s.Ends, 3)
	require.Len(t, s.Lines, MostLines-7-3, "beside three that wait")

	circle := append([]ordered.Step{
		does(ordered.StepPoint, 8, site.Lock, 0x1, 0, 3, "mu"), does(ordered.StepPoint, 7, site.Lock, 0x2, 0, 4, "other"),
		does(ordered.StepPoint, 8, site.Lock, 0x2, 0, 4, "other"), waits(8, 4), does(ordered.StepPoint, 7, site.Lock, 0x1, 0, 3, "mu"), waits(7, 3),
	}, shared(90)...)
	s = Tell("T", &explore.Failure{Kind: "deadlock", Text: "x"}, circle, nil, source)
	require.Len(t, s.Cycle, 2)
	require.Len(t, s.Lines, MostLines-7-2, "beside a circle of two")
}

// A circle of many, a load of many parts: the account is as short as ever, and says how many are left out.
func TestLongCircles(t *testing.T) {
	require.Equal(t, []string{"a", "b"}, atMost([]string{"a", "b"}, 2))
	require.Equal(t, []string{"a", "and 2 more"}, atMost([]string{"a", "b", "c"}, 2))
	var steps []ordered.Step
	const n = 40
	for g := range uint64(n) {
		steps = append(steps, does(ordered.StepPoint, g+1, site.Lock, g+100, 0, 3, "mu"))
	}
	for g := range uint64(n) {
		steps = append(steps, does(ordered.StepPoint, g+1, site.Lock, (g+1)%n+100, 0, 4, "other"), does(ordered.StepWaits, g+1, site.Other, 0, 0, 4, ""))
	}
	in := new(inputs.Inputs)
	for i := range 20 {
		in.Faults = append(in.Faults, inputs.Fault{Plan: "p", Name: "db: outage", N: i + 1})
		in.Loads = append(in.Loads, inputs.Load{Name: "shop", N: i + 1, Scale: 0.5})
	}
	for _, in := range []*inputs.Inputs{nil, in} {
		s := Tell("T", &explore.Failure{Kind: "deadlock", Text: "all wait"}, steps, in, source)
		text := s.String()
		require.Contains(t, text, "  in a circle: and 33 more\n")
		require.Equal(t, mostCircle, strings.Count(text, "in a circle: "))
		require.LessOrEqual(t, strings.Count(text, "\n"), MostLines)
		if in != nil {
			require.Contains(t, text, "  load: and 17 more\n")
			require.Contains(t, text, "*   db: outage")
		}
	}
}
