package traffic

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/accesslog"
)

func TestLevels(t *testing.T) {
	p := Rate(10).To(30, 10*time.Second).Jump(5).For(5 * time.Second).Amplify(2)
	for at, want := range map[time.Duration]float64{
		0: 20, 2500 * time.Millisecond: 30, 10*time.Second - 1: 60, 10 * time.Second: 10, 15*time.Second - 1: 10, 15 * time.Second: 0, time.Hour: 0,
	} {
		require.InDelta(t, want, p.LevelAt(at), 1e-6, at)
	}
}

func TestStages(t *testing.T) {
	stages, unit, err := RatePer(10, time.Minute).To(30, 10*time.Second).Jump(5).For(5 * time.Second).Amplify(2).Stages()
	require.NoError(t, err)
	require.Equal(t, time.Minute, unit)
	require.Equal(t, []Stage{{20, 60, 10 * time.Second}, {10, 10, 5 * time.Second}}, stages)
	stages, _, err = Users(5).Amplify(2).Budget(9).Stages()
	require.NoError(t, err)
	require.Equal(t, []Stage{{10, 10, 24 * time.Hour}}, stages)
	for want, p := range map[string]Profile{
		"lasts no time":                   Rate(1),
		"it is a replay of a log":         Replay([]accesslog.Entry{{At: instant(0)}}),
		"it has bursts":                   Bursts(1, time.Second).For(time.Second),
		"its gaps are drawn (erlang(2))":  Rate(1).For(time.Second).Gaps(ErlangGaps(2)),
		"it has a wave":                   Sine(1, 1, time.Second, time.Second),
		"Users: -1 is not a number from ": Users(-1).For(time.Second),
	} {
		_, _, err := p.Stages()
		require.ErrorContains(t, err, want)
	}
}

// A log keeps the instant of its beginning as long as it keeps its own speed.
func TestOrigins(t *testing.T) {
	log := Replay([]accesslog.Entry{{At: instant(1)}, {At: instant(9)}})
	require.Equal(t, instant(1), log.Origin())
	require.Equal(t, instant(0), log.From(instant(0)).Origin())
	for _, p := range []Profile{log.Speed(2), log.stretch(0.5), Rate(1).For(time.Second)} {
		require.Zero(t, p.Origin())
	}
	require.Equal(t, time.Duration(0), Rate(1).For(time.Second).Offset(instant(1)))
	require.Equal(t, "replay of 2 requests, 2015-05-17 10:05:01 to 2015-05-17 10:05:09, speed ×3, ×2, ×0.5 as long", log.Speed(3).Amplify(2).stretch(0.5).String())
}

func TestScaledBudgets(t *testing.T) {
	for _, tc := range []struct {
		budget, each int
		x            float64
		want         []int64
	}{{100, 50, 0.1, []int64{10, 5}}, {0, 5, 0.01, []int64{0, 1}}, {5, 0, 0.5, []int64{3, 0}}, {7, 7, 1e300, []int64{1 << 62, 1 << 62}}} {
		p := Users(1).For(time.Hour)
		p.budget, p.each = int64(tc.budget), int64(tc.each)
		p = p.stretch(tc.x)
		require.Equal(t, tc.want, []int64{p.budget, p.each}, "%+v", tc)
	}
	budget, each := Users(5).Budget(100).Each(50).Multiplied(0.1).Limits()
	require.Equal(t, []int64{10, 50}, []int64{budget, each}, "users are scaled, and what each of them does is not")
	for _, d := range []struct{ speed, want float64 }{{1, 1e9}, {4, 25e7}, {0.5, 2e9}, {1e-300, 1<<63 - 1}, {3, 333333333}} {
		require.Equal(t, time.Duration(min(d.want, 1<<62)), min(Divide(time.Second, d.speed), 1<<62))
	}
}

// Of users who are scaled down one at least remains.
func TestScaledUsers(t *testing.T) {
	most := func(p Profile) (n int) {
		all := p.Changes()
		for c, ok := all.Next(); ok; c, ok = all.Next() {
			n = max(n, c.User)
		}
		return n
	}
	for factor, want := range map[float64]int{0.01: 1, 0.1: 5, 1: 50, 2: 100} {
		require.Equal(t, want, most(Users(50).For(time.Second).Amplify(factor)), factor)
		require.Equal(t, want, most(Users(0).To(50, time.Second).Amplify(factor)), factor)
	}
	require.Equal(t, 1, most(Users(0).To(0.5, time.Second).Amplify(1)))
}

