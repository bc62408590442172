package load

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// serve is a step that takes d.
func serve(d time.Duration) func(context.Context, *User) error {
	return func(ctx context.Context, u *User) error { return u.Sleep(ctx, d) }
}

func TestOpenConstantRate(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := Run(q, Scenario{
			Traffic:    traffic.Rate(50).For(5 * time.Second),
			Do:         serve(40 * time.Millisecond),
			Thresholds: []string{"p(99)<=40ms", "min>=40ms", "errors<1%", "dropped==0", "requests==250"},
		})
		require.EqualValues(t, 250, res.Scheduled)
		require.EqualValues(t, 250, res.Finished)
		require.Equal(t, 40*time.Millisecond, res.Response.Percentile(99))
		require.Equal(t, 5*time.Second+40*time.Millisecond, res.Elapsed)
		require.EqualValues(t, 0, res.Errors)
	})
}

func TestClosedUsers(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := Run(q, Scenario{
			Traffic:   traffic.Users(10).For(time.Minute),
			ThinkTime: latency.Fixed(time.Second),
			Do:        serve(time.Second),
		})
		require.EqualValues(t, 300, res.Started)
		require.EqualValues(t, 300, res.Finished)
		require.EqualValues(t, 10, res.MaxInFlight)
	})
}

func TestErrorsByKind(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := Run(q, Scenario{
			Traffic: traffic.Rate(10).For(10 * time.Second),
			Timeout: time.Second,
			Do: func(ctx context.Context, u *User) error {
				if u.ID() > 50 {
					return u.Sleep(ctx, 2*time.Second)
				}
				if u.ID()%2 == 0 {
					return errors.New("even")
				}
				return nil
			},
		})
		require.Equal(t, []result.ErrorCount{
			{Kind: "timeout", Count: 50, First: 6100 * time.Millisecond, Step: "load", Text: "context deadline exceeded"},
			{Kind: "even", Count: 25, First: 200 * time.Millisecond, Step: "load", Text: "even"},
		}, res.ErrorKinds)
	})
}
