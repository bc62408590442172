package search

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// queued is a server of one place, whose clients give up after a second but
// whose queue keeps what they asked for, and who ask again at once: the classic
// metastable system.
func queued(q *qtests.T, retries int) (load.Scenario, *atomic.Bool) {
	down := new(atomic.Bool)
	var mu sync.Mutex // the requests are goroutines
	free := q.Clock().Now()
	return load.Scenario{
		Traffic: traffic.Rate(80).For(4 * time.Minute), Timeout: time.Second, Retry: load.Retry{Max: retries},
		Do: func(ctx context.Context, u *load.User) error {
			if down.Load() {
				<-ctx.Done()
				return ctx.Err()
			}
			mu.Lock()
			if now := q.Clock().Now(); free.Before(now) {
				free = now
			}
			free = free.Add(10 * time.Millisecond) // the work is done, wanted or not
			wait := q.Clock().Until(free)
			mu.Unlock()
			return u.Sleep(ctx, wait)
		},
	}, down
}

func TestRecoversTellsMetastability(t *testing.T) {
	run := func(retries int) (rs Recoveries) {
		qtests.Run(t, func(q *qtests.T) {
			rs = Recovers(q, Disturbances{Sizes: []float64{0.2, 30}}, func(seconds float64) (load.Scenario, event.Event) {
				s, down := queued(q, retries)
				return s, event.New("outage", func() { down.Store(true) }, func() { down.Store(false) }).
					At(time.Minute).For(time.Duration(seconds * float64(time.Second)))
			})
		})
		return rs
	}
	calm := run(0)
	require.True(t, calm[0].Recovered)
	require.True(t, calm[1].Recovered, "%s", calm)
	storm := run(5)
	require.True(t, storm[0].Recovered, "%s", storm)
	require.False(t, storm[1].Recovered, "%s", storm)
	recovered, not := storm.Limit()
	require.Equal(t, 0.2, recovered)
	require.Equal(t, 30.0, not)
}

// nothing is an event from 4:00 to 4:10 that does nothing by itself.
func nothing() event.Event {
	return event.New("nothing", func() {}, func() {}).At(4 * time.Minute).For(10 * time.Second)
}

// failing is ten minutes of a load during which requests fail when the function
// says so of the instant at which they are due.
func failing(profile traffic.Profile, fails func(at time.Duration, u *load.User) bool) load.Scenario {
	return load.Scenario{Traffic: profile, Do: func(ctx context.Context, u *load.User) error {
		if fails(u.Intended(), u) {
			return errors.New("down")
		}
		return nil
	}}
}

// recovery is the recovery from one size.
func recovery(t *testing.T, d Disturbances, s load.Scenario) (r Recovery) {
	t.Helper()
	d.Sizes = []float64{1}
	qtests.Run(t, func(q *qtests.T) {
		r = Recovers(q, d, func(float64) (load.Scenario, event.Event) { return s, nothing() })[0]
	})
	return r
}

func TestRecoversJudgesTheShareOfTheArrivals(t *testing.T) {
	const end = 4*time.Minute + 10*time.Second
	r := recovery(t, Disturbances{}, load.Scenario{Traffic: traffic.AverageLoad(100, 10*time.Minute), Do: serve(time.Millisecond)})
	require.True(t, r.Recovered, "the load rises and falls, the system does not")
	require.Zero(t, r.After)
	require.InDelta(t, 1, r.Before, 0.001)
	require.InDelta(t, 1, r.Final, 0.001)

	between := func(from, to time.Duration) func(time.Duration, *load.User) bool {
		return func(at time.Duration, _ *load.User) bool { return at >= from && at < to }
	}
	rate := traffic.Rate(10).For(10 * time.Minute)
	for _, wait := range []time.Duration{0, 2 * time.Second, 30 * time.Second, 4 * time.Minute} {
		r = recovery(t, Disturbances{}, failing(rate, between(4*time.Minute, end+wait)))
		require.True(t, r.Recovered)
		require.InDelta(t, wait, r.After, float64(r.Result.Interval), "known to one interval")
	}
	// Up at once, down again from 6:00 to 8:00.
	r = recovery(t, Disturbances{}, failing(rate, func(at time.Duration, _ *load.User) bool {
		return at >= 4*time.Minute && at < end || at >= 6*time.Minute && at < 8*time.Minute
	}))
	require.True(t, r.Recovered)
	require.InDelta(t, 8*time.Minute-end, r.After, float64(r.Result.Interval), "back for good")
	// Down for 6 s, up for 14 s, and so on: no 20 s are ever up.
	flap := failing(rate, func(at time.Duration, _ *load.User) bool { return at >= end && at%(20*time.Second) >= 14*time.Second })
	require.False(t, recovery(t, Disturbances{}, flap).Recovered)
	// Down at the very end: too little follows to say that it is back.
	require.False(t, recovery(t, Disturbances{}, failing(rate, between(598*time.Second, time.Hour))).Recovered)
}

