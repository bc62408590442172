package traffic

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/accesslog"
)

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

func TestStretchKeepsTheRates(t *testing.T) {
	log := make([]accesslog.Entry, 60)
	for i := range log {
		log[i].At = instant(i)
	}
	for name, tt := range map[string]struct {
		profile  Profile
		requests int
	}{
		"stages": {Rate(10).For(time.Minute).To(0, time.Minute), 90},
		"wave":   {Sine(10, 10, time.Minute, time.Minute), 60},
		"bursts": {Bursts(5, 2*time.Second).For(time.Minute), 15},
		"replay": {Replay(log), 6},
	} {
		t.Run(name, func(t *testing.T) {
			short := tt.profile.stretch(0.1)
			require.NoError(t, short.Err())
			require.Equal(t, tt.profile.Duration()/10, short.Duration())
			require.Len(t, arrivalsOf(t, short), tt.requests)
			require.Contains(t, short.String(), "×0.1 as long")
			require.NotContains(t, short.String(), "speed")
		})
	}
	wave := Sine(10, 10, time.Minute, time.Minute).stretch(0.1)
	half := 0
	for _, a := range arrivalsOf(t, wave) {
		if a <= 3*time.Second {
			half++
		}
	}
	require.Equal(t, 49, half, "the whole wave is there: 30 + 30·2/π in its upper half")
	doubled := arrivalsOf(t, Replay(log).stretch(2))
	require.Len(t, doubled, 120)
	require.Equal(t, 118*time.Second, doubled[119])
}
