package explore

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// TestShrink: of choices, faults and load that is left which the failure needs.
func TestShrink(t *testing.T) {
	var all Trial
	for i := range uint64(20) {
		all.Choices = append(all.Choices, ordered.Choice{Goroutine: i + 1})
	}
	all.Inputs = &inputs.Inputs{Loads: []inputs.Load{{Name: "x", N: 1, Scale: 1, Made: 100}}}
	for i := range 6 {
		all.Inputs.Faults = append(all.Inputs.Faults, inputs.Fault{Name: "f", N: i + 1, For: time.Minute})
	}
	first := func(trials []Trial) int {
		return slices.IndexFunc(trials, func(t Trial) bool {
			// With many requests it takes another choice.
			need := uint64(7)
			if r := t.Inputs.Loads[0].Requests; r == 0 || r > 10 {
				need = 9
			}
			return slices.ContainsFunc(t.Choices, func(c ordered.Choice) bool { return c.Goroutine == 3 || c.Goroutine == need }) &&
				slices.ContainsFunc(t.Inputs.Faults, func(f inputs.Fault) bool { return f.N == 4 && f.For >= time.Second })
		})
	}
	got := Shrink(all, first)
	require.Equal(t, 0, first([]Trial{got}))
	require.Len(t, got.Choices, 1)
	require.Len(t, got.Inputs.Faults, 1)
	require.Equal(t, 4, got.Inputs.Faults[0].N)
	require.LessOrEqual(t, got.Inputs.Faults[0].For, 4*time.Second)
	require.Len(t, all.Inputs.Faults, 6, "the argument stays as it is")
	calls := 0
	require.Equal(t, all, Shrink(all, func([]Trial) int { calls++; return -2 }))
	require.Equal(t, 1, calls, "it is over at once")
	none := Trial{Choices: all.Choices}
	require.Empty(t, Shrink(none, func([]Trial) int { return 0 }).Choices)
}

// Choices that only much load needs go when there is little.
func TestShrinkCutsChoicesAgain(t *testing.T) {
	all := Trial{
		Choices: []ordered.Choice{{N: 1}, {N: 2}, {N: 3}, {N: 4}},
		Inputs:  &inputs.Inputs{Loads: []inputs.Load{{Name: "x", N: 1, Scale: 1, Made: 100}}},
	}
	got := Shrink(all, func(trials []Trial) int {
		return slices.IndexFunc(trials, func(t Trial) bool {
			has := func(n uint64) bool {
				return slices.ContainsFunc(t.Choices, func(c ordered.Choice) bool { return c.N == n })
			}
			return has(2) && (has(4) || t.Inputs.Loads[0].Requests == 1)
		})
	})
	require.Equal(t, []ordered.Choice{{N: 2}}, got.Choices)
	require.EqualValues(t, 1, got.Inputs.Loads[0].Requests)
}

// A file has what a trial has, and no more.
func TestFilesOfTrials(t *testing.T) {
	for _, trial := range []Trial{
		{}, {As: Spec{Strategy: ordered.PCT, Depth: 3, Steps: 240, Asked: true}},
		{Inputs: &inputs.Inputs{}}, {Choices: example.Choices, Inputs: &inputs.Inputs{Faults: []inputs.Fault{{Plan: "a", Name: "b c", N: 1, At: 1, For: 2}}}},
	} {
		var b strings.Builder
		_, err := File{Test: "T", Seed: 5, Trial: trial}.WriteTo(&b)
		require.NoError(t, err)
		f, err := Read(strings.NewReader(b.String()))
		require.NoError(t, err, b.String())
		require.Equal(t, trial, f.Trial, b.String())
	}
	_, err := Read(strings.NewReader("qtests choices 1\nexplore lifo\n"))
	require.ErrorContains(t, err, "line 2")
}
