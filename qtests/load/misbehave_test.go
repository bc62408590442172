package load

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// in runs a scenario inside a bubble, with a test that records.
func in(t *testing.T, f func(q *qtests.T, rec tb.TB)) *tbtest.TB {
	t.Helper()
	var rec *tbtest.TB
	qtests.Run(t, func(q *qtests.T) {
		rec = tbtest.Run("inner", func(tb *tbtest.TB) { f(q, tb) })
	})
	return rec
}

func TestPanicFailsTheTestAndLosesNothing(t *testing.T) {
	var res *result.Result
	rec := in(t, func(q *qtests.T, tb tb.TB) {
		res = Run(tb, Scenario{
			Clock: q.Clock(), Traffic: traffic.Rate(10).For(10 * time.Second), MaxInFlight: 1, Overflow: Queue,
			Do: func(ctx context.Context, u *User) error {
				if u.ID()%2 == 0 {
					panic("boom")
				}
				return u.Sleep(ctx, 50*time.Millisecond)
			},
		})
	})
	require.True(t, rec.Failed())
	require.Contains(t, rec.Errors(), "code of the scenario panicked 50 times, the first time:\npanic: boom")
	require.Contains(t, rec.Errors(), "misbehave_test.go")
	require.EqualValues(t, 100, res.Finished)
	require.EqualValues(t, 50, res.Panics)
	require.Equal(t, "panic: boom", res.ErrorKinds[0].Kind)
}

func TestGoexitGivesThePlaceBack(t *testing.T) {
	var res *result.Result
	in(t, func(q *qtests.T, tb tb.TB) {
		for want, p := range map[int]traffic.Profile{33: traffic.Rate(10).For(10 * time.Second), 34: traffic.Users(1).For(10 * time.Second)} {
			s := Scenario{
				Clock: q.Clock(), Traffic: p,
				Do: func(ctx context.Context, u *User) error {
					_ = u.Sleep(ctx, 300*time.Millisecond)
					runtime.Goexit()
					return nil
				},
			}
			if p.Kind() == traffic.Open {
				s.MaxInFlight, s.Overflow, s.NoGrace = 1, Queue, true
			}
			var err error
			res, err = Do(context.Background(), s)
			require.NoError(t, err)
			require.EqualValues(t, want, res.Finished)
			require.EqualValues(t, want, res.Goexits)
			require.Contains(t, res.ErrorKinds[0].Kind, "goexit")
			require.Equal(t, res.Scheduled, res.Started+res.Dropped)
		}
	})
}

func TestIgnoredContextIsWaitedForThenAbandoned(t *testing.T) {
	var res *result.Result
	rec := in(t, func(q *qtests.T, tb tb.TB) {
		res = Run(tb, Scenario{
			Clock: q.Clock(), Traffic: traffic.Rate(1).For(3 * time.Second), Grace: 5 * time.Second,
			Do: func(ctx context.Context, u *User) error { q.Sleep(time.Hour); return nil },
		})
		q.Sleep(2 * time.Hour) // the late ones end after the result is made
	})
	require.EqualValues(t, 3, res.Started)
	require.EqualValues(t, 3, res.Interrupted)
	require.EqualValues(t, 3, res.Abandoned)
	require.EqualValues(t, 0, res.Finished)
	require.Contains(t, rec.Errors(), "3 requests ignored that their context was cancelled")
}

func TestGraceThenInterruptedInOrder(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var ended []int64
		res := Run(q, Scenario{
			Traffic: traffic.Rate(10).For(10 * time.Second), Grace: 2 * time.Second,
			Do: func(ctx context.Context, u *User) error {
				err := u.Sleep(ctx, 4*time.Second)
				if err != nil {
					ended = append(ended, u.ID())
				}
				return err
			},
		})
		require.EqualValues(t, 100, res.Started)
		require.EqualValues(t, 20, res.Interrupted)
		require.EqualValues(t, 80, res.Finished)
		require.EqualValues(t, 0, res.Errors, "an interrupted request is no error")
		require.Equal(t, 12*time.Second, res.Elapsed)
		for i := 1; i < len(ended); i++ {
			require.Greater(t, ended[i], ended[i-1])
		}
	})
}

func TestEndlessLoopOfUsersIsAnError(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res, err := Do(context.Background(), Scenario{
			Clock: q.Clock(), Traffic: traffic.Users(1).For(time.Second),
			Do: func(context.Context, *User) error { return nil },
		})
		require.NoError(t, err)
		require.Contains(t, res.Halted, "without any time passing: set ThinkTime")
	})
}

func TestScenarioWithinAStep(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var inner atomic.Int64
		res := Run(q, Scenario{
			Traffic: traffic.Rate(1).For(3 * time.Second),
			Do: func(ctx context.Context, u *User) error {
				r := Run(q, Scenario{Name: "inner", Traffic: traffic.Rate(10).For(time.Second), Do: serve(time.Millisecond)})
				inner.Add(r.Finished)
				return nil
			},
		})
		require.EqualValues(t, 3, res.Finished)
		require.EqualValues(t, 30, inner.Load())
		require.Equal(t, 1001*time.Millisecond, res.Response.Max())
	})
}

