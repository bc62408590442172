package load

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ctrlc"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// TestRealTime runs a scenario on the real clock, a budget of a few requests at
// a rate that needs no waiting.
func TestRealTime(t *testing.T) {
	rec := tbtest.Run("real", func(tb *tbtest.TB) {
		res := Run(tb, Scenario{
			Traffic: traffic.Rate(1e6).For(time.Hour).Budget(500),
			Do:      func(context.Context, *User) error { return nil },
		})
		require.EqualValues(t, 500, res.Finished, "late ones are caught up with, not left out")
		require.Equal(t, res.Late.Count(), res.Started)
	})
	require.False(t, rec.Failed(), rec.Errors())
}

func TestInterruptDrainsAndReports(t *testing.T) {
	rec := tbtest.Run("interrupted", func(tb *tbtest.TB) {
		res := Run(tb, Scenario{
			Traffic: traffic.Rate(1e5).For(time.Hour),
			Do: func(_ context.Context, u *User) error {
				if u.ID() == 50 {
					return ctrlc.Press()
				}
				return nil
			},
		})
		require.Contains(t, res.Halted, "interrupt: ended by the user")
		require.GreaterOrEqual(t, res.Finished, int64(50))
		require.Equal(t, res.Started, res.Finished)
	})
	require.Contains(t, rec.Errors(), "the run ended early")
}

func TestSlowGeneratorIsToldAndMayFail(t *testing.T) {
	for _, fail := range []bool{false, true} {
		r := &result.Result{Scheduled: 100}
		for range 100 {
			r.Late.Record(11 * time.Millisecond)
		}
		(&run{real: true, Scenario: Scenario{FailWhenSlow: fail}}).tellLateness(r)
		require.Contains(t, r.Warning, "the load generator was the bottleneck")
		rec := tbtest.Run("slow", func(tb *tbtest.TB) { reportTo(tb, r) })
		require.Equal(t, fail, rec.Failed())
		require.Equal(t, fail, strings.Contains(rec.Errors(), "load: the load generator was the bottleneck"))
		require.Contains(t, rec.Logs()[len(rec.Logs())-1], "warning     the load generator was the bottleneck")
	}
}

func TestProgressIsOneLine(t *testing.T) {
	r, err := newRun(t.Context(), Scenario{Traffic: traffic.Rate(1).For(10 * time.Second), Do: serve(0)})
	require.NoError(t, err)
	r.start = r.clk.Now()
	r.mu.rec.Drop(0)
	line := r.Progress()
	require.Regexp(t, `^real: load 0s of 10s: 0 requests, 0/s, 0 in flight, p99 0s, 0% errors, 1 dropped$`, line)
}
