package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

var errDown = errors.New("down")

// fail is a step that takes no time and fails.
func fail(context.Context, *User) error { return errDown }

// The places in flight and in the queue are exactly as many as were asked for.
func TestQueueHoldsWhatItMay(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{
			Traffic: traffic.Bursts(10, time.Hour).For(time.Minute), MaxInFlight: 2, Overflow: Queue, MaxQueue: 3, Do: serve(time.Second),
		})
		require.EqualValues(q, 10, res.Scheduled)
		require.EqualValues(q, 5, res.Finished)
		require.EqualValues(q, 5, res.Dropped)
		require.EqualValues(q, 2, res.MaxInFlight)
		require.Equal(q, 3*time.Second, res.Response.Max(), "the last one waited for two others")
		require.Equal(q, time.Second, res.Service.Max())
		require.Zero(q, res.Late.Max(), "it is not the generator that was late")
	})
}

// A context ends with its request, and each attempt's with the attempt.
func TestContextsEndWithTheirRequests(t *testing.T) {
	for _, timeout := range []time.Duration{0, time.Hour} {
		qtests.Run(t, func(q *qtests.T) {
			var kept []context.Context
			resultOf(q, Scenario{
				Traffic: traffic.Rate(1).For(3 * time.Second), Timeout: timeout, Retry: Retry{Max: 1},
				Do: func(ctx context.Context, u *User) error {
					require.NoError(q, ctx.Err())
					_, limited := ctx.Deadline()
					require.Equal(q, timeout > 0, limited)
					kept = append(kept, ctx)
					return errDown
				},
			})
			require.Len(q, kept, 6)
			for _, ctx := range kept {
				require.ErrorIs(q, ctx.Err(), context.Canceled)
			}
		})
	}
}

// The end of the run reaches an attempt that has a timeout of its own.
func TestAttemptsEndWithTheRun(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{
			Traffic: traffic.Rate(1).For(3 * time.Second), Timeout: time.Hour, NoGrace: true, Retry: Retry{Max: 5},
			Do: func(ctx context.Context, u *User) error {
				_ = u.Sleep(ctx, time.Hour)
				return errDown // which would be worth a retry
			},
		})
		require.EqualValues(q, 3, res.Interrupted)
		require.Zero(q, res.Retries)
		require.Equal(q, 3*time.Second, res.Elapsed)
	})
}

func TestRetryWhatIsWorthIt(t *testing.T) {
	for _, test := range []struct {
		name  string
		retry Retry
		err   error
		want  int64 // attempts
	}{
		{"all by default", Retry{Max: 2}, errDown, 3},
		{"not a cancelled context", Retry{Max: 2}, fmt.Errorf("call: %w", context.Canceled), 1},
		{"what If wants", Retry{Max: 2, If: func(err error) bool { return errors.Is(err, errDown) }}, errDown, 3},
		{"not what If refuses", Retry{Max: 2, If: func(error) bool { return false }}, errDown, 1},
		{"If decides on cancelled ones, too", Retry{Max: 2, If: func(error) bool { return true }}, context.Canceled, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				res := resultOf(q, Scenario{
					Traffic: traffic.Rate(1).For(time.Second), Retry: test.retry,
					Do: func(context.Context, *User) error { return test.err },
				})
				require.Equal(q, test.want, res.Attempts)
				require.Equal(q, test.want-1, res.Retries)
			})
		})
	}
}

// Back-off doubles up to its bound: 1, 2, 4, 5, 5 s.
func TestBackoffDoublesUpToItsBound(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var at []time.Duration
		resultOf(q, Scenario{
			Traffic: traffic.Rate(1).For(time.Second), Retry: Retry{Max: 5, Backoff: latency.Fixed(time.Second), MaxBackoff: 5 * time.Second},
			Do: func(ctx context.Context, u *User) error {
				at = append(at, tb.Round(q.Elapsed())/time.Second)
				return fail(ctx, u)
			},
		})
		require.Equal(q, []time.Duration{1, 2, 4, 8, 13, 18}, at)
	})
}

func TestBackoffOfAgesDoesNotOverflow(t *testing.T) {
	r := Retry{Backoff: latency.Fixed(200 * 365 * 24 * time.Hour), MaxBackoff: math.MaxInt64}
	require.Equal(t, time.Duration(math.MaxInt64), r.backoff(func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }, 3))
}

// A retry storm is seen, and held to its budget: ten retries, and one for every
// fifth request.
func TestRetryBudget(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{
			Traffic: traffic.Rate(10).For(10 * time.Second), Retry: Retry{Max: 3, Backoff: latency.Fixed(time.Millisecond), Budget: 0.2}, Do: fail,
		})
		require.EqualValues(q, 100, res.Finished)
		require.EqualValues(q, 30, res.Retries)
		require.EqualValues(q, 130, res.Attempts)
		require.Positive(q, res.RetriesDenied)
		var timeline int64
		for _, p := range res.Timeline {
			timeline += p.Retries
		}
		require.Equal(q, res.Retries, timeline)
	})
}
