package traffic

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/accesslog"
)

func TestFactorsKeepTheLimits(t *testing.T) {
	es := []accesslog.Entry{{At: instant(0)}, {At: instant(1)}}
	second := Rate(1).For(time.Second)
	tests := map[string]struct {
		profile Profile
		want    string
	}{
		"replay":                 {Replay(es).Amplify(1e300), "Amplify: ×1e+300 makes the entries 2e+300, more than 1000000000000"},
		"replay, many":           {Replay(es).Amplify(1e10), "2e+10 arrivals in a run are more than"},
		"replay, with a budget":  {Replay(es).Amplify(1e15).Budget(5), "makes the entries 2e+15"},
		"rate":                   {second.Amplify(1e300).Budget(5), "Amplify: ×1e+300 makes a rate 1e+300"},
		"rate, product":          {second.Amplify(1e300).Amplify(1e300).Budget(5), "Amplify: 1e+300 makes the product of the factors +Inf"},
		"product of nothing":     {second.Amplify(1e-300).Amplify(1e-300).Budget(5), "Amplify: 1e-300 makes the product of the factors 0"},
		"wave":                   {Sine(6e5, 6e5, time.Second, time.Second).Amplify(1e6), "makes a rate 1.2e+12"},
		"stage in between":       {Rate(1).To(1e6, time.Second).To(1, time.Second).Amplify(1e7).Budget(1), "makes a rate 1e+13"},
		"users":                  {Users(10).For(time.Second).Amplify(1e300), "Amplify: ×1e+300 makes the users 1e+301, more than 5000000"},
		"users, by a few":        {Users(5).For(time.Second).Amplify(1e6 + 1), "makes the users 5e+06"},
		"users without a time":   {Users(10).Budget(5).Amplify(1e9), "makes the users 1e+10"},
		"users of a later stage": {Users(1).To(100, time.Second).To(0, time.Second).Amplify(1e5), "makes the users 1e+07"},
		"bursts":                 {Bursts(10, time.Second).For(time.Second).Amplify(1e300).Budget(5), "makes a burst 1e+301"},
		"bursts, many":           {Bursts(1_000_000, time.Second).For(24 * time.Hour), "8.64e+10 arrivals in a run are more than"},
		"bursts, too large":      {Bursts(1e9, time.Second).For(time.Second), "Bursts: size: 1000000000 is more than 5000000 at one instant"},
		"bursts, amplified":      {Bursts(1e6, time.Second).For(time.Second).Amplify(6).Budget(5), "makes a burst 6e+06, more than 5000000"},
		"replay, at once":        {Replay(es).Amplify(5e6 + 1), "plays an entry more than 5000000 times at one instant"},
		"no user":                {Users(0).For(time.Second), "not one user comes in 1s"},
		"no user with a budget":  {Users(0).Budget(5), "not one user comes in 24h0m0s"},
		"no user, stages":        {Users(0).To(0.4, time.Second).To(0, time.Second), "not one user comes in 2s"},
		"no user after a jump":   {Users(5).Jump(0).For(time.Second), "not one user comes in 1s"},
		"speed":                  {Replay(es).Speed(1e300), "Speed: 1e+300 leaves the log no time"},
		"speed, product":         {Replay(es).Speed(1e4).Speed(1e9), "Speed: 1e+09 leaves the log no time"},
		"speed, then From":       {Replay(es).Speed(3e9).From(instant(1)), "Speed: 3e+09 leaves the log no time"},
		"slowness":               {Replay(es).Speed(1e-300).Speed(1e-300), "stretches the log beyond"},
		"not one, with a budget": {Rate(0.1).For(time.Second).Budget(5), "not one arrival"},
		"Jump without a stage":   {Rate(5).For(time.Second).Jump(9), "Jump: 9: no stage comes after it"},
		"Jump of users":          {Users(5).For(time.Second).Jump(9).Budget(5), "Jump: 9: no stage comes after it"},
		"Jump of bursts":         {Bursts(5, time.Second).For(time.Second).Jump(9), "Jump: only a profile of Rate or Users has stages"},
		"Jump of a replay":       {Replay(es).Jump(9), "Jump: only a profile of Rate or Users has stages"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, tt.profile.Err(), tt.want)
			require.ErrorContains(t, tt.profile.Arrivals(nil, nil), tt.want)
		})
	}
	for name, p := range map[string]Profile{
		"bursts with a budget":       Bursts(1_000_000, time.Second).For(24 * time.Hour).Budget(100),
		"a replay with a budget":     Replay(es).Amplify(1e11).Budget(3),
		"a rate with a budget":       Rate(1e12).For(math.MaxInt64).Budget(7),
		"as many as there may be":    Replay(es).Amplify(5e6),
		"a burst, to the limit":      Bursts(5e6, time.Second).For(time.Second),
		"one user at the end":        Users(0).To(0.5, time.Second),
		"one user, scaled":           Users(1).For(time.Second).Amplify(1e-9),
		"a user for a moment":        Users(0).To(1, time.Second).To(0, time.Second),
		"users, to the limit":        Users(5).For(time.Second).Amplify(1e6),
		"factors that cancel":        second.Amplify(1e300).Amplify(1e-300),
		"speed, to the last instant": Replay(es).Speed(3e9),
		"a tenth, ten times":         repeated(10, Rate(0.1), func(p Profile) Profile { return p.For(time.Second) }),
		"Jump, then a stage":         Rate(5).For(time.Second).Jump(9).For(time.Second),
		"users at another level":     Users(5).Jump(9).Budget(5),
	} {
		require.NoError(t, p.Err(), name)
		if p.kind == Closed {
			continue
		}
		n := 0
		require.NoError(t, p.Arrivals(nil, func(time.Duration) bool { n++; return n < 200 }))
		require.Positive(t, n)
		if p.budget > 0 {
			require.EqualValues(t, p.budget, n, name)
		}
	}
}

