package load

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// verdictsOf runs a scenario with the thresholds that are the keys of want, and
// requires that their verdicts read as the values say.
func verdictsOf(t *testing.T, s Scenario, want map[string]string) (res *result.Result) {
	t.Helper()
	s.Thresholds = text.SortedKeys(want)
	qtests.Run(t, func(q *qtests.T) {
		s.Clock = q.Clock()
		var err error
		res, err = Do(context.Background(), s)
		require.NoError(q, err)
	})
	for _, v := range res.Thresholds {
		require.Contains(t, v.String(), want[v.Threshold])
		require.Equal(t, v.Pass, v.Error == "" && v.Broken == 0 && !slices.ContainsFunc(res.Failed(), func(f result.Verdict) bool { return f.Threshold == v.Threshold }))
	}
	require.Len(t, res.Thresholds, len(want))
	return res
}

var errNo = errors.New("no")

func TestWindowsOfNamesThatComeUp(t *testing.T) {
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(time.Minute),
		Do: func(ctx context.Context, u *User) error {
			u.Tag("region", "eu")
			return u.Part(ctx, "pay", func(ctx context.Context) error {
				_ = u.Sleep(ctx, 5*time.Millisecond)
				return errNo
			})
		},
	}, map[string]string{
		"tag(regoin=eu).errors==0 every 10s":  `cannot be evaluated: unknown tag "regoin=eu"; did you mean "region=eu"?`,
		"tag(region=us).rate<100/s every 10s": `cannot be evaluated: unknown tag "region=us"; did you mean "region=eu"?`,
		"step(nix).count<5 every 10s":         `cannot be evaluated: unknown step "nix"; known: load, pay`,
		"step(pays).p(95)<1s every 10s":       `cannot be evaluated: unknown step "pays"; did you mean "pay"?`,
		"step(pays).p(95)<1s":                 `cannot be evaluated: unknown step "pays"; did you mean "pay"?`,
		"check(ok)>1% every 10s":              `cannot be evaluated: unknown check "ok"; there is none`,
		"tag(region=eu).errors==0 every 10s":  "broken: 6 of 6 windows, the first from 0s, the worst at 100",
		"step(pay).errors==0 every 10s":       "broken: 6 of 6 windows, the first from 0s, the worst at 100",
		"step(pay).p(95)<1s every 10s":        "kept: 5ms in the worst of 6 windows",
		"step(pay).service.max<5ms every 10s": "broken: 6 of 6 windows",
		"step(pay).timeouts==0":               `timeouts is not counted of "pay", which is a part of a request`,
		"step(pay).retries==0 every 10s":      `retries is not counted of "pay"`,
	})
}

// A part is known only when it has run, so its name may look like a step's.
func TestThresholdOnAPartWhoseNameResemblesAStep(t *testing.T) {
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(1).For(3 * time.Second),
		Steps: []Step{{Name: "checkout", Do: func(ctx context.Context, u *User) error {
			return u.Part(ctx, "checkin", func(ctx context.Context) error { return u.Sleep(ctx, time.Millisecond) })
		}}},
	}, map[string]string{
		"step(checkin).p(95)<1s": "kept: 1ms",
		"step(chekout).p(95)<1s": `unknown step "chekout"; did you mean "checkout"?`,
		"step(x).p(95)<1s":       `unknown step "x"; known: checkin, checkout`,
	})
}

