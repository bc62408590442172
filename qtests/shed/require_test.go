package shed_test

import (
	"context"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/shed"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// asked is a gate of one place and two classes: a was served twice and dropped once, b refused once.
func asked(t *testing.T) *shed.Gate {
	t.Helper()
	g, err := shed.New(shed.Config{Name: "door", Clock: clock.NewMock(), Limit: shed.Fixed(1), Classes: []shed.Class{{Name: "a"}, {Name: "b"}, {Name: "c"}}})
	require.NoError(t, err)
	for _, dropped := range []bool{false, false, true} {
		p, err := g.Acquire(context.Background(), "a")
		require.NoError(t, err)
		if dropped {
			_, err = g.Acquire(context.Background(), "b")
			require.Error(t, err)
		}
		p.Done(dropped)
	}
	return g
}

func TestRequirements(t *testing.T) {
	g := asked(t)
	empty, err := shed.New(shed.Config{Limit: shed.Fixed(1)})
	require.NoError(t, err)
	for _, tc := range []struct {
		require func(t tb.TB)
		want    string // "" is kept
	}{
		{func(t tb.TB) { g.RequireGoodput(t, 0.5) }, ""},
		{func(t tb.TB) { g.RequireGoodput(t, 0.51) }, "shed: gate door: the goodput is 0.5 of 4 requests, want at least 0.51\nlimit 1, 0 in flight\n"},
		{func(t tb.TB) { g.RequireGoodput(t, 99) }, "shed: gate door: RequireGoodput(99): want a share from 0 to 1"},
		{func(t tb.TB) { empty.RequireGoodput(t, 0) }, "shed: gate gate: no request has ended, and so there is no goodput"},
		{func(t tb.TB) { g.RequireFairness(t, 0.5) }, ""},
		{func(t tb.TB) { g.RequireFairness(t, 0.6) }, `shed: gate door: the fairness between ["a" "b" "c"] is 0.5, want at least 0.6`},
		{func(t tb.TB) { g.RequireFairness(t, 1, "a") }, ""},
		{func(t tb.TB) { g.RequireFairness(t, 1, "A") }, `shed: gate door: unknown class "A"; did you mean "a" or "b" or "c"?`},
		{func(t tb.TB) { g.RequireFairness(t, 1, "c") }, `shed: gate door: the classes ["c"] offered no request, and so there is no fairness`},
		{func(t tb.TB) { g.RequireFairness(t, 2, "a") }, "shed: gate door: RequireFairness(2): want an index from 0 to 1"},
	} {
		rec := tbtest.Run("t", func(t *tbtest.TB) { tc.require(t) })
		require.Equal(t, tc.want != "", rec.Failed(), "%s", rec.Errors())
		require.Contains(t, rec.Errors(), tc.want)
	}
}

func TestSectionOfAGate(t *testing.T) {
	s := asked(t).Section(time.Time{}, time.Time{})
	require.Equal(t, []string{"limit 1, 2 of 4 requests served"}, s.Lines)
	require.Equal(t, [][]string{{"a", "3", "3", "0", "0", "66.67%"}, {"b", "1", "0", "1", "0", "0%"}, {"c", "0", "0", "0", "0", "100%"}}, s.Tables[0].Rows)
	require.Equal(t, [][]string{{"b", "over the limit", "1"}}, s.Tables[1].Rows)
}
