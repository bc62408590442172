package load

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// atScale runs the rest of the test as under -qtests.scale.
func atScale(t *testing.T, scale string) {
	t.Helper()
	before := scaleSetting
	require.NoError(t, scaleSetting.Set(scale))
	t.Cleanup(func() { scaleSetting = before })
}

func TestScaleIsSaidWhereverTheRunIs(t *testing.T) {
	atScale(t, "0.1")
	var res *result.Result
	rec := in(t, func(q *qtests.T, tb tb.TB) {
		res = Run(tb, Scenario{Clock: q.Clock(), Traffic: traffic.Rate(100).For(10 * time.Second), Do: serve(0), Thresholds: []string{"requests>100"}})
	})
	require.EqualValues(t, 100, res.Finished)
	require.InDelta(t, 0.1, res.Scale, 0)
	text := jsonOf(t, res)
	require.True(t, strings.Contains(string(text), `"scale":0.1,`))
	require.Regexp(t, `\.seed=\d+ -qtests\.scale=0\.1$`, res.Repeat)
	require.Contains(t, rec.Errors(), "scale 0.1; repeat with: "+res.Repeat)
	require.Contains(t, res.String(), ", scale 0.1\n")
	require.Contains(t, res.String(), "repeat      "+res.Repeat)
	var page strings.Builder
	require.NoError(t, res.WriteHTML(&page))
	require.Contains(t, page.String(), ", scale 0.1, start")
	require.Contains(t, page.String(), "-qtests.scale=0.1")
}

func TestRealTimeWithoutScalableIsNotScaled(t *testing.T) {
	atScale(t, "0.1")
	var res *result.Result
	rec := tbtest.Run("real", func(tb *tbtest.TB) {
		res = Run(tb, Scenario{Traffic: traffic.Rate(1e5).For(time.Millisecond), Do: serve(0), Thresholds: []string{"requests>100"}})
	})
	require.EqualValues(t, 100, res.Finished)
	require.InDelta(t, 1, res.Scale, 0)
	require.NotContains(t, res.Repeat, "scale")
	require.Contains(t, rec.Errors(), "scale 1; repeat")
}

func TestRealTimeIsScaledInAllItsInstants(t *testing.T) {
	atScale(t, "0.1")
	limit := threshold.Threshold{Metric: "errors", Op: "<", Value: 50, Unit: threshold.Percent, Every: time.Minute, Abort: true, AbortAfter: 30 * time.Second}
	s := Scenario{
		Scalable: true, Traffic: traffic.Rate(10).For(10 * time.Minute),
		Events:     []event.Event{event.New("outage", func() {}, func() {}).At(5 * time.Minute).For(time.Minute)},
		Thresholds: []string{"rate>1/s every 1s", "errors<1% abort after 10s", "p(99)<1s", "nonsense every 1s"},
		Limits:     []threshold.Threshold{limit},
	}
	scaled := s.scaledBy(0.1)
	require.Equal(t, time.Minute, scaled.Traffic.Duration())
	require.Equal(t, 30*time.Second, scaled.Events[0].Offset)
	require.Equal(t, 6*time.Second, scaled.Events[0].Duration)
	require.Equal(t, []string{"rate>1/s every 100ms", "errors<1% abort after 1s", "p(99)<1s", "nonsense every 1s"}, scaled.Thresholds)
	require.Equal(t, []string{"errors<50% every 6s abort after 3s"}, []string{scaled.Limits[0].String()})
	require.Equal(t, "rate>1/s every 1s", s.Thresholds[0], "the caller's own is not changed")
	require.Equal(t, limit, s.Limits[0])

	// A run that is shorter than the window was has windows all the same. What is in one of real
	// time depends on how busy the machine is: the threshold holds for anything.
	rec := tbtest.Run("windows", func(tb *tbtest.TB) {
		res := Run(tb, Scenario{Scalable: true, Traffic: traffic.Rate(1e4).For(100 * time.Millisecond), Do: serve(0), Thresholds: []string{"requests>=0 every 50ms"}})
		require.Equal(t, 2, res.Thresholds[0].Windows)
		require.InDelta(t, 0.1, res.Scale, 0)
	})
	require.False(t, rec.Failed(), rec.Errors())
}

func TestScaleOfTheProcess(t *testing.T) {
	require.InDelta(t, 0.1, shortScale, 0)
	for _, tt := range []struct {
		args, env []string
		want      string
	}{
		{nil, nil, "scale 1\n"},
		{[]string{"-test.short"}, nil, "scale 0.1"},
		{[]string{"-test.short"}, []string{scaleEnv + "=0.5"}, "scale 0.5"},
		{[]string{"-test.short", "-qtests.scale=1"}, []string{scaleEnv + "=0.5"}, "scale 1\n"},
		{[]string{"-qtests.scale=3"}, []string{scaleEnv + "=0.5"}, "scale 3"},
		{nil, []string{scaleEnv + "=0"}, `QTESTS_SCALE: "0" is not a finite number over 0`},
	} {
		cmd := command(t, "TestChildScale", tt.args...)
		cmd.Env = append(cmd.Env, tt.env...)
		out, _ := cmd.CombinedOutput() // the child fails
		require.Contains(t, string(out), tt.want, "%v %v", tt.args, tt.env)
		repeat := "-run '^TestChildScale$' -qtests.seed=1"
		if scale, ok := strings.CutPrefix(tt.want, "scale "); ok {
			scale = strings.TrimSpace(scale)
			if scale != "1" {
				repeat += " -qtests.scale=" + scale
			}
			require.Contains(t, string(out), repeat+"\n", "the ground floor's command has the scale as well")
		}
	}
}

func TestChildScale(t *testing.T) {
	child(t)
	fmt.Println("scale", scaleOf())
	qtests.Run(t, func(q *qtests.T) { q.Error("to see the command") })
}

// wrapped is the real clock, with a method of its own.
type wrapped struct{ clock.Clock }

// late fires 15 ms late.
type late struct{ clock.Clock }

func (c late) AfterFunc(d time.Duration, f func()) *clock.Timer {
	return c.Clock.AfterFunc(max(d, 0)+15*time.Millisecond, f)
}

func TestWhatTakesRealTime(t *testing.T) {
	require.True(t, isReal(nil))
	require.True(t, isReal(clock.New()))
	require.True(t, isReal(wrapped{clock.New()}))
	require.False(t, isReal(clock.NewMock()))
	qtests.Run(t, func(q *qtests.T) {
		require.False(q, isReal(q.Clock()))
		require.False(q, isReal(clock.New()))
	})
}

func TestPlainBubble(t *testing.T) {
	check := func(t *testing.T, res *result.Result) {
		t.Helper()
		require.EqualValues(t, 600, res.Finished)
		require.EqualValues(t, 60, res.Interrupted)
		require.Equal(t, time.Minute+DefaultGrace, res.Elapsed)
		require.Empty(t, res.Warning)
	}
	hour := func(ctx context.Context, u *User) error {
		if u.ID() > 600 {
			return u.Sleep(ctx, time.Hour)
		}
		return nil
	}
	s := Scenario{Traffic: traffic.Rate(11).For(time.Minute), Do: hour}
	synctest.Test(t, func(t *testing.T) { check(t, Run(t, s)) })
	qtests.Run(t, func(q *qtests.T) {
		s := s
		s.Clock = clock.New()
		check(t, Run(q, s))
	})
	synctest.Test(t, func(t *testing.T) {
		res, err := Do(t.Context(), s)
		require.NoError(t, err)
		check(t, res)
	})
}