// TestWindowsAndTheDrain has one request end 1.7 s and another 5 s after it was
// due, beyond the end of the profile.
func TestWindowsAndTheDrain(t *testing.T) {
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(10 * time.Second),
		Do: func(ctx context.Context, u *User) error {
			switch u.ID() {
			case 95:
				return u.Sleep(ctx, 1700*time.Millisecond)
			case 96:
				_ = u.Sleep(ctx, 5*time.Second)
				return errNo
			}
			return u.Sleep(ctx, 10*time.Millisecond)
		},
	}, map[string]string{
		"rate>=3/s every 1s":    "kept: 8/s in the worst of 10 windows",
		"goodput>=3/s every 1s": "kept: 8/s in the worst of 10 windows",
		"count>=3 every 1s":     "kept: 8 in the worst of 10 windows",
		"requests>=3 every 3s":  "kept: 29 in the worst of 3 windows", // the fourth is cut off
		"errors==0 every 1s":    "broken: 1 of 13 windows, the first from 14s, the worst at 1",
		"errors<1/s every 1s":   "broken: 1 of 13 windows, the first from 14s, the worst at 1/s",
		"errors<10% every 1s":   "broken: 1 of 13 windows, the first from 14s, the worst at 100%",
		"max<2s every 1s":       "broken: 1 of 13 windows, the first from 14s, the worst at 5s",
		// Less than a window's length comes after the last one in which load arrived.
		"rate>=3/s every 10s":  "kept: 9.7/s in the only window",
		"errors==0 every 10s":  "broken: 1 in the only window, from 0s",
		"errors<2% every 10s":  "kept: 1% in the only window",
		"errors<=1% every 5s":  "broken: 1 of 2 windows, the first from 5s, the worst at 1.961%",
		"errors<=0/s every 5s": "broken: 1 of 2 windows, the first from 5s, the worst at 0.2/s",
		"max<5s every 5s":      "broken: 1 of 2 windows, the first from 5s, the worst at 5s",
		"p(90)<1s every 5s":    "kept: 10ms in the worst of 2 windows",
		"late.max<1s every 5s": "kept: 0s in the worst of 2 windows",
	})
}

// A constant rate for a time has the windows that this time has, of every metric,
// although the last request arrives at its end.
func TestWindowsOfAWholeNumber(t *testing.T) {
	want := map[string]string{}
	for _, x := range []string{"p(95)<1s", "errors<1%", "errors==0", "errors<1/s", "late.max<1s", "rate>0.5/s", "count>1", "checks>1%", "dropped==0", "interrupted<1%"} {
		want[x+" every 1m"] = "in the worst of 60 windows"
		want[x+" every 1h"] = "in the only window"
	}
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(1).For(time.Hour),
		Do: func(ctx context.Context, u *User) error {
			u.Check("ok", true)
			return u.Sleep(ctx, 100*time.Millisecond)
		},
	}, want)
}

// Of a steady trickle of errors no more are counted in the last window, to which the
// drain belongs, than in the others.
func TestCountsOfTheDrainAreNotAddedUp(t *testing.T) {
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(time.Minute),
		Do: func(ctx context.Context, u *User) error {
			_ = u.Sleep(ctx, 8*time.Second)
			return errNo
		},
	}, map[string]string{
		"errors<=100 every 10s":  "kept: 100 in the worst of 6 windows",
		"errors<=10/s every 10s": "kept: 10/s in the worst of 6 windows",
		"max<8s every 10s":       "broken: 6 of 6 windows",
	})
	// The drain alone may be what breaks it.
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(time.Minute),
		Do: func(ctx context.Context, u *User) error {
			if u.ID() < 590 {
				return u.Sleep(ctx, time.Millisecond)
			}
			_ = u.Sleep(ctx, 4*time.Second)
			return errNo
		},
	}, map[string]string{
		"errors<5 every 10s":   "broken: 1 of 6 windows, the first from 50s, the worst at 11",
		"errors<5% every 10s":  "broken: 1 of 6 windows, the first from 50s, the worst at 10",
		"med<1s every 10s":     "kept: 1ms in the worst of 6 windows",
		"timeouts<1 every 10s": "kept: 0 in the worst of 6 windows",
	})
}

// A window that was silent has the drain, too.
func TestDrainAfterASilentWindow(t *testing.T) {
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(time.Second).Jump(0).For(9 * time.Second),
		Do: func(ctx context.Context, u *User) error {
			if u.ID() == 5 {
				_ = u.Sleep(ctx, 9700*time.Millisecond)
				return errNo
			}
			return nil
		},
	}, map[string]string{
		"errors==0 every 1s":  "broken: 1 of 10 windows, the first from 9s, the worst at 1",
		"errors<50% every 1s": "broken: 1 of 3 windows, the first from 9s, the worst at 100%",
		"max<1s every 1s":     "broken: 1 of 3 windows, the first from 9s, the worst at 9.7s",
		"max<1s every 10s":    "broken: 9.7s in the only window, from 0s",
	})
}