func TestCancelledCallerDrains(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		for _, p := range []traffic.Profile{traffic.Rate(10).For(time.Hour), traffic.Users(5).For(time.Hour)} {
			ctx, cancel := context.WithCancelCause(context.Background())
			q.Clock().AfterFunc(10*time.Second+time.Millisecond, func() { cancel(errors.New("enough")) })
			res, err := Do(ctx, Scenario{Clock: q.Clock(), Traffic: p, Do: serve(500 * time.Millisecond)})
			require.NoError(t, err)
			require.Equal(t, "enough", res.Halted)
			require.Contains(t, []int64{100, 105}, res.Finished, "the users started again at 10 s")
			require.Equal(t, res.Started, res.Finished)
			require.LessOrEqual(t, res.Elapsed, 11*time.Second)
		}
	})
}

func TestQueueAndDrop(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		s := Scenario{Traffic: traffic.Rate(10).For(10 * time.Second), MaxInFlight: 1, Do: serve(250 * time.Millisecond)}
		s.Name = "drop"
		drop := Run(q, s)
		require.EqualValues(t, 100, drop.Scheduled)
		require.EqualValues(t, 66, drop.Dropped, "two of three find the only place taken")
		require.Equal(t, drop.Response.Max(), drop.Service.Max())
		s.Name, s.Overflow, s.MaxQueue, s.NoGrace = "queue", Queue, 20, true
		queue := Run(q, s)
		require.EqualValues(t, 100, queue.Scheduled)
		require.Equal(t, queue.Scheduled, queue.Started+queue.Dropped)
		require.Equal(t, 250*time.Millisecond, queue.Service.Max())
		require.Greater(t, queue.Response.Max(), 4*time.Second, "the wait is part of the response")
		require.Equal(t, time.Duration(0), queue.Late.Max(), "the wait for a place is no lateness of the generator")
	})
}

func TestScenarioErrors(t *testing.T) {
	ok := Scenario{Traffic: traffic.Rate(1).For(10 * time.Second), Do: serve(0)}
	tests := map[string]struct {
		change func(*Scenario)
		want   string
	}{
		"nothing to do":      {func(s *Scenario) { s.Do = nil }, "load: Scenario.Do: nil and no Steps"},
		"both":               {func(s *Scenario) { s.Steps = []Step{{Name: "a", Do: s.Do}} }, "Steps: 1 contradict Do"},
		"no profile":         {func(s *Scenario) { s.Traffic = traffic.Profile{} }, "Scenario.Traffic: load: Profile: is empty"},
		"timeout":            {func(s *Scenario) { s.Timeout = -1 }, "Timeout: -1ns is negative"},
		"grace":              {func(s *Scenario) { s.Grace, s.NoGrace = 1, true }, "Grace: 1ns contradicts NoGrace"},
		"queue":              {func(s *Scenario) { s.MaxQueue = 5 }, "MaxQueue: 5 has no meaning with Overflow: Drop"},
		"think":              {func(s *Scenario) { s.ThinkTime = latency.Fixed(1) }, "has no meaning in an open profile"},
		"retry":              {func(s *Scenario) { s.Retry.Budget = 0.1 }, "Retry.Max: 0 leaves the other fields"},
		"retry budget":       {func(s *Scenario) { s.Retry = Retry{Max: 1, Budget: 2} }, "Retry.Budget: 2 is not between 0 and 1"},
		"event past the end": {func(s *Scenario) { s.Events = []event.Event{event.New("x", func() {}, nil).At(time.Hour)} }, `Events[0].Offset: 1h0m0s of "x" is past the end`},
		"event at the end": {func(s *Scenario) {
			s.Events = []event.Event{event.New("x", func() {}, nil).At(10 * time.Second)}
		}, `Events[0].Offset: 10s of "x" is past the end`},
		"event without effect": {func(s *Scenario) { s.Events = []event.Event{{Name: "x"}} }, "Begin and End are both nil"},
		"threshold":            {func(s *Scenario) { s.Thresholds = []string{"p(99)<5"} }, `threshold "p(99)<5": p(99) is a duration`},
		"limit":                {func(s *Scenario) { s.Limits = []threshold.Threshold{{Metric: "avg"}} }, "Limits[0]: avg is a duration"},
		"users and places":     {func(s *Scenario) { s.Traffic, s.MaxInFlight = traffic.Users(1).For(1), 5 }, "the users are the limit"},
		"route":                {func(s *Scenario) { s.Route = func(accesslog.Entry) string { return "" } }, "has no meaning without a replay"},
		"names":                {func(s *Scenario) { s.Do, s.Steps = nil, []Step{{Name: "a", Do: serve(0)}, {Name: "a", Do: serve(0)}} }, "Steps[1].Name: a is there twice"},
		"weight":               {func(s *Scenario) { s.Do, s.Steps = nil, []Step{{Name: "a", Weight: -1, Do: serve(0)}} }, "Steps[0].Weight: -1 is not between"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := ok
			tt.change(&s)
			_, err := Do(t.Context(), s)
			require.ErrorContains(t, err, tt.want)
			rec := tbtest.Run("x", func(tb *tbtest.TB) { Run(tb, s) })
			require.True(t, rec.Failed())
		})
	}
}