func TestRecoversKnowsTheShare(t *testing.T) {
	everyOf := func(n int64) load.Scenario {
		return failing(traffic.Rate(10).For(10*time.Minute), func(at time.Duration, u *load.User) bool { return at >= 4*time.Minute && u.ID()%n == 0 })
	}
	require.True(t, recovery(t, Disturbances{}, everyOf(50)).Recovered, "2 % errors are not down")
	require.False(t, recovery(t, Disturbances{}, everyOf(5)).Recovered, "20 % are")
	require.True(t, recovery(t, Disturbances{}, everyOf(16)).Recovered, "6 % of 600 may be chance, where 5 % are not down")
	require.True(t, recovery(t, Disturbances{Share: 0.75}, everyOf(5)).Recovered)
	r := recovery(t, Disturbances{}, everyOf(12))
	require.False(t, r.Recovered, "8 % may be chance over 20 s, but not over the last minute")
	require.InDelta(t, 11.0/12, r.Final, 0.01)
}

// TestRecoversHolds: the time over which goodput is averaged decides what is an
// outage and what a hiccup.
func TestRecoversHolds(t *testing.T) {
	hiccup := failing(traffic.Rate(10).For(10*time.Minute), func(at time.Duration, _ *load.User) bool {
		return at >= 6*time.Minute && at < 6*time.Minute+2*time.Second
	})
	require.Zero(t, recovery(t, Disturbances{Hold: time.Minute}, hiccup).After)
	half := failing(traffic.Rate(10).For(10*time.Minute), func(at time.Duration, u *load.User) bool {
		return at >= 6*time.Minute && at < 6*time.Minute+2*time.Second && u.ID()%2 == 0
	})
	require.Zero(t, recovery(t, Disturbances{}, half).After, "10 intervals by default")
	require.NotZero(t, recovery(t, Disturbances{Hold: 2 * time.Second}, half).After)
	require.InDelta(t, 112*time.Second, recovery(t, Disturbances{Hold: 2 * time.Second}, hiccup).After, float64(2*time.Second))
}

// TestRecoversOfUsers: users who wait ask for less, so that all that they ask may be
// answered.
func TestRecoversOfUsers(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		r := recovery(t, Disturbances{}, load.Scenario{
			Traffic: traffic.Users(5).To(20, 5*time.Minute).For(5 * time.Minute), ThinkTime: latency.Exponential(500 * time.Millisecond),
			Do: func(ctx context.Context, u *load.User) error {
				if stuck && u.Intended() > 4*time.Minute {
					return u.Sleep(ctx, 5*time.Second)
				}
				return u.Sleep(ctx, 100*time.Millisecond)
			},
		})
		require.Equal(t, !stuck, r.Recovered)
	}
}

func TestRecoversSaysWhatCannotBeJudged(t *testing.T) {
	profile := traffic.Rate(10).For(10 * time.Minute)
	fine := load.Scenario{Traffic: profile, Do: serve(0)}
	up := []float64{1}
	for want, tt := range map[string]struct {
		d Disturbances
		s load.Scenario
	}{
		"size 1: no goodput before event \"nothing\" at 4m0s, of 2399 requests that ended": {Disturbances{Sizes: up}, failing(profile, func(time.Duration, *load.User) bool { return true })},
		"code of the scenario panicked 6,000 times":                                        {Disturbances{Sizes: up}, load.Scenario{Traffic: profile, Do: func(context.Context, *load.User) error { panic("boom") }}},
		"the run ended early, at 30":                                                       {Disturbances{Sizes: up}, load.Scenario{Traffic: profile, Do: serve(time.Second), Thresholds: []string{"avg<1ms abort after 30s"}}},
		"ignored that their context":                                                       {Disturbances{Sizes: up}, load.Scenario{Traffic: profile, NoGrace: true, Do: func(ctx context.Context, u *load.User) error { return u.Sleep(context.Background(), time.Minute) }}},
		"are too few for a Hold of 300":                                                    {Disturbances{Sizes: up, Hold: 10 * time.Minute}, fine},
		"[2 1] are not finite and in rising order":                                         {Disturbances{Sizes: []float64{2, 1}}, fine},
		"[1 1] are not finite":                                                             {Disturbances{Sizes: []float64{1, 1}}, fine},
		"[NaN] are not finite":                                                             {Disturbances{Sizes: []float64{math.NaN()}}, fine},
		"Sizes: none":                                                                      {Disturbances{}, fine},
		"Share: 1.5 is not":                                                                {Disturbances{Sizes: up, Share: 1.5}, fine},
		"Hold: -1s is negative":                                                            {Disturbances{Sizes: up, Hold: -time.Second}, fine},
		"Rate: -1 is not a number":                                                         {Disturbances{Sizes: up}, load.Scenario{Traffic: traffic.Rate(-1).For(time.Hour), Do: serve(0)}},
	} {
		rec := in(t, func(q *qtests.T, tb tb.TB) {
			defer q.Sleep(time.Hour) // what ignores its context ends in its own time
			tt.s.Clock = q.Clock()
			Recovers(tb, tt.d, func(float64) (load.Scenario, event.Event) { return tt.s, nothing() })
			require.Fail(t, "it went on", want)
		})
		require.Contains(t, rec.Errors(), want)
	}
}

