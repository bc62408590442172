package load

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// TestPartsHaveTheirOwnTally gives a part the name of a step, of the only step, and
// of a route that comes later.
func TestPartsHaveTheirOwnTally(t *testing.T) {
	do := func(ctx context.Context, u *User) error {
		for range 2 {
			_ = u.Part(ctx, "load", func(context.Context) error { return errors.New("no") })
		}
		return nil
	}
	replay := traffic.Replay([]accesslog.Entry{{At: second(0)}, {At: second(1)}, {At: second(2)}})
	qtests.Run(t, func(q *qtests.T) {
		for _, s := range []Scenario{
			{Traffic: traffic.Rate(1).For(3 * time.Second), Do: do},
			{Traffic: traffic.Rate(1).For(3 * time.Second), Steps: []Step{{Name: "load", Do: do}}},
			{Traffic: replay, Do: do, Route: func(accesslog.Entry) string { return "load" }},
		} {
			res := Run(q, s)
			step, _ := res.Step("load")
			require.EqualValues(q, []int64{res.Finished, 3, 3, 0}, []int64{step.Finished, step.Finished, step.Started, step.Errors})
			part, ok := res.Step("load (part)")
			require.True(q, ok && part.Part && !step.Part)
			require.EqualValues(q, []int64{6, 6, 6}, []int64{part.Started, part.Finished, part.Errors})
			require.Len(q, res.Steps, 2)
		}
	})
}
