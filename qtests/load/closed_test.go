package load

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// runClosed runs a scenario in a bubble and returns its result, and how long
// the run took on the clock.
func runClosed(t *testing.T, s Scenario) (res *result.Result, took time.Duration) {
	t.Helper()
	qtests.Run(t, func(q *qtests.T) {
		start := q.Clock().Now()
		s.Clock = q.Clock()
		var err error
		res, err = Do(q.Context(), s)
		require.NoError(q, err)
		took = q.Clock().Since(start)
	})
	require.Equal(t, res.Scheduled, res.Started)
	require.Equal(t, res.Started, res.Finished+res.Interrupted)
	return res, took
}

func TestBudgetsAreSpentToTheEnd(t *testing.T) {
	const ms = time.Millisecond
	hour := latency.Fixed(time.Hour)
	for name, tt := range map[string]struct {
		profile traffic.Profile
		step    time.Duration
		think   latency.Distribution
		want    int64
		took    time.Duration
	}{
		"one user":                     {profile: traffic.Users(1).Budget(5), step: 10 * ms, want: 5, took: 50 * ms},
		"one user, each":               {profile: traffic.Users(1).Each(5), step: 10 * ms, want: 5, took: 50 * ms},
		"one user, each, within":       {profile: traffic.Users(1).For(time.Minute).Each(5), step: 10 * ms, want: 5, took: 50 * ms},
		"three users":                  {profile: traffic.Users(3).Budget(7), step: 10 * ms, want: 7, took: 30 * ms},
		"three users, each":            {profile: traffic.Users(3).Each(5), step: 10 * ms, want: 15, took: 50 * ms},
		"both":                         {profile: traffic.Users(3).Each(5).Budget(11), step: 10 * ms, want: 11, took: 40 * ms},
		"both, of one":                 {profile: traffic.Users(1).Each(5).Budget(11), step: 10 * ms, want: 5, took: 50 * ms},
		"fewer requests than users":    {profile: traffic.Users(9).Budget(4), step: 10 * ms, want: 4, took: 10 * ms},
		"the last comes at 4.5 s":      {profile: traffic.Users(0).To(5, 5*time.Second).Each(2), step: 10 * ms, want: 10, took: 4520 * ms},
		"instant":                      {profile: traffic.Users(3).Each(1), want: 3},
		"instant and many":             {profile: traffic.Users(3).Budget(30_000), want: 30_000},
		"instant and many, each":       {profile: traffic.Users(2).Each(15_000), want: 30_000},
		"nobody waits after the last":  {profile: traffic.Users(3).Budget(4), step: 10 * ms, think: hour, want: 4, took: time.Hour + 20*ms},
		"nor with a budget each":       {profile: traffic.Users(3).Each(2), step: 10 * ms, think: hour, want: 6, took: time.Hour + 20*ms},
		"nor for those still to come":  {profile: traffic.Users(0).To(5, 5*time.Second).Budget(2), step: 10 * ms, want: 2, took: 520 * ms},
		"nor for a turn past the end":  {profile: traffic.Users(1).For(time.Minute).Each(2), step: 10 * ms, think: hour, want: 1, took: 10 * ms},
		"the profile ends before that": {profile: traffic.Users(1).For(time.Second).Budget(9), step: 300 * ms, want: 4, took: 1200 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			res, took := runClosed(t, Scenario{Traffic: tt.profile, ThinkTime: tt.think, Do: serve(tt.step)})
			require.Empty(t, res.Halted)
			require.Equal(t, tt.want, res.Finished)
			require.Equal(t, tt.took, took)
		})
	}
}

func TestInstantUserWithoutBudgetIsStopped(t *testing.T) {
	res, took := runClosed(t, Scenario{Traffic: traffic.Users(2).For(time.Hour), Do: func(ctx context.Context, u *User) error {
		if u.ID() == 1 || u.Request() < 5000 {
			return nil
		}
		return u.Sleep(ctx, time.Second)
	}})
	require.Contains(t, res.Halted, "load: user 1 made 10000 requests at 0s without any time passing")
	require.EqualValues(t, 10_000+4999/2+1, res.Finished)
	require.Equal(t, time.Second, took, "the last request of user 2")

	res, _ = runClosed(t, Scenario{Traffic: traffic.Users(1).For(150 * time.Second), Do: func(ctx context.Context, u *User) error {
		if u.Request()%100 == 0 {
			return u.Sleep(ctx, time.Second)
		}
		return nil
	}})
	require.Empty(t, res.Halted, "they are not in a row")
	require.EqualValues(t, 15_000, res.Finished)
}