func TestWindowLongerThanTheProfile(t *testing.T) {
	for _, x := range []string{"p(95)<1s", "count>10", "rate>1/s", "errors==0"} {
		s := Scenario{Traffic: traffic.Rate(1).For(time.Minute), Do: serve(0), Thresholds: []string{x + " every 2m"}}
		_, err := Do(t.Context(), s)
		require.EqualError(t, err, `load: threshold "`+x+` every 2m": every 2m0s: the profile lasts 1m0s only, and no window would be over`)
		limit, err := threshold.Parse(x + " every 2m")
		require.NoError(t, err)
		s.Thresholds, s.Limits = nil, []threshold.Threshold{limit}
		_, err = Do(t.Context(), s)
		require.ErrorContains(t, err, `load: Scenario.Limits[0]: every 2m0s: the profile lasts`)
	}
}

// With a budget the arrivals end before the profile does.
func TestWindowsEndWithTheBudget(t *testing.T) {
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(time.Hour).Budget(55),
		Do: func(ctx context.Context, u *User) error {
			if u.ID() == 30 {
				return u.Sleep(ctx, 10*time.Second)
			}
			return u.Sleep(ctx, 10*time.Millisecond)
		},
	}, map[string]string{
		"rate>=3/s every 1s": "kept: 9/s in the worst of 5 windows",
		"rate>=3/s every 1m": "cannot be evaluated: the run ended before its first window of 1m0s was over",
		"errors==0 every 1m": "kept: 0 in the only window",
		"errors==0 every 1s": "kept: 0 in the worst of 7 windows", // five, the cut off one, and the one of request 30
	})
}

func TestWindowsOfASilence(t *testing.T) {
	windows := map[string]int{
		"p(99)<1s every 1ms": 10, "errors==0 every 1ms": 86_401_000, "errors<1/s every 1ms": 86_401_000, "errors<1% every 1ms": 10,
		"rate<=1000/s every 1ms": 86_401_000, "dropped==0 every 1ms": 86_401_000, "goodput>0/s every 1ms": 86_401_000,
		"late.max<1s every 1ms": 10,
	}
	res := verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(time.Second).Jump(0).For(24 * time.Hour), Do: serve(0),
	}, map[string]string{
		"p(99)<1s every 1ms": "kept", "errors==0 every 1ms": "kept", "errors<1/s every 1ms": "kept", "errors<1% every 1ms": "kept",
		"rate<=1000/s every 1ms": "kept: 1000/s", "dropped==0 every 1ms": "kept", "late.max<1s every 1ms": "kept",
		"goodput>0/s every 1ms": "broken: 86400990 of 86401000 windows, the first from 0s, the worst at 0/s",
	})
	for _, v := range res.Thresholds {
		require.Equal(t, windows[v.Threshold], v.Windows, v.Threshold)
	}
}

// A silence that reaches over the end of the profile counts up to there.
func TestWindowsOfASilenceAtTheEnd(t *testing.T) {
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(2 * time.Second).Jump(0).For(8 * time.Second),
		Do: func(ctx context.Context, u *User) error {
			if u.ID() == 15 {
				return u.Sleep(ctx, 11*time.Second)
			}
			return u.Sleep(ctx, 10*time.Millisecond)
		},
	}, map[string]string{
		"errors==0 every 1s":     "kept: 0 in the worst of 11 windows", // ten, and that in which request 15 ends
		"rate<100/s every 1s":    "kept: 9/s in the worst of 10 windows",
		"errors<=1% every 1s":    "kept: 0% in the worst of 4 windows",
		"dropped==0 every 1s":    "kept: 0 in the worst of 10 windows",
		"rate<=1000/s every 1ms": "in the worst of 10000 windows",
	})
}

