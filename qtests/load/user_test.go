package load

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

func TestTagSetTwiceKeepsTheLaterValue(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := Run(q, Scenario{Traffic: traffic.Rate(1).For(3 * time.Second), Do: func(_ context.Context, u *User) error {
			u.Tag("region", "us")
			u.Tag("size", "1")
			u.Tag("region", "eu")
			return nil
		}})
		require.Len(q, res.Tags, 2)
		require.Equal(q, "region=eu", res.Tags[0].Name)
		require.EqualValues(q, 3, res.Tags[0].Finished)
	})
}

func TestSequenceStopsAtTheFirstError(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		fails := func(context.Context, *User) error { return errors.New("no") }
		res := Run(q, Scenario{Traffic: traffic.Rate(1).For(3 * time.Second), Do: Sequence(
			Step{Name: "first", Do: serve(time.Second)}, Step{Name: "second", Do: fails}, Step{Name: "third", Do: serve(time.Second)})})
		require.EqualValues(q, 3, res.Errors)
		require.Equal(q, "no", res.ErrorKinds[0].Kind)
		first, _ := res.Step("first")
		require.EqualValues(q, []int64{3, 0}, []int64{first.Finished, first.Errors})
		require.Equal(q, time.Second, first.Response.Min())
		second, _ := res.Step("second")
		require.EqualValues(q, []int64{3, 3}, []int64{second.Finished, second.Errors})
		_, ran := res.Step("third")
		require.False(q, ran)
	})
}

func TestPartThatDoesNotReturnIsCounted(t *testing.T) {
	in(t, func(q *qtests.T, tb tb.TB) {
		res := Run(tb, Scenario{Clock: q.Clock(), Traffic: traffic.Rate(1).For(3 * time.Second), Do: func(ctx context.Context, u *User) error {
			return u.Part(ctx, "part", func(ctx context.Context) error {
				_ = u.Sleep(ctx, time.Second)
				panic("boom")
			})
		}})
		part, _ := res.Step("part")
		require.EqualValues(t, []int64{3, 3, 3}, []int64{part.Started, part.Finished, part.Errors})
		require.Equal(t, time.Second, part.Service.Min())
		require.EqualValues(t, 3, res.Panics)
	})
}

// TestLastPartOfAWindowCounts has errors in the last five seconds only.
func TestLastPartOfAWindowCounts(t *testing.T) {
	in(t, func(q *qtests.T, tb tb.TB) {
		res := Run(tb, Scenario{Clock: q.Clock(), Traffic: traffic.Rate(1).For(25 * time.Second), Thresholds: []string{"errors<50% every 10s"},
			Do: func(_ context.Context, u *User) error {
				if u.Intended() > 20*time.Second {
					return errors.New("no")
				}
				return nil
			}})
		v := res.Thresholds[0]
		require.Equal(t, []any{3, 1, 20 * time.Second, false}, []any{v.Windows, v.Broken, v.First, v.Pass})
	})
}