func repeated(n int, p Profile, more func(Profile) Profile) Profile {
	for range n {
		p = more(p)
	}
	return p
}

func TestVeryManyStages(t *testing.T) {
	const n = 3000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p := repeated(n, Rate(1), func(p Profile) Profile { return p.For(time.Second) })
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1000*n), "copying them for each would take 100 times as much")
	require.NoError(t, p.Err())
	require.Equal(t, n*time.Second, p.Duration())
	require.Len(t, arrivalsOf(t, p), n)
	require.Equal(t, strings.Repeat("1/s for 1s, ", 6)+"… and 2,992 more stages …, 1/s for 1s, 1/s for 1s", p.String())

	stages := Rate(0)
	for i := range maxStages + 1 {
		stages = stages.To(float64(i+1), time.Second)
		if i+1 == maxStages {
			require.NotContains(t, stages.String(), "…")
		}
	}
	require.Equal(t, "0/s to 1/s in 1s, 1/s to 2/s in 1s, 2/s to 3/s in 1s, 3/s to 4/s in 1s, 4/s to 5/s in 1s, 5/s to 6/s in 1s, "+
		"… and 5 more stages …, 11/s to 12/s in 1s, 12/s to 13/s in 1s", stages.String())
}

// TestPrefixesMayBeContinuedAtOnce: under the race detector, too.
func TestPrefixesMayBeContinuedAtOnce(t *testing.T) {
	base := repeated(5, Rate(1), func(p Profile) Profile { return p.For(time.Second) })
	var made [8]Profile
	var wg sync.WaitGroup
	for i := range made {
		wg.Add(1)
		go func() {
			defer wg.Done()
			made[i] = base.To(float64(i), time.Second).For(time.Duration(i+1) * time.Second)
		}()
	}
	wg.Wait()
	for i, p := range made {
		require.Equal(t, time.Duration(7+i)*time.Second, p.Duration())
		pieces := p.pieces()
		require.Len(t, pieces, 7)
		require.Equal(t, piece{from: 1, to: float64(i), d: time.Second}, pieces[5])
	}
	require.Len(t, base.pieces(), 5)
}

func TestProfilesDescribeThemselves(t *testing.T) {
	es := []accesslog.Entry{{At: instant(0)}, {At: instant(9)}}
	for want, p := range map[string]Profile{
		"empty":                    {},
		"200/s for 1h0m0s":         Rate(200).For(time.Hour),
		"30 per 1m0s for 1h0m0s":   RatePer(30, time.Minute).For(time.Hour),
		"0 users to 5 users in 1s": Users(0).To(5, time.Second),
		"1/s for 1s, 5/s for 1s":   Rate(1).For(time.Second).Jump(5).For(time.Second),
		"100±50/s, a wave of 1m0s, for 1h0m0s, exponential gaps": Sine(100, 50, time.Minute, time.Hour).Poisson(),
		"bursts of 5 every 1s for 1m0s, at most 1,000 requests":  Bursts(5, time.Second).For(time.Minute).Budget(1000),
		"5 users for 1s, 7 requests each":                        Users(5).Each(7).For(time.Second),
		"1/s for 1s, ×0.3":                                       Rate(1).For(time.Second).Amplify(0.1).Amplify(3),
		"replay of 2 requests, 2015-05-17 10:05:00 to 2015-05-17 10:05:09, from 2015-05-17 10:05:01, speed ×6": Replay(es).From(instant(1)).Speed(2).Speed(3),
		"1/s for 10s, ×0.5 as long": Rate(1).For(10 * time.Second).stretch(0.5),
	} {
		require.Equal(t, want, fmt.Sprint(p))
	}
}

func TestTypesLastAsLongAsTheySay(t *testing.T) {
	for _, d := range []time.Duration{100*time.Second + 1, 7*time.Second + 3, 999, 24*time.Hour - 1} {
		for name, p := range map[string]Profile{"smoke": Smoke(10, d), "average": AverageLoad(10, d), "stress": Stress(10, d),
			"spike": Spike(10, d), "soak": Soak(10, d), "breakpoint": Breakpoint(10, d)} {
			require.Equal(t, d, p.Duration(), name)
		}
	}
	require.ErrorContains(t, Spike(10, 3).Err(), "want a positive duration")
}

// TestAmplifiedWaveKeepsItsShape: the amplitude grows with the mean.
func TestAmplifiedWaveKeepsItsShape(t *testing.T) {
	p := Sine(100, 50, time.Minute, 10*time.Minute)
	all, half := arrivalsOf(t, p), arrivalsOf(t, p.Amplify(0.5))
	require.Len(t, half, 30_000)
	for i := range half {
		all[i] = all[2*i+1]
	}
	require.Equal(t, all[:len(half)], half)
}