// Whatever comes first after the end of a window belongs to the next one.
func TestWindowsTurnBeforeAnythingIsCounted(t *testing.T) {
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(1).For(3 * time.Second), Retry: Retry{Max: 1, Backoff: latency.Fixed(4 * time.Second)},
		Steps: []Step{{Name: "a", Do: func(ctx context.Context, u *User) error {
			if u.ID() < 3 || u.Attempt() > 1 {
				return nil
			}
			_ = u.Sleep(ctx, 11500*time.Millisecond)
			u.Check("late", false)
			_ = u.Sleep(ctx, 2*time.Second)
			_ = u.Part(ctx, "part", func(context.Context) error { return errNo })
			_ = u.Sleep(ctx, 4*time.Second)
			return errNo
		}}},
	}, map[string]string{
		"check(late)>1% every 2s":       "broken: 0% in the only window, from 14s",
		"step(part).errors==0 every 2s": "broken: 1 of 2 windows, the first from 16s",
		"step(part).max<1s every 2s":    "kept: 0s in the only window",
		"retries==0 every 2s":           "the first from 24s",
		"retries<50% every 2s":          "broken: 1 of 3 windows, the first from 24s, the worst at 100%", // nothing started in it
	})
	verdictsOf(t, Scenario{
		Traffic: traffic.Users(1).For(5 * time.Second), Pacing: time.Second, Retry: Retry{Max: 1},
		Do: func(ctx context.Context, u *User) error {
			_ = u.Sleep(ctx, 10*time.Millisecond)
			if u.Request() == 1 && u.Attempt() == 1 {
				return errNo
			}
			return nil
		},
	}, map[string]string{"retries<100% every 1s": "broken: 1 of 5 windows, the first from 0s, the worst at 100%"})
}

func TestWindowsOfSteps(t *testing.T) {
	verdictsOf(t, mixed(), map[string]string{
		"step(a).max<=10ms every 1m":  "kept: 10ms in the worst of 5 windows", // the last request is due at 5m0s
		"step(b).max<=10ms every 1m":  "broken: ",
		"step(b).min>=100ms every 1m": "kept: 100ms",
		"max<=10ms every 1m":          "broken: 5 of ",
	})
}

// trouble has everything happen in the window from 20 s to 30 s.
func trouble(ctx context.Context, u *User) error {
	in := u.Intended() >= 20*time.Second && u.Intended() < 30*time.Second
	u.Tag("in", map[bool]string{true: "yes", false: "no"}[in])
	u.Check("calm", !in)
	switch n := u.ID(); {
	case n == 210 && u.Attempt() == 1:
		return errNo
	case n == 220:
		return u.Sleep(ctx, time.Minute) // until its time is over, twice
	case n == 230:
		panic("drawn")
	case n == 240, n == 241:
		return u.Sleep(ctx, 900*time.Millisecond) // so long that others are dropped
	}
	return u.Sleep(ctx, 10*time.Millisecond)
}

func TestWindowsOfCounts(t *testing.T) {
	one := "broken: 1 of 6 windows, the first from 20s, the worst at "
	res := verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(time.Minute), MaxInFlight: 2, Timeout: time.Second, Retry: Retry{Max: 1},
		Steps: []Step{{Name: "a", Do: trouble}},
	}, map[string]string{
		"retries==0 every 10s": one + "2", "retries<2% every 10s": one, "retries<0.2/s every 10s": one + "0.2/s",
		"timeouts==0 every 10s": one + "1", "timeouts<=0.5% every 10s": one, "timeouts<0.1/s every 10s": one + "0.1/s",
		"dropped==0 every 10s": one, "dropped<1% every 10s": one, "panics==0 every 10s": one + "1",
		"checks>99% every 10s": one, "check(calm)>99% every 10s": one + "0%",
		"denied==0 every 10s":             "kept: 0 in the worst of 6 windows",
		"step(a).timeouts==0 every 10s":   one + "1",
		"step(a).retries<=1 every 10s":    one + "2",
		"tag(in=yes).timeouts==0":         "broken: 1",
		"tag(in=no).timeouts==0":          "kept: 0",
		"tag(in=yes).count<50 every 10s":  "broken: 1 of 6 windows, the first from 20s",
		"tag(in=no).max<=10ms every 10s":  "kept: 10ms in the worst of 5 windows",
		"tag(in=yes).max<=10ms every 10s": "broken: 2s in the only window, from 20s",
	})
	require.EqualValues(t, 7, res.Dropped)
}

