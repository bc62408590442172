package load

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

func TestScaleLeavesOneRequest(t *testing.T) {
	es := []Entry{{At: at(0)}, {At: at(1)}}
	for name, tt := range map[string]struct {
		profile Profile
		fake    []time.Duration
		real    time.Duration // until the only request in a scenario that is Scalable
	}{
		"a rate":               {Rate(1).For(5 * time.Second), []time.Duration{5 * time.Second}, time.Second},
		"a fraction":           {Rate(0.3).For(time.Minute), []time.Duration{time.Minute}, 3333333333},
		"amplified":            {Rate(1).For(70 * time.Second).Amplify(0.1), []time.Duration{70 * time.Second}, 10 * time.Second},
		"stages":               {Rate(0.1).For(7*time.Second).To(0.3, 13*time.Second), []time.Duration{20 * time.Second}, 0},
		"silence at the end":   {Rate(1).For(5 * time.Second).Jump(0).For(time.Hour), []time.Duration{5 * time.Second}, time.Second},
		"a wave":               {Sine(0.1, 0.1, time.Minute, time.Minute), []time.Duration{time.Minute}, 0},
		"bursts":               {Bursts(3, time.Second).For(2 * time.Second), []time.Duration{0, time.Second}, 0},
		"a replay":             {Replay(es), []time.Duration{time.Second}, 0},
		"already at its least": {Rate(1).For(time.Second), []time.Duration{time.Second}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				s := Scenario{Clock: q.Clock(), Profile: tt.profile}.scaledBy(0.01)
				require.Equal(q, tt.fake, arrivalsOf(t, s.Profile))
				require.Equal(q, tt.profile.Duration(), s.Profile.Duration())
			})
			s := Scenario{Profile: tt.profile, Scalable: true}.scaledBy(0.01)
			require.NoError(t, s.Profile.Err())
			all := arrivalsOf(t, s.Profile)
			require.NotEmpty(t, all)
			if tt.real > 0 {
				require.Equal(t, []time.Duration{tt.real}, all)
			}
		})
	}
}

// TestScaleMovesEventsWithTheStages also where the scale was raised.
func TestScaleMovesEventsWithTheStages(t *testing.T) {
	s := Scenario{
		Scalable: true, Profile: Rate(1).For(5 * time.Second),
		Events: []qtests.Event{qtests.NewEvent("e", func() {}, nil).At(2 * time.Second).For(time.Second)},
	}.scaledBy(0.01)
	require.Equal(t, time.Second, s.Profile.Duration())
	require.Equal(t, 400*time.Millisecond, s.Events[0].Offset)
	require.Equal(t, 200*time.Millisecond, s.Events[0].Duration)
}

func TestScaleOfRandomRatesLeavesOneRequest(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 100 {
		p := Rate(r.Float64())
		for range 1 + r.IntN(5) {
			p = p.To(r.Float64(), time.Duration(1+r.Int64N(int64(time.Hour)))).Amplify(0.5 + r.Float64())
		}
		if p.Err() != nil {
			continue // less than one arrival before any scale
		}
		for _, apply := range []func(Profile, float64) Profile{Profile.multiplied, Profile.stretch} {
			scaled := apply(p, p.enough(1e-9, apply))
			require.NoError(t, scaled.Err(), "%v", p)
			require.Len(t, arrivalsOf(t, scaled), 1, "%v", p)
		}
	}
}

// TestScaleLeavesOneDrawnRequest for every seed.
func TestScaleLeavesOneDrawnRequest(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		s := Scenario{Clock: q.Clock(), Profile: Rate(1).For(5 * time.Second).Poisson()}.scaledBy(0.01)
		counts := map[int]int{}
		for seed := range uint64(200) {
			n := 0
			require.NoError(q, s.Profile.Arrivals(rand.New(rand.NewPCG(seed, 1)), func(d time.Duration) bool {
				n++
				require.LessOrEqual(q, d, 5*time.Second)
				return true
			}))
			counts[n]++
		}
		require.Zero(q, counts[0])
		require.Greater(q, counts[1], 100, "1/e of them drawn, and 1/e raised to one")
		require.Greater(q, counts[2], 20)
	})
	none := Rate(0).For(time.Hour).Poisson()
	require.Empty(t, arrivalsOf(t, none.multiplied(none.enough(0.1, Profile.multiplied))), "no rate, no request")
}

func TestScaleChangesBudgets(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		fake := func(p Profile, x float64) Profile { return Scenario{Clock: q.Clock(), Profile: p}.scaledBy(x).Profile }
		require.EqualValues(q, 100, fake(Users(100).Budget(1000), 0.1).budget)
		require.EqualValues(q, 1, fake(Users(100).Budget(1000), 1e-6).budget)
		require.EqualValues(q, 2000, fake(Rate(100).For(time.Minute).Budget(1000), 2).budget)
		require.EqualValues(q, 1<<62, fake(Users(1).Budget(math.MaxInt64), 1000).budget)
		require.EqualValues(q, 0, fake(Users(100).For(time.Minute), 0.1).budget)
		require.EqualValues(q, 7, fake(Users(100).Each(7), 0.1).each, "there are fewer users")
		require.Len(q, arrivalsOf(t, fake(Rate(100).For(time.Minute).Budget(1000), 0.1)), 100)
		res, err := Do(context.Background(), Scenario{Clock: q.Clock(), Profile: fake(Users(100).Budget(1000), 0.1), Do: serve(time.Second)})
		require.NoError(q, err)
		require.EqualValues(q, 100, res.Finished)
	})
	real := func(p Profile) Profile { return Scenario{Scalable: true, Profile: p}.scaledBy(0.1).Profile }
	require.EqualValues(t, 100, real(Users(100).Budget(1000)).budget)
	require.EqualValues(t, 1, real(Users(100).Each(7)).each)
	require.EqualValues(t, 1000, Scenario{Profile: Users(100).Budget(1000)}.scaledBy(0.1).Profile.budget, "nothing allows it")
}
