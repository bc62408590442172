package load

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// A budget is used up when its last request has started, not when it has come.
func TestBudgetServesItsQueue(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{
			Traffic: traffic.Rate(10).For(2 * time.Second).Budget(5), MaxInFlight: 1, Overflow: Queue, Do: serve(200 * time.Millisecond),
		})
		require.EqualValues(q, 5, res.Finished)
		require.Zero(q, res.Dropped)
		require.Equal(q, 1100*time.Millisecond, res.Elapsed)
	})
}

// What still waits when the profile ends is dropped, with a budget or without.
func TestBudgetEndsWithItsProfile(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{
			Traffic: traffic.Rate(10).For(time.Second).Budget(8), MaxInFlight: 1, Overflow: Queue, Do: serve(400 * time.Millisecond),
		})
		require.EqualValues(q, 3, res.Finished)
		require.EqualValues(q, 5, res.Dropped)
	})
}

// A budget that the profile does not use up shortens nothing.
func TestBudgetThatIsNotUsedUp(t *testing.T) {
	happened := false
	late := event.New("late", func() { happened = true }, nil).At(time.Minute)
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{
			Traffic: traffic.Rate(1).For(10 * time.Second).Jump(0).For(time.Hour).Budget(1000), Do: serve(time.Millisecond), Events: []event.Event{late},
		})
		require.EqualValues(q, 10, res.Finished)
		require.True(q, happened)
		require.Equal(q, time.Hour+10*time.Second, res.Elapsed)
	})
}

// Events that a run did not live to see are in its marks.
func TestEventsAfterTheEnd(t *testing.T) {
	late := event.New("late", func() {}, nil).At(time.Minute)
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{Traffic: traffic.Rate(1).For(time.Hour).Budget(10), Do: serve(time.Millisecond), Events: []event.Event{late}})
		require.EqualValues(q, 10, res.Finished)
		require.Equal(q, []result.Mark{{Offset: 10*time.Second + time.Millisecond, Source: "event", Text: "late: did not happen: the run had ended"}}, res.Marks)
	})
}

func TestCancelledCallerEndsABudget(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		ctx, cancel := context.WithCancel(context.Background())
		q.Clock().AfterFunc(1500*time.Millisecond, cancel)
		res, err := Do(ctx, Scenario{Clock: q.Clock(), Traffic: traffic.Rate(1).For(time.Hour).Budget(1000), Do: serve(time.Millisecond)})
		require.NoError(q, err)
		require.EqualValues(q, 1, res.Finished)
		require.Equal(q, context.Canceled.Error(), res.Halted)
	})
}
