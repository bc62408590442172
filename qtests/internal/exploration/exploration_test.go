package exploration

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/settings"
)

// TestNilExploration makes no choices, and is in nobody's way.
func TestNilExploration(t *testing.T) {
	var x *Exploration
	require.False(t, x.Explores(2))
	require.Nil(t, x.Flags(2))
	require.Nil(t, x.Inputs())
	x.Ran(2, true)
	x.Remember(2, &explore.Failure{Kind: "assertion"})
	x.Explain(t, nil)
	x.Check(nil)
	called := false
	x.Still(func() { called = true })
	require.True(t, called)
	called = false
	(&Exploration{}).Still(func() { called = true })
	require.True(t, called, "a run without a plan")
	require.Equal(t, ordered.Available(), New() != nil)
}

// TestSpecOfASeed is the default where none was asked for; PCT draws over the steps of the first run in all the others.
func TestSpecOfASeed(t *testing.T) {
	pct := explore.Spec{Strategy: ordered.PCT, Depth: 3, Asked: true}
	over := func(s explore.Spec, steps int) explore.Spec { s.Steps = steps; return s }
	measured := Exploration{steps: 40, measured: 5, fixed: true}
	with := func(x Exploration, s explore.Spec) *Exploration { x.spec = s; return &x }
	random := explore.Spec{Strategy: ordered.Random, Asked: true}
	for _, c := range []struct {
		name string
		x    *Exploration
		seed uint64
		want explore.Spec
	}{
		{"the default seed", &Exploration{}, settings.DefaultSeed, explore.Spec{Strategy: ordered.FIFO}},
		{"another seed", &Exploration{}, 2, explore.For(2, settings.DefaultSeed)},
		{"asked for", with(Exploration{}, pct), settings.DefaultSeed, pct},
		{"before one was measured", with(Exploration{steps: 40}, pct), 6, pct},
		{"the one that was measured", with(measured, pct), 5, pct},
		{"another one", with(measured, pct), 6, over(pct, 40)},
		{"with steps of its own", with(measured, over(pct, 7)), 6, over(pct, 7)},
		{"another strategy", with(measured, random), 6, random},
	} {
		require.Equal(t, c.want, c.x.of(c.seed), c.name)
		require.Equal(t, c.want.Strategy != ordered.FIFO, c.x.Explores(c.seed), c.name)
	}
}

// TestFlags are those that the default does not give anyway.
func TestFlags(t *testing.T) {
	random := Exploration{spec: explore.Spec{Strategy: ordered.Random, Asked: true}}
	require.Equal(t, []string{"-qtests.explore=random"}, random.Flags(2))
	require.Nil(t, (&Exploration{}).Flags(2))
	random.replays = true
	require.Nil(t, random.Flags(2), "a file says it")
}

// needsOrdered skips a test for which there has to be a choice.
func needsOrdered(t *testing.T) {
	t.Helper()
	if !ordered.Available() {
		t.Skip("on the stock runtime; to run it: go tool qtests test ./qtests/internal/exploration")
	}
}

// letters is a run in which three goroutines write their letters, and which says in which order they did.
func letters(t *testing.T, x *Exploration, seed uint64) (order string) {
	t.Helper()
	require.NoError(t, ordered.Arm(seed, false, nil))
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, x.Begin(seed))
		c := make(chan string)
		for _, letter := range []string{"a", "b", "c"} {
			go func() { c <- letter }()
		}
		for range 3 {
			order += <-c
		}
	})
	return order
}

// TestRunsOfOneBody: the first one of several says over how many steps the others draw; what failed is remembered once, and
// repeats.
func TestRunsOfOneBody(t *testing.T) {
	needsOrdered(t)
	x := &Exploration{spec: explore.Spec{Strategy: ordered.PCT, Depth: 3, Asked: true}}
	x.Ran(1, true)
	require.False(t, x.fixed, "there was no run")
	letters(t, x, 1)
	require.Positive(t, x.plan.Steps())
	x.Ran(1, false)
	require.False(t, x.fixed, "nothing follows")
	x.Ran(1, true)
	require.True(t, x.fixed)
	require.Equal(t, x.plan.Steps(), x.of(2).Steps)
	steps := x.steps
	seed, order := uint64(1), "abc"
	for order == "abc" {
		seed++
		order = letters(t, x, seed)
		x.Ran(seed, true)
	}
	require.EqualValues(t, 1, x.measured)
	require.Equal(t, steps, x.steps)

	x.Remember(seed, nil)
	require.Nil(t, x.failure, "it has passed")
	x.Remember(seed, &explore.Failure{Kind: "assertion"})
	x.Remember(seed+1, &explore.Failure{Kind: "panic"})
	require.Equal(t, "assertion", x.failure.Kind)
	require.Equal(t, seed, x.failedSeed)
	require.NotEmpty(t, x.trial.Choices)
	again := &Exploration{replays: true, trial: x.trial}
	require.Equal(t, order, letters(t, again, seed))
	require.Equal(t, len(x.trial.Choices), again.plan.Applied())
}

// TestFirstComeFirstServed needs no plan, unless it was asked for.
func TestFirstComeFirstServed(t *testing.T) {
	needsOrdered(t)
	x := &Exploration{}
	require.Equal(t, "abc", letters(t, x, settings.DefaultSeed))
	require.Nil(t, x.plan)
	require.NotNil(t, x.Inputs())
	x = &Exploration{spec: explore.Spec{Strategy: ordered.FIFO, Asked: true}}
	require.Equal(t, "abc", letters(t, x, 2))
	require.NotNil(t, x.plan)
	given := &inputs.Inputs{Faults: []inputs.Fault{}}
	x = &Exploration{replays: true, trial: explore.Trial{Inputs: given}}
	require.Equal(t, "abc", letters(t, x, 2), "of a trial without choices")
	require.NotNil(t, x.plan)
	require.NotNil(t, x.Inputs().Taken(), "those that were given")
}

func TestUnmade(t *testing.T) {
	require.Empty(t, unmade(0, 0, "x.choices"))
	require.Empty(t, unmade(3, 3, "x.choices"))
	require.Contains(t, unmade(2, 3, "x.choices"), "2 of the 3 choices of x.choices were made")
}

// TestMayKnow: a package that keeps no choices has nothing to try, and what keeps them has for their test alone.
func TestMayKnow(t *testing.T) {
	require.False(t, (*Exploration)(nil).MayKnow("TestTransfer"))
	require.False(t, (&Exploration{}).MayKnow(t.Name()), "this one keeps none")
}