// A hastyClock is a real clock on which what is due at once has begun before
// AfterFunc returns, which is the worst that a real one may do.
type hastyClock struct{ clock.Clock }

func (c hastyClock) AfterFunc(d time.Duration, f func()) *clock.Timer {
	timer := c.Clock.AfterFunc(d, f)
	for range 20 {
		runtime.Gosched()
	}
	return timer
}

// TestClosedInRealTime asks for counts alone: how much is done within a time is
// the machine's business.
func TestClosedInRealTime(t *testing.T) {
	const ms = time.Millisecond
	newUser := func(context.Context, *User) error { return nil }
	for name, clk := range map[string]clock.Clock{"real": clock.New(), "hasty": hastyClock{clock.New()}} {
		count := func(s Scenario) *result.Result {
			t.Helper()
			s.Clock = clk
			res, err := Do(t.Context(), s)
			require.NoError(t, err)
			require.Empty(t, res.Halted, name)
			require.Equal(t, res.Scheduled, res.Started, name)
			require.Equal(t, res.Started, res.Finished+res.Interrupted, name)
			return res
		}
		for range 3 {
			// Hundreds of changes that are due at once, or nearly.
			res := count(Scenario{Traffic: traffic.Users(300).For(5*ms).To(0, 5*ms).Jump(200).For(5 * ms), Do: serve(ms)})
			require.Zero(t, res.Interrupted, name)
		}
		require.EqualValues(t, 600, count(Scenario{Traffic: traffic.Users(200).Each(3), Do: serve(0)}).Finished, name)
		require.EqualValues(t, 600, count(Scenario{Traffic: traffic.Users(200).Each(3), Do: serve(0), NewUser: newUser}).Finished, name)
		require.EqualValues(t, 500, count(Scenario{Traffic: traffic.Users(200).Budget(500), Do: serve(0), Pacing: time.Nanosecond}).Finished, name)
	}
}

func TestPacing(t *testing.T) {
	const ms = time.Millisecond
	for name, tt := range map[string]struct {
		step, think time.Duration
		want        int64
	}{
		"the request is shorter":                {300 * ms, 0, 10},
		"the request is longer":                 {1300 * ms, 0, 8},
		"the pause fits in":                     {300 * ms, 500 * ms, 10},
		"the longer one counts and not the sum": {300 * ms, 1200 * ms, 8},
	} {
		t.Run(name, func(t *testing.T) {
			res, _ := runClosed(t, Scenario{Traffic: traffic.Users(2).For(5 * time.Second), Pacing: time.Second, ThinkTime: latency.Fixed(tt.think), Do: serve(tt.step)})
			require.Equal(t, tt.want, res.Finished)
		})
	}
	res, _ := runClosed(t, Scenario{Traffic: traffic.Users(1).For(time.Hour), Pacing: 1<<63 - 1, ThinkTime: latency.Fixed(1<<63 - 1), Do: serve(time.Second)})
	require.EqualValues(t, 1, res.Finished)
}

// leavers are four users: user 4 leaves at 2.5 s and user 1 at 5.5 s. A
// new user 1 comes at 6 s and stays.
var leavers = traffic.Users(4).For(2*time.Second).To(0, 4*time.Second).Jump(1).For(10 * time.Second)