func TestWindowsOfInterruptedRequests(t *testing.T) {
	last := "broken: 1 of 6 windows, the first from 50s, the worst at "
	res := verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(time.Minute), Grace: 2 * time.Second,
		Steps: []Step{{Name: "a", Do: func(ctx context.Context, u *User) error {
			u.Tag("slow", map[bool]string{true: "yes", false: "no"}[u.ID() == 590])
			if u.ID() == 590 {
				return u.Sleep(ctx, time.Hour)
			}
			return u.Sleep(ctx, 10*time.Millisecond)
		}}},
	}, map[string]string{
		"interrupted==0 every 10s": last + "1", "interrupted<0.9% every 10s": last + "0.9901%", "interrupted<1%": "kept: 0.1667%",
		"step(a).interrupted==0":          "broken: 1",
		"step(a).interrupted==0 every 9s": "broken: 1 of 7 windows, the first from 54s",
		"tag(slow=yes).interrupted<1%":    "broken: 100%",
		"tag(slow=no).interrupted==0":     "kept: 0",
		"max<1s every 10s":                "kept: 10ms in the worst of 6 windows", // it is no sample
	})
	for _, x := range append(res.Steps, res.Tags...) {
		require.Equal(t, x.Started, x.Finished+x.Interrupted, x.Name)
	}
}

// Requests that ignore their cancelled context are interrupted, too.
func TestThresholdOnAbandonedRequests(t *testing.T) {
	want := map[string]string{
		"interrupted==0": "broken: 3", "step(load).interrupted==0": "broken: 3",
		"interrupted<1%": "broken: 100%", "interrupted==0 every 1s": "broken: 1 of",
	}
	qtests.Run(t, func(q *qtests.T) {
		res, err := Do(context.Background(), Scenario{
			Clock: q.Clock(), Traffic: traffic.Rate(1).For(3 * time.Second), NoGrace: true, Thresholds: text.SortedKeys(want),
			Do: func(context.Context, *User) error { q.Sleep(time.Minute); return nil },
		})
		require.NoError(q, err)
		for _, v := range res.Thresholds {
			require.Contains(q, v.String(), want[v.Threshold])
		}
		q.Sleep(time.Minute)
	})
}

func TestWindowsOfLateness(t *testing.T) {
	entries := []accesslog.Entry{{At: second(0)}, {At: second(10)}, {At: second(20)}, {At: second(30)}}
	verdictsOf(t, Scenario{
		Traffic: traffic.Replay(entries), Do: serve(0),
		Route: func(e accesslog.Entry) string { return e.Path },
	}, map[string]string{"late.max<10ms every 10s": "kept: 0s in the worst of 4 windows"})
	qtests.Run(t, func(q *qtests.T) {
		res, err := Do(context.Background(), Scenario{
			Clock: q.Clock(), Traffic: traffic.Replay(entries), Do: serve(0),
			Route: func(e accesslog.Entry) string {
				if e.At.Equal(second(20)) {
					q.Sleep(50 * time.Millisecond)
				}
				return "r"
			},
			Thresholds: []string{"late.max<10ms every 10s"},
		})
		require.NoError(q, err)
		require.Contains(q, res.Thresholds[0].String(), "broken: 1 of 4 windows, the first from 20s, the worst at 50ms")
	})
}

