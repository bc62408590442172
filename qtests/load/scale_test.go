package load

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

func TestScaleLeavesOneRequest(t *testing.T) {
	es := []accesslog.Entry{{At: second(0)}, {At: second(1)}}
	for name, tt := range map[string]struct {
		profile traffic.Profile
		fake    []time.Duration
		real    time.Duration // until the only request in a scenario that is Scalable
	}{
		"a rate":               {traffic.Rate(1).For(5 * time.Second), []time.Duration{5 * time.Second}, time.Second},
		"a fraction":           {traffic.Rate(0.3).For(time.Minute), []time.Duration{time.Minute}, 3333333333},
		"amplified":            {traffic.Rate(1).For(70 * time.Second).Amplify(0.1), []time.Duration{70 * time.Second}, 10 * time.Second},
		"stages":               {traffic.Rate(0.1).For(7*time.Second).To(0.3, 13*time.Second), []time.Duration{20 * time.Second}, 0},
		"silence at the end":   {traffic.Rate(1).For(5 * time.Second).Jump(0).For(time.Hour), []time.Duration{5 * time.Second}, time.Second},
		"a wave":               {traffic.Sine(0.1, 0.1, time.Minute, time.Minute), []time.Duration{time.Minute}, 0},
		"bursts":               {traffic.Bursts(3, time.Second).For(2 * time.Second), []time.Duration{0, time.Second}, 0},
		"a replay":             {traffic.Replay(es), []time.Duration{time.Second}, 0},
		"already at its least": {traffic.Rate(1).For(time.Second), []time.Duration{time.Second}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				s := Scenario{Clock: q.Clock(), Traffic: tt.profile}.scaledBy(0.01)
				require.Equal(q, tt.fake, offsetsOf(t, s.Traffic))
				require.Equal(q, tt.profile.Duration(), s.Traffic.Duration())
			})
			s := Scenario{Traffic: tt.profile, Scalable: true}.scaledBy(0.01)
			require.NoError(t, s.Traffic.Err())
			all := offsetsOf(t, s.Traffic)
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
		Scalable: true, Traffic: traffic.Rate(1).For(5 * time.Second),
		Events: []event.Event{event.New("e", func() {}, nil).At(2 * time.Second).For(time.Second)},
	}.scaledBy(0.01)
	require.Equal(t, time.Second, s.Traffic.Duration())
	require.Equal(t, 400*time.Millisecond, s.Events[0].Offset)
	require.Equal(t, 200*time.Millisecond, s.Events[0].Duration)
}

// TestScaleLeavesOneDrawnRequest for every seed.
func TestScaleLeavesOneDrawnRequest(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		s := Scenario{Clock: q.Clock(), Traffic: traffic.Rate(1).For(5 * time.Second).Poisson()}.scaledBy(0.01)
		counts := map[int]int{}
		for seed := range uint64(200) {
			n := 0
			require.NoError(q, s.Traffic.Arrivals(rand.New(rand.NewPCG(seed, 1)), func(d time.Duration) bool {
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
	none := traffic.Rate(0).For(time.Hour).Poisson()
	require.Empty(t, offsetsOf(t, none.Multiplied(0.1)), "no rate, no request")
}

func budgetOf(p traffic.Profile) int64 {
	budget, _ := p.Limits()
	return budget
}

func eachOf(p traffic.Profile) int64 {
	_, each := p.Limits()
	return each
}

func TestScaleChangesBudgets(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		fake := func(p traffic.Profile, x float64) traffic.Profile {
			return Scenario{Clock: q.Clock(), Traffic: p}.scaledBy(x).Traffic
		}
		require.EqualValues(q, 100, budgetOf(fake(traffic.Users(100).Budget(1000), 0.1)))
		require.EqualValues(q, 1, budgetOf(fake(traffic.Users(100).Budget(1000), 1e-6)))
		require.EqualValues(q, 2000, budgetOf(fake(traffic.Rate(100).For(time.Minute).Budget(1000), 2)))
		require.EqualValues(q, 1<<62, budgetOf(fake(traffic.Users(1).Budget(math.MaxInt64), 1000)))
		require.EqualValues(q, 0, budgetOf(fake(traffic.Users(100).For(time.Minute), 0.1)))
		require.EqualValues(q, 7, eachOf(fake(traffic.Users(100).Each(7), 0.1)), "there are fewer users")
		require.Len(q, offsetsOf(t, fake(traffic.Rate(100).For(time.Minute).Budget(1000), 0.1)), 100)
		res, err := Do(context.Background(), Scenario{Clock: q.Clock(), Traffic: fake(traffic.Users(100).Budget(1000), 0.1), Do: serve(time.Second)})
		require.NoError(q, err)
		require.EqualValues(q, 100, res.Finished)
	})
	real := func(p traffic.Profile) traffic.Profile {
		return Scenario{Scalable: true, Traffic: p}.scaledBy(0.1).Traffic
	}
	require.EqualValues(t, 100, budgetOf(real(traffic.Users(100).Budget(1000))))
	require.EqualValues(t, 1, eachOf(real(traffic.Users(100).Each(7))))
	require.EqualValues(t, 1000, budgetOf(Scenario{Traffic: traffic.Users(100).Budget(1000)}.scaledBy(0.1).Traffic), "nothing allows it")
}