func TestRecoversRunsUnscaled(t *testing.T) {
	atScale(t, "0.1")
	r := recovery(t, Disturbances{}, load.Scenario{Traffic: traffic.Rate(10).For(10 * time.Minute), Scalable: true, Do: serve(0)})
	require.Equal(t, 1.0, r.Result.Scale)
	require.EqualValues(t, 6000, r.Result.Finished)
}

func TestRecoveriesNameTheLimit(t *testing.T) {
	up := func(size float64) Recovery { return Recovery{Size: size, Recovered: true} }
	down := func(size float64) Recovery { return Recovery{Size: size} }
	for want, rs := range map[string]Recoveries{
		"recovery: the system recovers from a disturbance of 2, and stays down after one of 4\n":         {up(1), up(2), down(4), up(8)},
		"recovery: the system recovers from every disturbance tried, up to 2\n":                          {up(1), up(2)},
		"recovery: the system recovers from no disturbance tried, it stays down after the smallest, 0\n": {down(0), down(1)},
		"recovery: no disturbance was tried\n":                                                           {},
	} {
		require.Contains(t, rs.String(), want)
	}
}

func TestRecoveriesInATable(t *testing.T) {
	rs := Recoveries{
		{Size: 1, Recovered: true, After: 1500 * time.Millisecond, Before: 0.9991, Final: 1},
		{Size: 60, Before: 0.9991, Final: 0.25},
	}
	require.Equal(t, `recovery: the system recovers from a disturbance of 1, and stays down after one of 60
  answered: requests that ended without an error, as a share of the arrivals
  disturbance              back after  answered before  answered at the end
            1  recovered         1.5s           99.91%                 100%
           60  stays down           -           99.91%                  25%
`, rs.String())
	r := recovery(t, Disturbances{}, load.Scenario{Traffic: traffic.Users(5).For(10 * time.Minute), Pacing: 2 * time.Second, Do: serve(0)})
	require.Contains(t, Recoveries{r}.String(), "without an error, per user and second\n")
	require.Regexp(t, `recovered +0s +0\.5 +0\.5\n`, Recoveries{r}.String())
}

// TestRecoversLogsWhatItFound: also the sizes before one that cannot be judged.
func TestRecoversLogsWhatItFound(t *testing.T) {
	endless := event.New("outage", func() {}, func() {}).At(time.Minute)
	for bad, want := range map[float64][]string{
		1: nil,
		2: {"recovery: the system recovers from every disturbance tried, up to 1"},
		3: {"recovery: the system recovers from every disturbance tried, up to 2"},
	} {
		rec := in(t, func(q *qtests.T, tb tb.TB) {
			Recovers(tb, Disturbances{Sizes: []float64{1, 2}}, func(size float64) (load.Scenario, event.Event) {
				e := nothing()
				if size == bad {
					e = endless
				}
				return load.Scenario{Clock: q.Clock(), Traffic: traffic.Rate(10).For(10 * time.Minute), Do: serve(0)}, e
			})
		})
		var found []string
		for _, log := range rec.Logs() {
			if first, _, _ := strings.Cut(log, "\n"); strings.HasPrefix(first, "recovery: ") {
				found = append(found, first)
			}
		}
		require.Equal(t, want, found)
		require.Equal(t, bad <= 2, rec.Failed())
	}
}

func TestRecoversNamesWhatIsAmissWithAnEvent(t *testing.T) {
	outage := event.New("outage", func() {}, func() {})
	for want, e := range map[string]event.Event{
		`event "outage" has no end: add For`:                                  outage.At(time.Minute),
		`event "outage" begins with the run, so that nothing`:                 outage.For(time.Minute),
		`event "outage" lasts from 1m0s to 10m0s, and the run ends at 10m0s:`: outage.At(time.Minute).For(9 * time.Minute),
		`Event "outage": Offset: -1s is negative`:                             outage.At(-time.Second).For(time.Second),
		`Event "outage": Duration: -1s is negative`:                           outage.At(time.Second).For(-time.Second),
		`is past the end of time`:                                             outage.At(time.Minute).For(math.MaxInt64),
	} {
		rec := in(t, func(q *qtests.T, tb tb.TB) {
			Recovers(tb, Disturbances{Sizes: []float64{1}}, func(float64) (load.Scenario, event.Event) {
				return load.Scenario{Clock: q.Clock(), Traffic: traffic.Rate(10).For(10 * time.Minute), Do: serve(0)}, e
			})
		})
		require.Contains(t, rec.Errors(), want)
	}
}