// A scale that leaves less than one request on average leaves one, also where gaps are drawn.
func TestScaledGapsLeaveOneRequest(t *testing.T) {
	alone := 0
	for seed := range uint64(50) {
		for _, p := range []Profile{Rate(2).For(time.Second).Poisson().Multiplied(1e-3), Rate(2).For(time.Second).Poisson().stretch(0.05)} {
			src, n := p.Source(rand.New(rand.NewPCG(seed, 1))), 0
			for _, ok := src.Next(); ok; _, ok = src.Next() {
				n++
			}
			require.Positive(t, n)
			if n == 1 {
				alone++
			}
		}
	}
	require.Greater(t, alone, 50)
	none := Rate(0.1).For(time.Second).Poisson()
	require.False(t, none.Multiplied(2).least, "less than one was due")
	require.False(t, none.stretch(2).least)
	require.True(t, Rate(1).For(time.Second).Multiplied(0.5).least)
	require.True(t, Rate(1).For(time.Second).stretch(0.5).least)
	require.False(t, Users(9).For(time.Second).Multiplied(0.5).least)
	require.False(t, Users(9).For(time.Second).stretch(0.5).least)
}

// The limits of parameters belong to what is allowed.
func TestLimitsOfParameters(t *testing.T) {
	five := []accesslog.Entry{{At: instant(0)}, {At: instant(0).Add(accesslog.MaxSpan)}}
	for name, p := range map[string]Profile{
		"uniform":  Rate(5).For(time.Second).Gaps(UniformGaps(1)),
		"erlang":   Rate(5).For(time.Second).Gaps(ErlangGaps(1)),
		"erlang k": Rate(5).For(time.Second).Gaps(ErlangGaps(1000)),
		"log":      Replay(five),
		"from":     Replay(five[:1]).From(instant(0).Add(-accesslog.MaxSpan)),
		"users":    Users(maxUsers).For(time.Second),
		"budget":   Users(1).Budget(1),
		"each":     Users(1).Each(1),
		"bursts":   Bursts(1, 1).For(1),
	} {
		require.NoError(t, p.Err(), name)
	}
	for want, p := range map[string]Profile{
		"spread: 0 is not":                 Rate(5).For(time.Second).Gaps(UniformGaps(0)),
		"k: 0 is not":                      Rate(5).For(time.Second).Gaps(ErlangGaps(0)),
		"k: 1001 is not":                   Rate(5).For(time.Second).Gaps(ErlangGaps(1001)),
		"cv2: 1 is not":                    Rate(5).For(time.Second).Gaps(HyperexponentialGaps(1)),
		"cv2: +Inf is not":                 Rate(5).For(time.Second).Gaps(HyperexponentialGaps(math.Inf(1))),
		"lie between the first entry":      Replay([]accesslog.Entry{five[0], {At: five[1].At.Add(1)}}),
		"more than 43920h0m0s before the ": Replay(five[:1]).From(instant(0).Add(-accesslog.MaxSpan - 1)),
		"Budget: 0 is not positive":        Users(1).Budget(0),
		"Each: 0 is not positive":          Users(1).Each(0),
		"size: 0 is not positive":          Bursts(0, time.Second).For(time.Second),
		"every: 0s is not positive":        Bursts(1, 0).For(time.Second),
		"For: 0s is not positive":          Bursts(1, time.Second).For(0),
		"the bursts have a length already": Bursts(1, time.Second).For(1).For(1),
		"period: 0s is not positive":       Sine(1, 1, 0, time.Second),
		"users are more than":              Users(maxUsers + 1).For(time.Second),
	} {
		require.ErrorContains(t, p.Err(), want)
	}
	require.Equal(t, 600.0, Bursts(10, time.Minute).For(time.Hour).expected())
	require.Equal(t, 610.0, Bursts(10, time.Minute).For(time.Hour+1).expected())
	require.Equal(t, 60.0, Bursts(10, time.Minute).For(time.Hour).Amplify(0.01).expected(), "each has one at least")
	require.Empty(t, Bursts(5, time.Second).stageTexts())
}
