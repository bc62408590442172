package load

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// wedged requests end only when they are cancelled.
func wedged(ctx context.Context, _ *User) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAbortOfASystemThatHangs(t *testing.T) {
	open := Scenario{Traffic: traffic.Rate(10).For(time.Hour), MaxInFlight: 5}
	closed := Scenario{Traffic: traffic.Users(5).For(time.Hour)}
	spent := Scenario{Traffic: traffic.Users(5).Budget(100)}
	for _, tt := range []struct {
		s         Scenario
		threshold string
		at        time.Duration
		want      string
	}{
		{open, "dropped==0 abort", time.Second, "load: threshold dropped==0 abort broken: "},
		{open, "goodput>1/s every 10s abort", 10 * time.Second, "broken in the window from 0s"},
		{open, "rate>1/s abort after 10s", 10 * time.Second, "broken: 0/s at 10s"},
		{open, "requests>=100 abort after 1500ms", 2 * time.Second, "broken: 0 at 2s"},
		{open, "dropped<1% every 1500ms abort", 2 * time.Second, "broken in the window from 0s"},
		{closed, "goodput>1/s every 10s abort", 10 * time.Second, "broken in the window from 0s"},
		{spent, "step(load).rate>1/s abort after 10s", 10 * time.Second, "broken: 0/s at 10s"},
	} {
		qtests.Run(t, func(q *qtests.T) {
			s := tt.s
			s.Clock, s.Do, s.Thresholds = q.Clock(), wedged, []string{tt.threshold}
			res, err := Do(context.Background(), s)
			require.NoError(q, err)
			require.Contains(q, res.Halted, tt.want)
			require.Equal(q, tt.at, res.Elapsed, tt.threshold)
			require.EqualValues(q, 5, res.Interrupted, "at once, without a grace")
			require.Equal(q, res.Scheduled, res.Started+res.Dropped)
			require.Len(q, res.Failed(), 1)
		})
	}
}

// What cannot be told yet aborts nothing.
func TestNoAbortWithoutSamples(t *testing.T) {
	res := verdictsOf(t, Scenario{
		Traffic: traffic.Rate(1).For(5 * time.Second), Do: serve(3500 * time.Millisecond),
	}, map[string]string{
		"p(99)<10s abort": "kept", "errors<1% abort": "kept", "errors<1% every 1s abort": "kept",
		"tag(a=b).rate>1/s every 1s abort": `unknown tag "a=b"`, "step(b).count>5 abort": `unknown step "b"`,
	})
	require.Empty(t, res.Halted)
	require.EqualValues(t, 5, res.Finished)
}

// TestAbortOfWindowsWaitsForItsDelay breaks the third window only.
func TestAbortOfWindowsWaitsForItsDelay(t *testing.T) {
	for threshold, want := range map[string]time.Duration{
		"errors<10% every 1s abort":           3 * time.Second,
		"errors<10% every 1s abort after 10s": 10 * time.Second,
	} {
		qtests.Run(t, func(q *qtests.T) {
			res, err := Do(context.Background(), Scenario{
				Clock: q.Clock(), Traffic: traffic.Rate(10).For(time.Minute), Thresholds: []string{threshold},
				Do: func(ctx context.Context, u *User) error {
					if u.Intended() >= 2*time.Second && u.Intended() < 3*time.Second {
						return errNo
					}
					return nil
				},
			})
			require.NoError(q, err)
			require.Contains(q, res.Halted, "broken in the window from 2s")
			require.InDelta(q, want, res.Elapsed, float64(100*time.Millisecond))
			require.Equal(q, 1, res.Thresholds[0].Broken)
		})
	}
}

// TestAbortEndsTheWindows has a slow request in the second window of 10 s, and
// requests that end well, or have failed parts, when the abort cancels them.
func TestAbortEndsTheWindows(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res, err := Do(context.Background(), Scenario{
			Clock: q.Clock(), Traffic: traffic.Rate(10).For(time.Hour),
			Thresholds: []string{
				"max<5s every 10s abort", "max<100s every 10s", "step(part).errors==0 every 10s", "errors==0 every 10s", "interrupted==0 every 10s",
				"errors==0 every 8s", "rate>1/s every 10s",
			},
			Do: func(ctx context.Context, u *User) error {
				d := time.Millisecond
				switch {
				case u.ID() == 130:
					d = 5 * time.Second
				case u.ID() > 185:
					d = time.Minute
				}
				err := u.Part(ctx, "part", func(ctx context.Context) error { return u.Sleep(ctx, d) })
				if u.ID() > 190 {
					return err
				}
				return nil
			},
		})
		require.NoError(q, err)
		require.Equal(q, 20*time.Second, res.Elapsed)
		require.Positive(q, res.Interrupted)
		var got []string
		for _, v := range res.Thresholds {
			got = append(got, v.String())
		}
		require.Equal(q, []string{
			"max<5s every 10s abort broken: 1 of 2 windows, the first from 10s, the worst at 5s",
			"max<100s every 10s kept: 5s in the worst of 2 windows",
			"step(part).errors==0 every 10s kept: 0 in the worst of 2 windows",
			"errors==0 every 10s kept: 0 in the worst of 2 windows",
			"interrupted==0 every 10s kept: 0 in the worst of 2 windows",
			"errors==0 every 8s kept: 0 in the worst of 3 windows",
			"rate>1/s every 10s kept: 8.6/s in the worst of 2 windows",
		}, got)
	})
}

// The verdict of what aborted a run has the figure that did so.
func TestAbortKeepsItsFigure(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res, err := Do(context.Background(), Scenario{
			Clock: q.Clock(), Traffic: traffic.Rate(10).For(time.Hour), Do: serve(5 * time.Millisecond),
			Thresholds: []string{"rate>100/s abort", "rate>50/s"},
		})
		require.NoError(q, err)
		require.Equal(q, "load: threshold rate>100/s abort broken: 9/s at 1s", res.Halted)
		require.Equal(q, "rate>100/s abort broken: 9/s", res.Thresholds[0].String())
		require.False(q, res.Thresholds[1].Pass)
		require.NotContains(q, res.Thresholds[1].String(), ": 9/s")
	})
}

// TestGuardEndsWithTheRun finds no timer left, however the run ended.
func TestGuardEndsWithTheRun(t *testing.T) {
	for _, threshold := range []string{"errors==0 abort", "requests>=1000 abort", "errors==0"} {
		qtests.Run(t, func(q *qtests.T) {
			r, err := newRun(context.Background(), Scenario{
				Clock: q.Clock(), Traffic: traffic.Rate(10).For(2500 * time.Millisecond), Do: serve(0), Thresholds: []string{threshold},
			})
			require.NoError(q, err)
			_, err = r.execute()
			require.NoError(q, err)
			require.Equal(q, threshold == "errors==0", r.mu.guard == nil, "without abort, nobody looks")
			require.True(q, r.mu.guard == nil || !r.mu.guard.Stop())
		})
	}
}

func TestAbortInRealTime(t *testing.T) {
	res, err := Do(t.Context(), Scenario{
		Traffic: traffic.Users(2).For(time.Hour), Do: wedged, Thresholds: []string{"requests>=1 abort"},
	})
	require.NoError(t, err)
	require.Contains(t, res.Halted, "threshold requests>=1 abort broken: 0 at")
	require.EqualValues(t, 2, res.Interrupted)
}
