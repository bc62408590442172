package load

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

func TestNewUserComesBeforeTheRequests(t *testing.T) {
	type key struct{}
	var came []int64
	res := (*result.Result)(nil)
	qtests.Run(t, func(q *qtests.T) {
		var err error
		res, err = Do(context.WithValue(q.Context(), key{}, "value"), Scenario{
			Clock: q.Clock(), Traffic: traffic.Users(2).For(5*time.Second).To(4, 2*time.Second).For(time.Second),
			NewUser: func(ctx context.Context, u *User) error {
				came = append(came, u.ID())
				require.Equal(q, "value", ctx.Value(key{}))
				require.Empty(q, u.Step())
				require.Zero(q, u.Request())
				u.Tag("of", "no request")
				u.State = []int64{u.ID()}
				return u.Sleep(ctx, 500*time.Millisecond)
			},
			Do: func(ctx context.Context, u *User) error {
				require.Equal(q, []int64{u.ID()}, u.State)
				require.Equal(q, "load", u.Step())
				return u.Sleep(ctx, time.Second)
			},
		})
		require.NoError(q, err)
	})
	require.Equal(t, []int64{1, 2, 3, 4}, came)
	require.Empty(t, res.Halted)
	require.Empty(t, res.Tags)
	require.EqualValues(t, 8+8+2+1, res.Finished, "they start at 0.5, 0.5, 6 and 7 s")
	require.Equal(t, time.Second, res.Response.Max(), "its time is no part of a request")
}

func TestNewUserThatFailsEndsTheRun(t *testing.T) {
	for name, tt := range map[string]struct {
		fail func() error
		want string
	}{
		"error":  {func() error { return errors.New("no account") }, "load: NewUser of user 2: no account"},
		"panic":  {func() error { panic("boom") }, "load: NewUser of user 2: panic: boom"},
		"goexit": {func() error { runtime.Goexit(); return nil }, "load: NewUser of user 2: goexit: it ended its goroutine (t.FailNow, require)"},
	} {
		t.Run(name, func(t *testing.T) {
			var res *result.Result
			rec := in(t, func(q *qtests.T, tb tb.TB) {
				start := q.Clock().Now()
				res = Run(tb, Scenario{
					Clock: q.Clock(), Traffic: traffic.Users(1).For(1600*time.Millisecond).To(2, time.Second).For(time.Hour),
					NewUser: func(_ context.Context, u *User) error {
						if u.ID() == 2 {
							return tt.fail()
						}
						return nil
					},
					Do: serve(time.Second),
				})
				require.Equal(t, 3*time.Second, q.Clock().Since(start), "at 2.1 s at once, but for a request under way")
			})
			require.Equal(t, tt.want, res.Halted)
			require.EqualValues(t, 3, res.Finished)
			require.True(t, rec.Failed())
			require.Contains(t, rec.Errors(), tt.want)
			require.Equal(t, name == "panic", res.Panics == 1)
			require.Equal(t, name == "goexit", res.Goexits == 1)
			if name == "panic" {
				require.Contains(t, rec.Errors(), "the first time:\nload: NewUser of user 2: panic: boom\n")
				require.Contains(t, rec.Errors(), "closed_user_test.go", "its stack")
			}
		})
	}
}