// TestWorstWindow has windows with 9, 10, 20 and 5 requests.
func TestWorstWindow(t *testing.T) {
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(2 * time.Second).Jump(20).For(time.Second).Jump(5).For(time.Second),
		Do: func(ctx context.Context, u *User) error {
			if u.Intended() >= 2*time.Second && u.Intended() < 3*time.Second {
				return u.Sleep(ctx, time.Millisecond)
			}
			return u.Sleep(ctx, 2*time.Millisecond)
		},
	}, map[string]string{
		"rate>1/s every 1s": "kept: 5/s in the worst of 4", "rate>=6/s every 1s": "broken: 1 of 4 windows, the first from 3s, the worst at 5/s",
		"rate<100/s every 1s": "kept: 20/s", "rate<=15/s every 1s": "broken: 1 of 4 windows, the first from 2s, the worst at 20/s",
		"count==10 every 1s": "the worst at 20", "count!=11 every 1s": "kept: 10 in",
		"min>0s every 1s": "kept: 1ms in", "service.min>=2ms every 1s": "broken: 1 of 4 windows, the first from 2s, the worst at 1ms",
	})
}

// Service time has windows of its own, emptied like those of response time: here
// one slow request waits for nothing and those behind it in the queue do.
func TestServiceWindowsAreEmptied(t *testing.T) {
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(30 * time.Second), MaxInFlight: 1, Overflow: Queue,
		Do: func(ctx context.Context, u *User) error {
			if u.ID() == 110 {
				return u.Sleep(ctx, 3*time.Second)
			}
			return u.Sleep(ctx, 10*time.Millisecond)
		},
	}, map[string]string{
		"service.max<1s every 10s":    "broken: 1 of 3 windows, the first from 10s, the worst at 3s",
		"service.avg<=10ms every 10s": "broken: 1 of 3 windows",
		"service.med<=10ms every 2s":  "kept: 10ms in the worst of 14 windows",
		"med<=10ms every 2s":          "broken: 1 of 14 windows",
		"max<1s every 2s":             "broken: 1 of 14 windows, the first from 14s",
	})
}

func TestDeniedRetriesAreNotRetries(t *testing.T) {
	verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(10 * time.Second), Retry: Retry{Max: 1, Budget: 0.1},
		Steps: []Step{{Name: "good", Do: serve(time.Millisecond)}, {Name: "bad", Do: func(ctx context.Context, u *User) error {
			_ = u.Sleep(ctx, time.Millisecond)
			return errNo
		}}},
	}, map[string]string{
		"retries==0": "broken: 20", "denied==0": "broken: 30", "denied<50%": "kept: 30%",
		"step(bad).denied==30": "kept: 30", "step(good).denied==0": "kept: 0",
		"step(bad).retries<50%": "kept: 40%", "denied<=1 every 1s": "broken:",
	})
}

// A threshold that a scaled load breaks says so, when it is one on how much there is.
func TestBrokenThresholdTellsTheScale(t *testing.T) {
	atScale(t, "0.1")
	thresholds := []string{"rate>50/s", "count>500 every 10s", "requests>=1", "in_flight>=3", "p(99)<1ms", "step(nix).rate>1/s"}
	var res *result.Result
	rec := in(t, func(q *qtests.T, tb tb.TB) {
		res = Run(tb, Scenario{Clock: q.Clock(), Traffic: traffic.Rate(100).For(time.Minute), Do: serve(10 * time.Millisecond), Thresholds: thresholds})
	})
	scaled := "the load was scaled by 0.1"
	for i, want := range []string{scaled, scaled, "", scaled, "", ""} {
		require.Equal(t, want, res.Thresholds[i].Note, thresholds[i])
	}
	require.Contains(t, rec.Errors(), "load: threshold rate>50/s broken: 10/s; the load was scaled by 0.1\n")
	require.Contains(t, res.String(), "✗ count>500 every 10s  (6 of 6 windows, the first from 0s, the worst at 99; the load was scaled by 0.1)")

	rec = tbtest.Run("shortened", func(tb *tbtest.TB) {
		res = Run(tb, Scenario{Scalable: true, Traffic: traffic.Rate(1e4).For(100 * time.Millisecond), Do: serve(0), Thresholds: []string{"requests>500"}})
	})
	require.Contains(t, rec.Errors(), "; the run was scaled to 0.1 of its length\n")
}
