package search

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// A target is missed by more than three standard errors, and not before.
func TestBelow(t *testing.T) {
	for _, c := range []struct {
		good  int64
		due   float64
		to    target
		below bool
	}{
		{0, 0, target{share: 0.9}, false}, // nothing was due: nothing is known
		{871, 1000, target{share: 0.9}, true},
		{872, 1000, target{share: 0.9}, false}, // 900 - 3·√(900·0.1) = 871.5
		{809, 1000, target{0.9, true}, true},
		{810, 1000, target{0.9, true}, false}, // 900 - 3·√900
		{999, 1000, target{share: 1}, true},
		{1000, 1000, target{share: 1}, false},
		{1199, 1000, target{share: 1.2}, true}, // above 1 there is no chance, not less than none
		{1200, 1000, target{share: 1.2}, false},
	} {
		require.Equal(t, c.below, yield{good: c.good, due: c.due}.below(c.to), "%+v", c)
	}
	require.Zero(t, yield{good: 1}.share())
	require.InDelta(t, 0.5, yield{good: 1, due: 2}.share(), 0)
	require.Equal(t, yield{4, 6, 8}, total([]yield{{1, 2, 3}, {3, 4, 5}}))
}

// seconds is a run of a hundred arrivals a second. All that arrive in [from, to) fail.
func seconds(n, from, to int) *result.Result {
	r := &result.Result{Duration: time.Duration(n) * time.Second, Interval: time.Second}
	for i := range n {
		p := result.Point{Offset: time.Duration(i) * time.Second, Arrivals: 100, Finished: 100}
		if i >= from && i < to {
			p.Errors = 100
		}
		r.Timeline = append(r.Timeline, p)
	}
	return r
}

func TestJudge(t *testing.T) {
	profile := traffic.Rate(100).For(time.Minute)
	disturbed := func(end time.Duration) event.Event {
		return event.New("e", func() {}, func() {}).At(10 * time.Second).For(end - 10*time.Second)
	}
	s := time.Second
	for name, c := range map[string]struct {
		run       *result.Result
		end, hold time.Duration
		after     time.Duration // -1: it stays down
		err       string
	}{
		"with the end of the cause":         {seconds(40, 10, 20), 20 * s, 0, 0, ""},
		"five seconds later":                {seconds(40, 10, 25), 20 * s, 0, 5 * s, ""},
		"it was never down":                 {seconds(40, 0, 0), 20 * s, 0, 0, ""},
		"just in time":                      {seconds(40, 10, 30), 20 * s, 0, 10 * s, ""},
		"a second too late":                 {seconds(40, 10, 31), 20 * s, 0, -1, ""},
		"in time for a shorter Hold":        {seconds(40, 10, 31), 20 * s, 9 * s, 11 * s, ""},
		"Hold is rounded up":                {seconds(40, 10, 31), 20 * s, 9*s + 1, -1, ""},
		"down to the end":                   {seconds(40, 10, 40), 20 * s, 0, -1, ""},
		"a relapse":                         {seconds(40, 35, 40), 20 * s, 0, -1, ""},
		"in an interval that it is part of": {seconds(40, 10, 21), 20*s + s/4, 0, 3 * s / 4, ""},
		"the run just suffices":             {seconds(30, 10, 20), 20 * s, 0, 0, ""},
		"the run is too short":              {seconds(29, 10, 20), 20 * s, 0, 0, "9 intervals of 1s after event \"e\", which ends at 20s, are too few for a Hold of 10"},
		"it ends at the end":                {seconds(20, 10, 20), 20*s + 1, 0, 0, "0 intervals of 1s"},
		"no goodput before":                 {seconds(40, 0, 20), 20 * s, 0, 0, "no goodput before event \"e\" at 10s, of 1000 requests that ended"},
	} {
		r, err := Disturbances{Share: 0.95, Hold: c.hold}.judge(3, c.run, disturbed(c.end), profile)
		if c.err != "" {
			require.ErrorContains(t, err, c.err, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.after >= 0, r.Recovered, name)
		require.Equal(t, max(c.after, 0), r.After, name)
		require.InDelta(t, 3, r.Size, 0, name)
		require.InDelta(t, 1, r.Before, 0, name)
	}

	r, err := Disturbances{Share: 0.5}.judge(1, seconds(40, 10, 25), disturbed(20*s), profile)
	require.NoError(t, err)
	require.Equal(t, 5*s, r.After, "the window from 20 s on is up on the whole, its first half is not")

	short := seconds(40, 35, 40) // the timeline ends before the profile
	short.Duration = time.Minute
	r, err = Disturbances{Share: 0.95}.judge(1, short, disturbed(20*s), profile)
	require.NoError(t, err)
	require.False(t, r.Recovered)
	require.Zero(t, r.Final, "the last tenth: four intervals")
	short.Timeline[36].Errors = 0
	r, err = Disturbances{Share: 0.95}.judge(1, short, disturbed(20*s), profile)
	require.NoError(t, err)
	require.InDelta(t, 0.25, r.Final, 0)
}

// Of users their number is due, for each second.
func TestYieldsOfUsers(t *testing.T) {
	res := &result.Result{Interval: 2 * time.Second, Timeline: []result.Point{{Finished: 7, Errors: 3, Arrivals: 9}, {Offset: 2 * time.Second, Finished: 8}}}
	require.Equal(t, []yield{{4, 7, 10}, {8, 8, 10}}, yields(res, traffic.Users(5).For(4*time.Second)))
	require.Equal(t, []yield{{4, 7, 9}, {8, 8, 0}}, yields(res, traffic.Rate(5).For(4*time.Second)))
	rising := traffic.Users(0).To(40, 4*time.Second)
	require.InDelta(t, 2*10, yields(res, rising)[0].due, 1e-9, "in the middle of the interval")
}

func TestDisturbancesThatHaveMeaning(t *testing.T) {
	for _, d := range []Disturbances{
		{Sizes: []float64{1}}, {Sizes: []float64{-1, 0, 1}}, {Sizes: []float64{1}, Share: 1}, {Sizes: []float64{1}, Share: 1e-9, Hold: 1},
	} {
		require.NoError(t, d.check(), "%+v", d)
	}
	for _, d := range []Disturbances{
		{}, {Sizes: []float64{math.Inf(1)}}, {Sizes: []float64{1}, Share: -0.1}, {Sizes: []float64{1}, Share: math.NaN()}, {Sizes: []float64{1}, Share: 1.001}, {Sizes: []float64{1}, Hold: -1},
	} {
		require.Error(t, d.check(), "%+v", d)
	}
}

func TestUnfit(t *testing.T) {
	require.NoError(t, unfit(&result.Result{}))
	for want, res := range map[string]*result.Result{
		"at 3s: enough": {Halted: "enough", Elapsed: 3 * time.Second},
		"panicked once": {Panics: 1, FirstPanic: "boom"},
		"1 requests":    {Abandoned: 1},
		"too slow":      {Slow: true, Warning: "too slow"},
	} {
		require.ErrorContains(t, unfit(res), want)
	}
	require.NoError(t, unfit(&result.Result{Warning: "it need not fail the run"}))
}

func TestPlaced(t *testing.T) {
	e := event.New("e", func() {}, func() {})
	require.NoError(t, placed(e.At(1).For(1), 3))
	require.Error(t, placed(e.At(1).For(2), 3))
}