func TestWhoLeavesHasHisGrace(t *testing.T) {
	cancelled := map[time.Duration]int64{}
	s := Scenario{Traffic: leavers, Grace: time.Second}
	s.Do = func(ctx context.Context, u *User) error {
		err := u.Sleep(ctx, 30*time.Second)
		cancelled[(*u.run).offset()] = u.ID()
		return err
	}
	res, took := runClosed(t, s)
	require.EqualValues(t, 5, res.Interrupted)
	require.Zero(t, res.Errors)
	require.Equal(t, 17*time.Second, took)
	const ms = time.Millisecond
	require.Equal(t, map[time.Duration]int64{3500 * ms: 4, 4500 * ms: 3, 5500 * ms: 2, 6500 * ms: 1, 17000 * ms: 1}, cancelled)

	clear(cancelled)
	s.Grace, s.NoGrace = 0, true
	res, _ = runClosed(t, s)
	require.EqualValues(t, 5, res.Interrupted)
	require.Equal(t, map[time.Duration]int64{2500 * ms: 4, 3500 * ms: 3, 4500 * ms: 2, 5500 * ms: 1, 16000 * ms: 1}, cancelled)

	s.Grace, s.NoGrace = time.Second, false
	s.Do = serve(900 * ms)
	res, _ = runClosed(t, s)
	require.Zero(t, res.Interrupted, "what ends within its grace is not touched")
}

func TestWhoLeavesStartsNothingMore(t *testing.T) {
	last := map[int64]time.Duration{}
	res, _ := runClosed(t, Scenario{
		Traffic: traffic.Users(4).For(2*time.Second).To(0, 4*time.Second).For(time.Second), ThinkTime: latency.Fixed(100 * time.Millisecond),
		Do: func(ctx context.Context, u *User) error {
			last[u.ID()] = max(last[u.ID()], u.Intended())
			return u.Sleep(ctx, 100*time.Millisecond)
		},
	})
	const ms = time.Millisecond
	require.Equal(t, map[int64]time.Duration{4: 2400 * ms, 3: 3400 * ms, 2: 4400 * ms, 1: 5400 * ms}, last)
	require.Zero(t, res.Interrupted)
}

// TestNumberThatComesAgain: user 2 is there in [0, 1 s) and, a new one, in [2 s, 3 s).
func TestNumberThatComesAgain(t *testing.T) {
	const ms = time.Millisecond
	starts := map[time.Duration]any{}
	came := 0
	res, _ := runClosed(t, Scenario{
		Traffic: traffic.Users(2).For(time.Second).Jump(1).For(time.Second).Jump(2).For(time.Second).Jump(0).For(time.Second),
		Grace:   5 * time.Second,
		NewUser: func(_ context.Context, u *User) error {
			require.Nil(t, u.State)
			came++
			u.State = came
			return nil
		},
		Do: func(ctx context.Context, u *User) error {
			if u.ID() == 2 {
				starts[u.Intended()] = u.State
				if u.Intended() == 800*ms {
					return u.Sleep(ctx, 1500*ms) // the former one, beyond the coming of the new one
				}
			}
			return u.Sleep(ctx, 400*ms)
		},
	})
	require.Equal(t, map[time.Duration]any{0: 2, 400 * ms: 2, 800 * ms: 2, 2000 * ms: 3, 2400 * ms: 3, 2800 * ms: 3}, starts)
	require.Equal(t, 3, came)
	require.Zero(t, res.Interrupted)
	require.EqualValues(t, 8+6, res.Finished, "user 1 starts again at 2.8 s")
}

func TestPauseThatEndsWithTheProfile(t *testing.T) {
	res, _ := runClosed(t, Scenario{Traffic: traffic.Users(2).For(4 * time.Second), ThinkTime: latency.Fixed(time.Second), Do: serve(time.Second)})
	require.EqualValues(t, 4, res.Finished, "at 0 s and 2 s, and not at 4 s")

	// The profile's end itself stops the run before a user's turn; in real time it
	// may be the other way round.
	qtests.Run(t, func(q *qtests.T) {
		r, err := newRun(q.Context(), Scenario{Clock: q.Clock(), Traffic: traffic.Users(1).For(4 * time.Second), Do: serve(0),
			NewUser: func(context.Context, *User) error { return errors.New("called") }})
		require.NoError(q, err)
		for _, late := range []time.Duration{0, time.Nanosecond} {
			r.start = q.Clock().Now().Add(-4*time.Second - late)
			v := visitorOf(r, 1)
			require.False(q, r.visits(v))
			require.False(q, r.prepares(v))
		}
		for pause, armed := range map[time.Duration]bool{time.Second - 1: true, time.Second: false, time.Second + 1: false, 1<<63 - 1: false} {
			r.start = q.Clock().Now().Add(-3 * time.Second)
			c := newClosedLoop(r)
			v := visitorOf(r, 1)
			c.wait(v, pause)
			require.Equal(q, armed, v.timer != nil, pause)
			c.end()
		}
	})
}

