package search

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// An edge is near enough at the precision that was asked for.
func TestNearAtItsBound(t *testing.T) {
	s := Levels{Precision: 0.25}
	require.Equal(t, []bool{true, true, false}, []bool{s.near(4, 5), s.near(5, 4), s.near(4, 5.01)})
	s.Whole = true
	require.Equal(t, []bool{true, false}, []bool{s.near(4, 5), s.near(4, 6)})
}

// short is a scenario of one request, with what must hold.
func short(thresholds []string, limits ...threshold.Threshold) load.Scenario {
	return load.Scenario{Traffic: traffic.Rate(1).For(time.Second), Do: serve(0), Thresholds: thresholds, Limits: limits}
}

// A threshold may be text, or a limit, or there may be some of both.
func TestThresholdsOfEitherKind(t *testing.T) {
	limit, err := threshold.Parse("errors<1")
	require.NoError(t, err)
	for _, c := range []struct {
		scenario load.Scenario
		ok       bool
	}{{short(nil), false}, {short([]string{"errors<1"}), true}, {short(nil, limit), true}, {short([]string{"errors<1"}, limit), true}} {
		in(t, func(q *qtests.T, rec tb.TB) {
			_, err := run(rec, c.scenario, 1, 0)
			require.Equal(q, c.ok, err == nil, "%v", err)
			_, err = sweepOne(rec, c.scenario, 1)
			require.Equal(q, c.ok, err == nil, "%v", err)
		})
	}
}

// A search tells the first note of its runs, and how many there are.
func TestWarningOfAnAnswer(t *testing.T) {
	require.Empty(t, Answer{Trials: []Trial{{Level: 1}, {Level: 2}}}.warning())
	first := Answer{Trials: []Trial{{Level: 1}, {Level: 2, Note: "first"}, {Level: 3, Note: "second"}, {Level: 4}}}.warning()
	require.Contains(t, first, "first")
	require.NotContains(t, first, "second")
	require.Contains(t, first, "2")
}

// A sweep of the most seeds is one, and it keeps a bounded number of those that broke.
func TestSweepAtItsBounds(t *testing.T) {
	bare := func(uint64) load.Scenario { return load.Scenario{} }
	require.Equal(t, "load: Sweep: the scenario has no thresholds to hold", in(t, func(_ *qtests.T, rec tb.TB) { Sweep(rec, MaxSweep, bare) }).Errors())
	require.Equal(t, "load: Sweep: 10001 seeds: want 1 to 10000", in(t, func(_ *qtests.T, rec tb.TB) { Sweep(rec, MaxSweep+1, bare) }).Errors())
	in(t, func(q *qtests.T, rec tb.TB) {
		c := Sweep(rec, maxBroken+2, func(uint64) load.Scenario { return short([]string{"count<1"}) })
		require.Zero(q, c.Held)
		require.Len(q, c.Broken, maxBroken)
	})
}