// TestNewUserHasTheGraceOfARequest: all that NewUser of user 2 does is to wait, and
// the run waits for it.
func TestNewUserHasTheGraceOfARequest(t *testing.T) {
	untilEnd := func(ctx context.Context, _ *User) error { <-ctx.Done(); return ctx.Err() }
	for name, tt := range map[string]struct {
		profile traffic.Profile
		noGrace bool
		wait    func(context.Context, *User) error
		halted  string
		took    time.Duration
	}{
		"it ends within":        {traffic.Users(2).For(3 * time.Second), false, serve(5 * time.Second), "", 5 * time.Second},
		"it is cancelled":       {traffic.Users(2).For(3 * time.Second), false, untilEnd, "load: NewUser of user 2 was not done at the end of the grace: context canceled", 13 * time.Second},
		"at once":               {traffic.Users(2).For(3 * time.Second), true, untilEnd, "load: NewUser of user 2 was not done at the end of the grace: context canceled", 3 * time.Second},
		"cancelled, and ready":  {traffic.Users(2).For(3 * time.Second), false, func(ctx context.Context, _ *User) error { <-ctx.Done(); return nil }, "", 13 * time.Second},
		"it ignores that":       {traffic.Users(2).For(3 * time.Second), false, func(_ context.Context, u *User) error { return u.Sleep(context.Background(), time.Hour) }, "load: NewUser of user 2 ignored that its context was cancelled 10s ago", 23 * time.Second},
		"the user has left":     {traffic.Users(2).For(time.Second).Jump(1).For(29 * time.Second), false, untilEnd, "", 30 * time.Second},
		"he leaves at the last": {traffic.Users(2).For(2 * time.Second).Jump(1).For(time.Second), false, untilEnd, "", 12 * time.Second},
		"it fails within": {traffic.Users(2).For(3 * time.Second), false, func(ctx context.Context, u *User) error {
			_ = u.Sleep(ctx, 5*time.Second)
			return errors.New("no account")
		}, "load: NewUser of user 2: no account", 5 * time.Second},
		"it panics within": {traffic.Users(2).For(3 * time.Second), false, func(ctx context.Context, u *User) error {
			_ = u.Sleep(ctx, 5*time.Second)
			panic("boom")
		}, "load: NewUser of user 2: panic: boom", 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := Scenario{Traffic: tt.profile, Grace: 10 * time.Second, Do: serve(900 * time.Millisecond), Pacing: time.Second}
			if tt.noGrace {
				s.Grace, s.NoGrace = 0, true
			}
			s.NewUser = func(ctx context.Context, u *User) error {
				if u.ID() == 1 {
					return nil
				}
				return tt.wait(ctx, u)
			}
			res, took := (*result.Result)(nil), time.Duration(0)
			qtests.Run(t, func(q *qtests.T) {
				start := q.Clock().Now()
				s.Clock = q.Clock()
				var err error
				res, err = Do(q.Context(), s)
				require.NoError(q, err)
				took = q.Clock().Since(start)
				q.Sleep(2 * time.Hour)
			})
			require.Equal(t, tt.halted, res.Halted)
			require.Equal(t, tt.took, took)
			require.EqualValues(t, res.Duration/time.Second, res.Finished, "those of user 1")
			require.GreaterOrEqual(t, res.Elapsed, res.Duration, "it has not ended early")
			require.Zero(t, res.Interrupted)
		})
	}
}

func TestSpentBudgetDoesNotWaitForNewUser(t *testing.T) {
	res, took := runClosed(t, Scenario{
		Traffic: traffic.Users(2).Budget(5), Do: serve(10 * time.Millisecond), Grace: time.Second,
		NewUser: func(ctx context.Context, u *User) error {
			if u.ID() == 2 {
				<-ctx.Done()
			}
			return ctx.Err()
		},
	})
	require.EqualValues(t, 5, res.Finished)
	require.Empty(t, res.Halted)
	require.Equal(t, 1050*time.Millisecond, took)

	res, _ = runClosed(t, Scenario{
		Traffic: traffic.Users(2).For(time.Minute).Budget(5), Do: serve(10 * time.Millisecond),
		NewUser: func(ctx context.Context, u *User) error {
			if u.ID() == 2 && u.Sleep(ctx, time.Second) == nil {
				return errors.New("no account")
			}
			return nil
		},
	})
	require.Equal(t, "load: NewUser of user 2: no account", res.Halted, "in the grace")
	require.Equal(t, 50*time.Millisecond, res.Elapsed)

	came := 0
	_, took = runClosed(t, Scenario{
		Traffic: traffic.Users(1).For(time.Second).To(5, time.Second).Budget(1), Do: serve(10 * time.Second),
		NewUser: func(context.Context, *User) error { came++; return nil },
	})
	require.Equal(t, 1, came, "nobody comes in vain")
	require.Equal(t, 10*time.Second, took)
}

func TestFirstReasonForTheEndStays(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		ctx, cancel := context.WithCancelCause(q.Context())
		defer cancel(nil)
		q.Clock().AfterFunc(time.Second, func() { cancel(errors.New("enough")) })
		res, err := Do(ctx, Scenario{Clock: q.Clock(), Traffic: traffic.Users(1).For(time.Hour), Do: serve(0),
			NewUser: func(ctx context.Context, _ *User) error { <-ctx.Done(); return ctx.Err() }})
		require.NoError(q, err)
		require.Equal(q, "enough", res.Halted)
	})
}