// visitorOf lets user n come.
func visitorOf(r *run, n int) *visitor {
	v := newVisitor(&r.host, n)
	r.came(v)
	return v
}

// TestGoneUserStartsNothing, whatever the user was about to do. No user does so in a
// run that has stopped.
func TestGoneUserStartsNothing(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		r, err := newRun(q.Context(), Scenario{Clock: q.Clock(), Traffic: traffic.Users(1).For(time.Second), Do: serve(0)})
		require.NoError(q, err)
		r.start = q.Clock().Now()
		c := newClosedLoop(r)
		for _, end := range []func(*visitor){r.mu.visitors.retire, func(*visitor) { r.stop(nil) }} {
			v := visitorOf(r, 1)
			end(v)
			require.False(q, r.prepares(v))
			require.False(q, r.visits(v))
			c.wait(v, time.Millisecond)
			require.Nil(q, v.timer)
		}
	})
}

func TestEndLeavesNoTimer(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		r, err := newRun(q.Context(), Scenario{Clock: q.Clock(), Traffic: traffic.Users(3).For(time.Minute).Jump(2).For(time.Hour).To(0, time.Hour),
			ThinkTime: latency.Fixed(2 * time.Hour), Do: serve(time.Second)})
		require.NoError(q, err)
		r.start = q.Clock().Now()
		c := newClosedLoop(r)
		c.begin()
		q.Sleep(30 * time.Second)
		three := r.mu.visitors.present[2]
		q.Sleep(time.Minute)
		require.False(q, three.timer.Stop(), "the timer of user 3, who has left, is stopped")
		r.stop(nil)
		c.end()
		require.False(q, r.mu.visitors.timer.Stop(), "the timer of the next change")
		for _, v := range r.mu.visitors.present {
			require.False(q, v.timer.Stop(), "the timer of user %d", v.req.User)
		}
		c.arm()
		require.False(q, r.mu.visitors.timer.Stop(), "nor does a change that was late arm the next one")
	})
}

func TestGraceTimerEndsWithTheRequest(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		for name, do := range map[string]func(context.Context, *User) error{
			"return": serve(2 * time.Second),
			"goexit": func(ctx context.Context, u *User) error {
				_ = u.Sleep(ctx, 2*time.Second)
				runtime.Goexit()
				return nil
			},
		} {
			r, err := newRun(q.Context(), Scenario{Clock: q.Clock(), Traffic: traffic.Users(1).For(time.Second).Jump(0).For(time.Hour), Do: do})
			require.NoError(q, err)
			r.start = q.Clock().Now()
			c := newClosedLoop(r)
			c.begin()
			q.Sleep(1500 * time.Millisecond)
			v := r.mu.visitors.present[0]
			grace := v.timer
			require.True(q, v.gone && v.busy(), name)
			q.Sleep(time.Second)
			require.False(q, v.busy(), name)
			require.False(q, grace.Stop(), name)
		}
	})
}

func TestTagsAreOfOneRequest(t *testing.T) {
	res, _ := runClosed(t, Scenario{Traffic: traffic.Users(1).For(10 * time.Second), Do: func(ctx context.Context, u *User) error {
		switch u.Request() {
		case 1:
			u.Tag("region", "eu")
			u.Tag("kind", "a")
		case 2:
			u.Tag("kind", "b")
		}
		return u.Sleep(ctx, time.Second)
	}})
	tags := map[string]int64{}
	for _, x := range res.Tags {
		tags[x.Name] = x.Finished
	}
	require.Equal(t, map[string]int64{"region=eu": 1, "kind=a": 1, "kind=b": 1}, tags)
}
