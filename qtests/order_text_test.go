package qtests

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/exploration"
	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

func TestOrderOfAReport(t *testing.T) {
	require.Equal(t, Order{Runtime: true, Turns: 3}, orderOf(ordered.Report{Turns: 3, Where: "a.go:1"}))
	o := orderOf(ordered.Report{Turns: 1234, Disturbed: 1, First: ordered.FromOutside, Where: "a.go:1"})
	require.Equal(t, Order{Runtime: true, Turns: 1234, Disturbances: 1, First: ordered.FromOutside.String() + ", at a.go:1"}, o)
	require.Equal(t, ordered.FromOutside.String()+", at a line that could not be seen", orderOf(ordered.Report{Disturbed: 1}).First)
	o.First = "x, at a.go:1"
	for _, c := range []struct {
		o           Order
		whole       bool
		brief, text string
	}{
		{Order{}, false, "", "ordered by the clock alone, on the stock runtime"},
		{Order{Runtime: true, Turns: 1234}, true, "whole", "whole: 1,234 turns"},
		{o, false, "disturbed 1 time, first: x, at a.go:1", "disturbed 1 time in 1,234 turns, first: x, at a.go:1"},
	} {
		require.Equal(t, c.whole, c.o.Whole())
		require.Equal(t, c.brief, c.o.Brief())
		require.Equal(t, c.text, c.o.String())
	}
}

func TestWhereTwoRunsPart(t *testing.T) {
	ended := ordered.NewEvents(1)
	require.Equal(t, "at turn or choice 1:\n\tone run went on at no line: it had ended,\n\tthe other at no line: it had ended", describePart(ended, ended, 0))
}

// quietRun is a run that reports to a search alone.
func quietRun() *T {
	return &T{run: &bubbleRun{config: bubbleConfig{explore: &exploration.Exploration{Quiet: true}}}}
}

func TestASearchIsToldWhatHappenedSometimes(t *testing.T) {
	loud := &T{run: &bubbleRun{}}
	loud.Sometimes("a", true)
	loud.sometimes.Do(func(told *map[string]bool) { require.Nil(t, *told) })
	q := quietRun()
	for _, x := range []bool{false, true, false} {
		q.Sometimes("a", x)
		q.Sometimes("b", false)
	}
	q.sometimes.Do(func(told *map[string]bool) { require.Equal(t, map[string]bool{"a": true, "b": false}, *told) })
}

func TestASearchIsToldOfAGoexit(t *testing.T) {
	for _, c := range []struct {
		returned, outer bool
		want            string
	}{{true, false, ""}, {true, true, ""}, {false, true, "a failure of the test outside"}, {false, false, "the body ended its goroutine with runtime.Goexit"}} {
		q := quietRun()
		q.complainOfGoexit(c.returned, c.outer)
		text := ""
		if f := q.failing.Load(); f != nil {
			text = f.Text
		}
		require.Equal(t, c.want, text)
	}
}

func TestFailureOfARun(t *testing.T) {
	b := &bubbleRun{}
	require.Nil(t, b.failure(outcome{failed: true, problems: []string{"x"}}), "the bubble never started")
	b.q = &T{}
	require.Nil(t, b.failure(outcome{}))
	require.Equal(t, "race", b.failure(outcome{failed: true}).Kind)
	require.Equal(t, &explore.Failure{Kind: "leak", Text: "one is left", Full: "\nqtests: leak: one is left\nbehind"},
		b.failure(outcome{failed: true, kind: "leak", problems: []string{"\nqtests: leak: one is left\nbehind", "more"}}))
	require.Equal(t, "failure", b.failure(outcome{failed: true, problems: []string{"x"}}).Kind)
	first := &explore.Failure{Kind: "assertion"}
	b.q.failing.Store(first)
	require.Same(t, first, b.failure(outcome{failed: true, problems: []string{"x"}}))
}
