package load

import (
	"context"
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// cutTo runs a scenario of 10 requests a second for a minute with these inputs, and returns when
// requests and events were, and what the run took.
func cutTo(t *testing.T, given *inputs.Inputs) (requests int, last time.Duration, events []time.Duration, taken *inputs.Inputs) {
	qtests.Run(t, func(q *qtests.T) {
		set := inputs.NewSet(given, nil)
		tenancy.Here().Inputs = set
		q.Sleep(time.Second)
		mark := func() { events = append(events, q.Elapsed()) }
		res := Run(q, Scenario{
			Name: "shop", Traffic: traffic.Rate(10).For(time.Minute),
			Do:     func(context.Context, *User) error { last = q.Elapsed(); return nil },
			Events: []event.Event{event.New("down", mark, mark).At(10 * time.Second).For(20 * time.Second), event.New("up", mark, nil).At(5 * time.Second)},
		})
		requests = int(res.Finished)
		taken = set.Taken()
	})
	return
}

// TestCut: a search may leave out requests, users and events, and shorten the latter.
func TestCut(t *testing.T) {
	n, last, events, taken := cutTo(t, nil)
	require.Equal(t, 600, n)
	require.Equal(t, []time.Duration{6 * time.Second, 11 * time.Second, 31 * time.Second}, events)
	require.Equal(t, &inputs.Inputs{
		Faults: []inputs.Fault{
			{Plan: "load shop", Name: "down", N: 1, At: 10 * time.Second, For: 20 * time.Second, Start: time.Second},
			{Plan: "load shop", Name: "up", N: 1, At: 5 * time.Second, Start: time.Second},
		},
		Loads: []inputs.Load{{Name: "shop", N: 1, Scale: 1, Made: 600}},
	}, taken)
	again, lastAgain, _, _ := cutTo(t, taken)
	require.Equal(t, []any{n, last}, []any{again, lastAgain}, "what was taken gives the same run")

	cut := taken.With(taken.Faults[:1])
	cut.Faults[0].For = 2 * time.Second
	cut.Loads[0].Requests = 150
	n, last, events, _ = cutTo(t, cut)
	require.Equal(t, 150, n)
	require.Equal(t, 16*time.Second, last, "the first ones stay where they are")
	require.Equal(t, []time.Duration{11 * time.Second, 13 * time.Second}, events)

	cut = taken.With(nil)
	cut.Loads[0].Scale = 0.1
	n, _, events, _ = cutTo(t, cut)
	require.Equal(t, 60, n)
	require.Empty(t, events)
}

// TestFailuresHaveTheNameOfTheThreshold: a search that makes the load smaller must not take one broken
// threshold for another.
func TestFailuresHaveTheNameOfTheThreshold(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var names []string
		tenancy.Here().Fails = func(kind, name string) { names = append(names, kind+": "+name) }
		r, err := Try(q, Scenario{
			Name: "shop", Traffic: traffic.Rate(1).For(10 * time.Second), Do: func(context.Context, *User) error { return context.Canceled },
			Thresholds: []string{"requests>5", "errors==0", "p(99)<1s"},
		})
		require.NoError(q, err)
		reportTo(silent{q}, r)
		require.Equal(q, []string{"load: shop: errors==0"}, names[:1])
	})
}

// silent is a test that takes no failure.
type silent struct{ *qtests.T }

func (silent) Errorf(string, ...any) {}

// TestLoadOutage has too much load and too long an outage for what it shows: a request that fails
// is answered from a cache that is empty at first. A search cuts it down.
func TestLoadOutage(t *testing.T) {
	if replay := flag.Lookup("qtests.replay"); os.Getenv("QTESTS_FIND") == "" && replay.Value.String() == "" {
		t.Skip("a search runs it")
	}
	qtests.Run(t, func(q *qtests.T) {
		down := false
		prices := map[int64]bool{}
		Run(q, Scenario{
			Name: "shop", Traffic: traffic.Users(20).For(time.Hour), Pacing: time.Second,
			Do: func(ctx context.Context, u *User) error {
				item := u.Request() % 7
				if !down {
					prices[item] = true
				} else if !prices[item] {
					return errors.New("no price")
				}
				return u.Sleep(ctx, 10*time.Millisecond)
			},
			Events: []event.Event{
				event.New("prices: outage", func() { down = true }, func() { down = false }).For(30 * time.Minute),
				event.New("weather: rain", func() {}, nil).At(time.Minute),
			},
			Thresholds: []string{"errors==0", "p(99)<1h"},
		})
	})
}