// TestNewUserContextsEndInOrder, before those of requests.
func TestNewUserContextsEndInOrder(t *testing.T) {
	for range 5 {
		var mu sync.Mutex
		var order []int64
		add := func(u *User) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, u.ID())
		}
		_, _ = runClosed(t, Scenario{
			Traffic: traffic.Users(6).For(3 * time.Second), Grace: time.Second,
			NewUser: func(ctx context.Context, u *User) error {
				if u.ID()%2 == 0 {
					<-ctx.Done()
					add(u)
				}
				return nil
			},
			Do: func(ctx context.Context, u *User) error {
				<-ctx.Done()
				add(u)
				return nil
			},
		})
		require.Equal(t, []int64{2, 4, 6, 1, 3, 5}, order)
	}
}

// TestNewUserContextEndsWithIt, so that what is derived from it is released.
func TestNewUserContextEndsWithIt(t *testing.T) {
	var kept context.Context
	_, _ = runClosed(t, Scenario{
		Traffic: traffic.Users(1).For(3 * time.Second),
		NewUser: func(ctx context.Context, _ *User) error { kept = ctx; return ctx.Err() },
		Do: func(ctx context.Context, u *User) error {
			require.ErrorIs(t, kept.Err(), context.Canceled)
			return u.Sleep(ctx, time.Second)
		},
	})
	require.Error(t, kept.Err())
}

// TestFirstRequestWaitsForItsTurn: NewUser of user 2 is woken by a request of user
// 1, which must have ended when the one of user 2 starts.
func TestFirstRequestWaitsForItsTurn(t *testing.T) {
	for range 20 {
		var woken chan struct{}
		res, _ := runClosed(t, Scenario{
			Traffic: traffic.Users(2).For(10 * time.Second), ThinkTime: latency.Fixed(time.Hour),
			NewUser: func(_ context.Context, u *User) error {
				if u.ID() == 1 {
					woken = make(chan struct{})
				} else {
					<-woken
				}
				return nil
			},
			Do: func(ctx context.Context, u *User) error {
				err := u.Sleep(ctx, time.Second)
				if u.ID() == 1 {
					close(woken)
					for range 100 {
						runtime.Gosched()
					}
				}
				return err
			},
		})
		require.EqualValues(t, 2, res.Finished)
		require.EqualValues(t, 1, res.MaxInFlight)
	}
}

func TestThinkTimeThatMisbehavesEndsTheRun(t *testing.T) {
	exit := func(ctx context.Context, u *User) error { _ = u.Sleep(ctx, time.Second); runtime.Goexit(); return nil }
	for name, tt := range map[string]struct {
		do              func(context.Context, *User) error
		think           func()
		want            string
		panics, goexits int64
	}{
		"panic":                 {serve(time.Second), func() { panic("boom") }, "load: ThinkTime of user 2: panic: boom", 1, 0},
		"goexit":                {serve(time.Second), runtime.Goexit, "load: ThinkTime of user 2: goexit: it ended its goroutine (t.FailNow, require)", 0, 1},
		"panic, after a goexit": {exit, func() { panic("boom") }, "load: ThinkTime of user 2: panic: boom", 1, 3},
		"goexit, after another": {exit, runtime.Goexit, "load: ThinkTime of user 2: goexit: it ended its goroutine (t.FailNow, require)", 0, 4},
	} {
		t.Run(name, func(t *testing.T) {
			var res *result.Result
			rec := in(t, func(q *qtests.T, tb tb.TB) {
				n := 0
				res = Run(tb, Scenario{
					Clock: q.Clock(), Traffic: traffic.Users(2).For(time.Hour), Do: tt.do,
					ThinkTime: latency.Func("x", func(*rand.Rand) time.Duration {
						if n++; n == 2 {
							tt.think()
						}
						return 500 * time.Millisecond
					}),
				})
			})
			require.Equal(t, tt.want, res.Halted)
			require.Contains(t, rec.Errors(), tt.want)
			require.EqualValues(t, 2, res.Finished)
			require.Equal(t, time.Second, res.Elapsed)
			require.Equal(t, tt.panics, res.Panics)
			if tt.panics > 0 {
				require.Contains(t, rec.Errors(), "closed_user_test.go", "its stack")
			}
		})
	}
	t.Run("when nothing follows", func(t *testing.T) {
		for range 20 {
			res, _ := runClosed(t, Scenario{Traffic: traffic.Users(2).For(time.Second).Jump(1).For(time.Second),
				Do: func(ctx context.Context, u *User) error {
					return u.Sleep(ctx, time.Duration(3500-1000*u.ID())*time.Millisecond) // user 1 into the grace
				},
				ThinkTime: latency.Func("x", func(*rand.Rand) time.Duration { panic("boom") })})
			require.Empty(t, res.Halted, "it is not asked")
			require.Zero(t, res.Panics)
			require.EqualValues(t, 2, res.Finished)
		}
	})
}
